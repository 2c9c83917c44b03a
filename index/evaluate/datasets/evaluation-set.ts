import { poolFaces, poolTracks } from '../../../pipeline/training/face-columns.js'
import { inputDimension } from '../../../pipeline/describe/pooled-input.js'
import { indexClipNames } from './clip-names.js'
import type { FeatureSet } from '../data/feature-set.js'
import { resolveLabels, type LabelledHalf, type Labels } from './labelled-halves.js'
import { personTracks, tracksOfClips } from './person-tracks.js'
import { poolsOf, type PoolAccount, type PoolChoice } from './pools.js'
import type { Pool } from '../data/rankings.js'

export interface EvaluationSet {
  readonly features: FeatureSet
  /** d: values of a pooled track. */
  readonly dimension: number
  readonly firstTrack: Int32Array
  /** [tracks, d], quality-weighted, L2-normalised */
  readonly pooled: Float32Array
  /** Identities of the gallery, in its order: class c is identities[c − 1]. */
  readonly identities: readonly string[]
  /** Of each identity: the tracks of its gallery clips that are the person's. */
  readonly galleryTracks: readonly (readonly number[])[]
  readonly galleryClips: readonly (readonly number[])[]
  readonly val: LabelledHalf | undefined
  readonly test: LabelledHalf | undefined
  readonly valPool: Pool
  readonly testPool: Pool
  readonly testPoolAccount: PoolAccount
  /** Clips of strangers for training. */
  readonly noiseClips: readonly number[]
  /** Names in the ground truth that no clip has. */
  readonly unknown: readonly string[]
  readonly warnings: readonly string[]
}

export interface EvaluationInput extends Labels {
  readonly features: FeatureSet
  /** Paths of each clip, or its one name. */
  readonly paths: readonly (readonly string[])[]
  /** Names of clips of strangers; where absent, those of val's series that no line names. */
  readonly noise?: readonly string[]
  /** What may be retrieved; default all. */
  readonly pool?: PoolChoice
}

/**
 * Brings features and ground truth together: whose clips are whose (`resolveLabels`) and what may be retrieved (`poolsOf`).
 * @throws GROUND_TRUTH_INVALID where a list is not of these clips, or leaves nothing to look for
 */
export function createEvaluationSet(input: EvaluationInput): EvaluationSet {
  const { features, paths, gallery } = input
  const names = indexClipNames(paths)
  const resolved = resolveLabels(input, names)
  const { noise, pool = 'all' } = input
  const { account, ...pools } = poolsOf({
    ...{ labels: input, resolved, names, noise, choice: pool },
    clipNames: features.clipNames,
  })
  const firstTrack = tracksOfClips(features)
  // A person's tracks are told by the pack's own embedder, so that the labels do not depend on what else was ingested.
  const own = { ...features, columns: features.columns.slice(0, 1) }
  const ownPooled = poolTracks(own, 'quality')
  const { galleryClips, val, test, unknown, warnings } = resolved
  return {
    features,
    dimension: inputDimension(features.columns),
    firstTrack,
    pooled: features.columns.length === 1 ? ownPooled : poolTracks(features, 'quality'),
    identities: [...gallery.keys()],
    galleryClips,
    galleryTracks: galleryClips.map((clips) => personTracks(own, firstTrack, ownPooled, clips)),
    ...{ val, test, ...pools, testPoolAccount: account, unknown, warnings },
  }
}

/** The same clips and labels with the embeddings of some of the embedders, in this order. */
export function withColumns(set: EvaluationSet, columns: FeatureSet['columns']): EvaluationSet {
  const own = set.features.columns
  if (columns.length === own.length && columns.every((column, at) => column === own[at])) return set
  const features = { ...set.features, columns }
  return { ...set, features, dimension: inputDimension(columns), pooled: poolTracks(features, 'quality') }
}

/** Tracks of some clips. */
export function tracksIn(
  { firstTrack }: Pick<EvaluationSet, 'firstTrack'>,
  clips: Iterable<number>,
): number[] {
  return [...clips].flatMap((clip) => {
    const first = firstTrack[clip] ?? 0
    return Array.from({ length: (firstTrack[clip + 1] ?? first) - first }, (_, k) => first + k)
  })
}

/**
 * The paper's clip centre: of each clip the mean of its main faces, the largest of each frame, whoever they show; equal
 * weights. [clips, d]; zeros for a clip without a face.
 */
export function clipCentres({
  features,
  firstTrack,
}: Pick<EvaluationSet, 'features' | 'firstTrack'>): Float32Array {
  const { columns, firstFace, clipNames, isMainFace } = features
  const dimension = inputDimension(columns)
  const centres = new Float32Array(clipNames.length * dimension)
  for (const clip of clipNames.keys()) {
    const from = firstFace[firstTrack[clip] ?? 0] ?? 0
    const to = firstFace[firstTrack[clip + 1] ?? 0] ?? from
    const faces = Array.from({ length: to - from }, (_, k) => from + k)
    const main = faces.filter((face) => isMainFace?.[face] !== 0)
    poolFaces(features, main, 'equal', centres, clip * dimension)
  }
  return centres
}
