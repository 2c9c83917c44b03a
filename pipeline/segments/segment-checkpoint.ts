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
 * A stored segment in progress: a state, and parts that never change. It contains pixels of faces and their embeddings.
 */
export interface StoredCheckpoint {
  readonly state: Uint8Array
  /** In the order in which they were written. */
  readonly parts: readonly Uint8Array[]
}

/** What has to be stored now: a state that replaces the previous one and, if there is one, a further part. */
export interface CheckpointUpdate {
  /** Index of the segment. */
  readonly segment: number
  /** Time of the last frame that it covers, s. */
  readonly timeS: number
  readonly state: Uint8Array
  /** SHA-256 of every part, in order; the last one is that of `newPart`. */
  readonly parts: readonly string[]
  readonly newPart?: Uint8Array
}

/** A checkpoint that was read and can be trusted. */
export interface Checkpoint extends Omit<Envelope, 'state'> {
  readonly state: SegmentState
}

/** Writes the checkpoints of one segment, one after the other. */
export class CheckpointWriter {
  readonly #parts: string[]
  #written: number

  /** @param from the checkpoint to continue from */
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
 * Undefined if a checkpoint is damaged or incomplete, or belongs to another version, recipe or provider: then its
 * segment starts again.
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
    // Further parts may belong to another checkpoint that was begun at another time.
    const parts = stored.parts.slice(0, about.parts.length)
    if (parts.length < about.parts.length || parts.some((part, i) => sha256(part) !== about.parts[i]))
      return undefined
    return { ...about, state: { ...state, tracklets: parts.flatMap(decodeTracklets) } }
  } catch {
    // The digest is right but the content is not: another version wrote it.
    return undefined
  }
}

const digestBytes = 32

/** Puts the content's SHA-256 in front of it. */
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
