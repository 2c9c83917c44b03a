import type { Head } from '../../../pipeline/training/trained-head.js'
import { TopClips } from '../metrics/top-clips.js'
import type { RankedClips, Pool } from '../data/rankings.js'

/** Scores of some tracks or clips with every identity. */
export interface ScoredRows {
  /** Clip of each row. */
  readonly clips: Int32Array
  /** [rows, identities] */
  readonly scores: Float32Array
}

/** A way to score clips, block by block: the whole matrix of iQIYI-VID's test half would be 3.4 GB. */
export interface Scorer {
  readonly identities: number
  blocks(): AsyncGenerator<ScoredRows>
}

/** The 100 best clips of each identity, best first; a clip's score is that of its best row. */
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

/** Rows whose scores are in memory together. */
const blockRows = 2048

/** What heads are run on: pooled embeddings [rows, d] and the clip of each row. */
export interface PooledRows {
  readonly dimension: number
  readonly pooled: Float32Array
  readonly clips: Int32Array
}

/** A head with what it is to score: several may take different embeddings of the same rows. */
export interface ScoringHead {
  readonly head: Head
  readonly rows: PooledRows
  /** Of its scores among those of others; 1 where absent. */
  readonly weight?: number
}

/** The weighted mean of some heads' log-probabilities of the classes; noise is in their sum, but is no identity. */
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
  /** How much the context counts for a clip whose best face has quality 0; it falls to 0 at quality 1. */
  readonly weight: number
  /** How much for a clip without a face. */
  readonly alone: number
  /** Added to clips without a face: how far they stand behind the others. */
  readonly offset: number
}

/**
 * Late fusion of faces and context: log p_face + weight · (1 − quality) · log p_context of the clip; a clip without a face has
 * alone · log p_context + offset.
 * @param context log-probabilities [clips, identities]; rows of NaN where a clip has no context
 * @param quality of each clip's best face, NaN where it has none
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
