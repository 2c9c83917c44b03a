import { decodeFloat16, encodeFloat16 } from '../../../pipeline/data/float16.js'
import { poolTracks, type FaceColumns } from '../../../pipeline/training/face-columns.js'
import type { Head } from '../../../pipeline/training/trained-head.js'
import { headSettingsSchema, trainHead, type HeadSettings } from '../../../pipeline/training/train-head.js'
import type { Archive } from '../../archive/open-archive.js'
import { contextFeaturesOf } from '../../store/context.js'
import type { EvaluationSet } from '../datasets/evaluation-set.js'
import { runnerOf, type TrainOptions } from './head-training.js'
import { mapOf } from './measure-rankings.js'
import { rankClips, scoreByHeads } from './scorer.js'

/** One vector per clip. */
export interface ContextRows {
  readonly dimension: number
  /** [clips, dimension], not normalised. Zeros for a clip without context. */
  readonly vectors: Float32Array
}

/** The context features of an archive's clips: for each clip, the mean over its frames. */
export function readContextRows(
  { database }: Archive,
  encoderDigest: string,
  dimension: number,
  clipIds: readonly string[],
): ContextRows {
  const vectors = new Float32Array(clipIds.length * dimension)
  const clipOf = new Map(clipIds.map((clipId, at) => [clipId, at]))
  for (const { clipId, frames, vector } of contextFeaturesOf(database, encoderDigest)) {
    const clip = clipOf.get(clipId)
    if (clip === undefined) continue
    for (const [i, value] of decodeFloat16(vector).entries()) {
      const at = clip * dimension + i
      vectors[at] = (vectors[at] ?? 0) + frames * value
    }
  }
  return { dimension, vectors }
}

export interface ContextScores {
  /** [clips, identities], log-probabilities. NaN for a clip without context. */
  readonly scores: Float32Array
  /** Quality of each clip's best face. NaN for a clip without a face. */
  readonly clipQuality: Float32Array
}

/** Trains a separate MLP on the context features of the gallery's clips. The epoch is chosen on val. */
export async function trainContext(
  set: EvaluationSet,
  { dimension, vectors }: ContextRows,
  { seed }: HeadSettings,
  options: TrainOptions,
): Promise<ContextScores> {
  const clipCount = set.features.clipNames.length
  const faces: FaceColumns = {
    columns: [{ dimension, embeddings: encodeFloat16(vectors) }],
    firstFace: Int32Array.from({ length: clipCount + 1 }, (_, clip) => clip),
    qualities: new Float32Array(clipCount).fill(1),
  }
  const known = set.galleryClips.flatMap((clips, at) => clips.map((clip) => ({ clip, label: at + 1 })))
  const rows = [...known, ...set.noiseClips.map((clip) => ({ clip, label: 0 }))]
  const settings = headSettingsSchema.parse({ seed, loss: 'norm-softmax', facesPerSample: [1] })
  const pooled = poolTracks(faces, 'equal')
  const everyClip = { dimension, pooled, clips: Int32Array.from({ length: clipCount }, (_, clip) => clip) }
  const identities = set.identities.length
  const { val } = set
  const watch = async (head: Head) =>
    val === undefined
      ? 0
      : mapOf(
          set,
          val,
          await rankClips(
            scoreByHeads([{ head, rows: everyClip }], identities),
            set.features.clipNames,
            set.valPool,
          ),
        )
  const best = await trainHead(
    {
      faces,
      tracks: Int32Array.from(rows, ({ clip }) => clip),
      labels: Int32Array.from(rows, ({ label }) => label),
      classCount: identities,
    },
    settings,
    { ...options, ...(val === undefined ? {} : { watch }) },
  )
  const head = await runnerOf(best, settings, dimension, options, 1)
  const scores = new Float32Array(clipCount * identities).fill(Number.NaN)
  for await (const block of scoreByHeads([{ head, rows: everyClip }], identities).blocks())
    for (const [row, clip] of block.clips.entries()) {
      const isEmpty = vectors.subarray(clip * dimension, (clip + 1) * dimension).every((value) => value === 0)
      if (!isEmpty)
        scores.set(block.scores.subarray(row * identities, (row + 1) * identities), clip * identities)
    }
  await head.dispose()
  return { scores, clipQuality: bestQualities(set) }
}

function bestQualities({ features, firstTrack }: EvaluationSet): Float32Array {
  const { clipNames, firstFace, qualities } = features
  return Float32Array.from(clipNames, (_, clip) => {
    const from = firstFace[firstTrack[clip] ?? 0] ?? 0
    const to = firstFace[firstTrack[clip + 1] ?? 0] ?? from
    return from === to ? Number.NaN : Math.max(...qualities.subarray(from, to))
  })
}
