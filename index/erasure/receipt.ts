import { createHash, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { isSignedBy } from '../audit/signatures.js'

const hmacSchema = z.object({
  /** `face`: one face of a name. `unnamed`: the people without names in a clip. The others are as in the audit log. */
  kind: z.enum(['name', 'clip', 'group', 'photo', 'face', 'unnamed']),
  /** HMAC-SHA-256 of kind and label with the archive's secret, hex. */
  hmac: z.string().regex(/^[0-9a-f]{64}$/),
})

const unreachableSchema = z.object({
  what: z.enum(['topics', 'dead-letters', 'backups', 'exports', 'copies']),
  text: z.string(),
  /** How many of them are known. */
  count: z.int().optional(),
  /** When they were made, ISO 8601, oldest first; the last 100. */
  dates: z.array(z.string()).optional(),
})

export const receiptSchema = z.object({
  kind: z.literal('cameo-erasure-receipt'),
  version: z.literal(1),
  /** Names the receipt. */
  receiptId: z.string(),
  archiveId: z.string(),
  /** SHA-256 of the archive's public key, hex. */
  keyId: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `pending`: no search finds what was erased, but its bytes are still in a file that another process holds. */
  state: z.enum(['complete', 'pending']),
  /** Of a second receipt: the one of the unfinished erasure. */
  completes: z.string().optional(),
  /** The operator's number of the request; the id of the receipt if none was given. */
  reference: z.string(),
  /** What was erased. It names nobody. */
  subject: z.object({
    kind: z.enum(['name', 'face', 'clip', 'clips', 'unnamed-people']),
    count: z.int(),
    hmacs: z.array(hmacSchema),
  }),
  erased: z.object({
    /** Rows of the archive by table. */
    rows: z.record(z.string(), z.int()),
    /** Vectors of the index, thumbnails of tracks, pictures of enrolled faces, groups that have no track left. */
    vectors: z.int(),
    thumbnails: z.int(),
    pictures: z.int(),
    groups: z.int(),
    /** Unfinished work that keeps pixels or parts: checkpoints and parts of messages. */
    scratch: z.int(),
    /** A folder of checkpoints was cleared. */
    checkpointFolder: z.boolean(),
    /** Keys of the audit log that were destroyed. */
    auditKeys: z.int(),
    /** Snapshots of the vector index that contained erased vectors were rewritten or removed. */
    snapshots: z.enum(['clean', 'pending']),
    /** The erasure is published to the topics by the index worker. */
    tombstones: z.boolean(),
  }),
  /** The check afterwards. */
  check: z.object({
    /** How many of the erased vectors were searched with, and how many erased ones an answer had. */
    vectorsSearched: z.int(),
    vectorsFound: z.int(),
    /** How many ids were looked up in every table, and how many rows were found. */
    idsLookedUp: z.int(),
    rowsFound: z.int(),
  }),
  /** What this erasure does not reach. */
  unreachable: z.array(unreachableSchema),
})

/** What was erased, and what was found afterwards. It contains no name and no face. */
export type ReceiptBody = z.infer<typeof receiptSchema>
export type Unreachable = z.infer<typeof unreachableSchema>
export type SubjectHmac = z.infer<typeof hmacSchema>

export const signedReceiptSchema = receiptSchema.extend({
  /** Ed25519 over the JSON of all other fields with sorted keys, base64. */
  signature: z.string(),
})

/** A receipt with the archive's signature. */
export type Receipt = z.infer<typeof signedReceiptSchema>

/** SHA-256 of a public key, hex. */
export const keyIdOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')

/** @throws RECEIPT_INVALID */
export function parseReceipt(value: unknown): Receipt {
  const parsed = signedReceiptSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new CameoError('RECEIPT_INVALID', `this is not a receipt: ${z.prettifyError(parsed.error)}`)
}

/** Checks that the owner of a key signed a receipt, and that nobody changed it since. @throws RECEIPT_INVALID */
export function verifyReceipt(receipt: Receipt, publicKey: KeyObject): void {
  const { signature, ...body } = receipt
  if (!isSignedBy(publicKey, body, signature))
    throw new CameoError(
      'RECEIPT_INVALID',
      body.keyId === keyIdOf(publicKey)
        ? 'the receipt was changed after it was signed'
        : 'the receipt was not signed with this key',
    )
}
