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
  /** d: number of values of a pooled track. */
  readonly dimension: number
  readonly firstTrack: Int32Array
  /** [tracks, d], quality-weighted, L2-normalised */
  readonly pooled: Float32Array
  /** Identities of the gallery, in order: class c is identities[c − 1]. */
  readonly identities: readonly string[]
  /** For each identity: the tracks in its gallery clips that show the person. */
  readonly galleryTracks: readonly (readonly number[])[]
  readonly galleryClips: readonly (readonly number[])[]
  readonly val: LabelledHalf | undefined
  readonly test: LabelledHalf | undefined
  readonly valPool: Pool
  readonly testPool: Pool
  readonly testPoolAccount: PoolAccount
  /** Clips of strangers for training. */
  readonly noiseClips: readonly number[]
  /** Names in the ground truth without a clip. */
  readonly unknown: readonly string[]
  readonly warnings: readonly string[]
}

export interface EvaluationInput extends Labels {
  readonly features: FeatureSet
  /** Paths of each clip, or its only name. */
  readonly paths: readonly (readonly string[])[]
  /** Names of clips of strangers. Default: the clips of val's series that no list names. */
  readonly noise?: readonly string[]
  /** The clips that may be retrieved. Default: all. */
  readonly pool?: PoolChoice
}

/**
 * Combines features and ground truth: the clips of each identity (`resolveLabels`) and the clips that may be
 * retrieved (`poolsOf`).
 * @throws GROUND_TRUTH_INVALID if a list does not belong to these clips, or if no clip is left to search for
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
  // The tracks of a person are chosen with the pack's own embedder, so that the labels do not depend on further
  // embedders.
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

/** The same clips and labels with the given columns, in this order. */
export function withColumns(set: EvaluationSet, columns: FeatureSet['columns']): EvaluationSet {
  const own = set.features.columns
  if (columns.length === own.length && columns.every((column, at) => column === own[at])) return set
  const features = { ...set.features, columns }
  return { ...set, features, dimension: inputDimension(columns), pooled: poolTracks(features, 'quality') }
}

/** The tracks of the given clips. */
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
 * The clip centre of the paper: the mean of the main faces of each clip, with equal weights. The main face is the
 * largest of each frame, for any person. [clips, d]; zeros for a clip without a face.
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
