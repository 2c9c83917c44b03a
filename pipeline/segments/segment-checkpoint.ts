import { createHash } from 'node:crypto'
import type { SegmentState } from './segment-builder.js'
import {
  decodeEnvelope,
  decodeTracklets,
  encodeEnvelope,
  encodeTracklets,
  type Envelope,
} from './segment-codec.js'
import type { Stages } from '../stages/load-pipeline.js'

/**
 * A segment under work as it is stored: a state, and parts that never change again. Pixels of faces are in it, and their
 * embeddings.
 */
export interface StoredCheckpoint {
  readonly state: Uint8Array
  /** In the order in which they were given. */
  readonly parts: readonly Uint8Array[]
}

/** What is to be stored now: a state in place of the one before, and, where there is one, a further part. */
export interface CheckpointUpdate {
  /** Index of the segment. */
  readonly segment: number
  /** Of the last frame that it covers, s. */
  readonly timeS: number
  readonly state: Uint8Array
  /** SHA-256 of every part from the first, that of `newPart` last. */
  readonly parts: readonly string[]
  readonly newPart?: Uint8Array
}

/** A checkpoint that was read and can be trusted. */
export interface Checkpoint extends Omit<Envelope, 'state'> {
  readonly state: SegmentState
}

/** Of one segment, one after the other. */
export class CheckpointWriter {
  readonly #parts: string[]
  #written: number

  /** @param from the checkpoint that is gone on with */
  constructor(from?: Checkpoint) {
    this.#parts = [...(from?.parts ?? [])]
    this.#written = from?.state.tracklets.length ?? 0
  }

  write({ state, ...about }: Omit<Checkpoint, 'parts' | 'format'>): CheckpointUpdate {
    const { tracklets, ...rest } = state
    const added = tracklets.slice(this.#written)
    this.#written = tracklets.length
    const newPart = added.length === 0 ? undefined : encodeTracklets(added)
    if (newPart !== undefined) this.#parts.push(sha256(newPart))
    const parts = [...this.#parts]
    return {
      segment: about.segment,
      timeS: about.last.timeS,
      state: sealed(encodeEnvelope({ ...about, format: 2, parts, state: rest })),
      parts,
      ...(newPart === undefined ? {} : { newPart }),
    }
  }
}

/**
 * Undefined where a checkpoint is damaged, incomplete, or of another version, recipe or provider: its segment is then begun
 * anew.
 */
export function readCheckpoint(
  stored: StoredCheckpoint,
  { recipe, provider }: Pick<Stages, 'recipe' | 'provider'>,
): Checkpoint | undefined {
  try {
    const content = unsealed(stored.state)
    if (content === undefined) return undefined
    const { state, ...about } = decodeEnvelope(content)
    if (about.recipe !== recipe.digest || about.provider !== provider) return undefined
    // Further parts may be of another, begun at another time.
    const parts = stored.parts.slice(0, about.parts.length)
    if (parts.length < about.parts.length || parts.some((part, i) => sha256(part) !== about.parts[i]))
      return undefined
    return { ...about, state: { ...state, tracklets: parts.flatMap(decodeTracklets) } }
  } catch {
    // Its digest is right and its content is not: another version wrote it.
    return undefined
  }
}

const digestBytes = 32

/** Behind its SHA-256. */
function sealed(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(digestBytes + content.byteLength)
  bytes.set(createHash('sha256').update(content).digest())
  bytes.set(content, digestBytes)
  return bytes
}

function unsealed(bytes: Uint8Array): Uint8Array | undefined {
  const content = bytes.subarray(digestBytes)
  const digest = createHash('sha256').update(content).digest()
  return digest.equals(bytes.subarray(0, digestBytes)) ? content : undefined
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
