import type { Head } from '../../../pipeline/training/trained-head.js'
import { TopClips } from '../metrics/top-clips.js'
import type { RankedClips, Pool } from '../data/rankings.js'

/** Scores of tracks or clips for every identity. */
export interface ScoredRows {
  /** Clip of each row. */
  readonly clips: Int32Array
  /** [rows, identities] */
  readonly scores: Float32Array
}

/** Scores clips block by block, because the whole matrix of iQIYI-VID's test half would need 3.4 GB. */
export interface Scorer {
  readonly identities: number
  blocks(): AsyncGenerator<ScoredRows>
}

/** The 100 best clips of each identity, best first. The score of a clip is the score of its best row. */
export async function rankClips(
  scorer: Scorer,
  clipNames: readonly string[],
  pool: Pool,
): Promise<RankedClips[]> {
  const { identities } = scorer
  const top = new TopClips(identities, clipNames)
  for await (const { clips, scores } of scorer.blocks())
    top.addRows(scores, (row) => {
      const clip = clips[row] ?? -1
      return pool.has(clip) ? clip : -1
    })
  return Array.from({ length: identities }, (_, identity) => top.ranked(identity))
}

/** Number of rows with scores in memory at the same time. */
const blockRows = 2048

/** The input of heads: pooled embeddings [rows, d] and the clip of each row. */
export interface PooledRows {
  readonly dimension: number
  readonly pooled: Float32Array
  readonly clips: Int32Array
}

/** A head with its input. Several heads may use different embeddings of the same rows. */
export interface ScoringHead {
  readonly head: Head
  readonly rows: PooledRows
  /** Weight of its scores. Default: 1. */
  readonly weight?: number
}

/**
 * The weighted mean of several heads' log-probabilities of the classes. The noise class is part of the softmax but is
 * not an identity.
 */
export function scoreByHeads(heads: readonly ScoringHead[], identities: number): Scorer {
  const total = heads.reduce((sum, { weight = 1 }) => sum + weight, 0)
  const clips = heads[0]?.rows.clips ?? new Int32Array(0)
  return {
    identities,
    async *blocks() {
      for (let from = 0; from < clips.length; from += blockRows) {
        const block = clips.subarray(from, from + blockRows)
        const sum = new Float32Array(block.length * identities)
        for (const { head, rows, weight: own = 1 } of heads) {
          const { dimension, pooled } = rows
          const input = pooled.subarray(from * dimension, (from + block.length) * dimension)
          const { scores } = await head.run(input)
          const weight = own / total
          for (let row = 0; row < block.length; row++)
            for (let i = 0; i < identities; i++) {
              const at = row * identities + i
              sum[at] = (sum[at] ?? 0) + weight * (scores[row * (identities + 1) + i + 1] ?? 0)
            }
        }
        yield { clips: block, scores: sum }
      }
    },
  }
}

export interface ContextFusion {
  /** Weight of the context for a clip with a best face of quality 0. The weight falls to 0 at quality 1. */
  readonly weight: number
  /** Weight of the context for a clip without a face. */
  readonly alone: number
  /** Offset for clips without a face, to rank them behind the others. */
  readonly offset: number
}

/**
 * Late fusion of faces and context: log p_face + weight · (1 − quality) · log p_context of the clip; A clip without a
 * face has alone · log p_context + offset.
 * @param context log-probabilities [clips, identities]; rows of NaN for clips without context
 * @param quality of each clip's best face; NaN for clips without a face
 */
export function fuseContext(
  faces: Scorer,
  context: Float32Array,
  quality: Float32Array,
  { weight, alone, offset }: ContextFusion,
): Scorer {
  const { identities } = faces
  const fused = (clip: number, identity: number): number => {
    const value = context[clip * identities + identity] ?? Number.NaN
    return Number.isNaN(value) ? 0 : value
  }
  return {
    identities,
    async *blocks() {
      for await (const { clips, scores } of faces.blocks()) {
        const sum = scores.slice()
        for (const [row, clip] of clips.entries()) {
          const own = weight * (1 - (quality[clip] ?? 1))
          for (let i = 0; i < identities; i++) {
            const at = row * identities + i
            sum[at] = (sum[at] ?? 0) + own * fused(clip, i)
          }
        }
        yield { clips, scores: sum }
      }
      const faceless = [...quality.keys()].filter(
        (clip) => Number.isNaN(quality[clip]) && !Number.isNaN(context[clip * identities]),
      )
      const sum = new Float32Array(faceless.length * identities)
      for (const [row, clip] of faceless.entries())
        for (let i = 0; i < identities; i++) sum[row * identities + i] = alone * fused(clip, i) + offset
      yield { clips: Int32Array.from(faceless), scores: sum }
    },
  }
}
