import { createCipheriv, createDecipheriv, randomBytes, randomFillSync } from 'node:crypto'
import { z } from 'zod'
import type { SubjectKey, SubjectKeys } from '../store/audit/subject-keys.js'
import type { ArchiveMacs } from './archive-keys.js'
import type { AuditPart, AuditSubject, JsonObject } from './audit-entry.js'

const cipherName = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** A part of a row, as far as it can still be read. */
export type ReadPart =
  | { readonly state: 'readable'; readonly subject: AuditSubject; readonly content: JsonObject }
  /** Its subject was forgotten. */
  | { readonly state: 'erased' }
  /** Its bytes or its key are damaged. */
  | { readonly state: 'unreadable' }

const sealedSchema = z.array(z.tuple([z.int(), z.string()]))
const partSchema = z.object({
  subject: z.object({ kind: z.enum(['name', 'clip', 'group', 'photo']), label: z.string() }),
  content: z.record(z.string(), z.json()),
})

/** Names that look the same are the same subject. */
const canonicalLabel = ({ kind, label }: AuditSubject): string =>
  kind === 'name' ? label.normalize('NFC').trim() : label

/** Finds the key of a subject without storing its label. */
export const labelHmac = (macs: ArchiveMacs, subject: AuditSubject): Buffer =>
  macs.mac('label', JSON.stringify([subject.kind, canonicalLabel(subject)]))

/** So many keys stay in memory: those of a busy server's usual answers. */
const mostCached = 20_000

/** Random nonces. Asking the system for each of them would take half as long as the encryption. */
class Nonces {
  readonly #bytes = Buffer.alloc(256 * nonceBytes)
  #at = this.#bytes.length

  next(): Buffer {
    if (this.#at === this.#bytes.length) {
      randomFillSync(this.#bytes)
      this.#at = 0
    }
    this.#at += nonceBytes
    return Buffer.from(this.#bytes.subarray(this.#at - nonceBytes, this.#at))
  }
}

/** Encrypts the parts of entries, each under the key of its subject. */
export class Sealer {
  readonly #keys: SubjectKeys
  readonly #macs: ArchiveMacs
  readonly #nonces = new Nonces()
  readonly #cached = new Map<string, SubjectKey>()
  #version: number | undefined

  constructor(keys: SubjectKeys, macs: ArchiveMacs) {
    this.#keys = keys
    this.#macs = macs
  }

  /** Call this at the start of a transaction: another process may have destroyed keys. */
  refresh(): void {
    const version = this.#keys.dataVersion()
    if (version !== this.#version || this.#cached.size > mostCached) this.#cached.clear()
    this.#version = version
  }

  /** Drops all keys from memory: after an error, or when this process destroyed some. */
  forgetKeys(): void {
    this.#cached.clear()
  }

  /** JSON [[subject id, base64], …]. Call this within the transaction that adds the row. */
  seal(parts: readonly AuditPart[]): string {
    return JSON.stringify(
      parts.map(({ subject, content }) => {
        const key = this.#keyFor(subject)
        const named = { ...subject, label: canonicalLabel(subject) }
        return [key.subjectId, encrypt(key, this.#nonces.next(), JSON.stringify({ subject: named, content }))]
      }),
    )
  }

  #keyFor(subject: AuditSubject): SubjectKey {
    const name = `${subject.kind}:${canonicalLabel(subject)}`
    const cached = this.#cached.get(name)
    if (cached !== undefined) return cached
    const hmac = labelHmac(this.#macs, subject)
    const key = this.#keys.find(hmac) ?? this.#keys.add(hmac, randomBytes(keyBytes))
    this.#cached.set(name, key)
    return key
  }
}

/** The parts of a row, in their order. */
export function readParts(keys: SubjectKeys, sealed: string): ReadPart[] {
  const entries = sealedSchema.safeParse(parsed(sealed))
  if (!entries.success) return [{ state: 'unreadable' }]
  return entries.data.map(([subjectId, text]): ReadPart => {
    const key = keys.keyOf(subjectId)
    if (key === undefined) return { state: 'erased' }
    const part = partSchema.safeParse(parsed(decrypt({ subjectId, key }, text)))
    return part.success ? { state: 'readable', ...part.data } : { state: 'unreadable' }
  })
}

/** Ids of the subjects of a row. */
export function subjectIdsOf(sealed: string): number[] {
  const entries = sealedSchema.safeParse(parsed(sealed))
  return entries.success ? entries.data.map(([subjectId]) => subjectId) : []
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A part belongs to its subject: it cannot be given to another one. */
const boundTo = (subjectId: number) => Buffer.from(`subject:${subjectId}`)

function encrypt({ subjectId, key }: SubjectKey, nonce: Buffer, text: string): string {
  const cipher = createCipheriv(cipherName, key, nonce).setAAD(boundTo(subjectId))
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64')
}

/** Undefined if the text was changed or the key is another one. */
function decrypt({ subjectId, key }: SubjectKey, text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length < nonceBytes + tagBytes) return undefined
  try {
    const decipher = createDecipheriv(cipherName, key, bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    })
    decipher.setAAD(boundTo(subjectId)).setAuthTag(bytes.subarray(-tagBytes))
    const body = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
    return Buffer.concat([body, decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
