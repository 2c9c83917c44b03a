import { poolFaces, poolTracks } from '../../pipeline/head/face-columns.js'
import { inputDimension } from '../../pipeline/head/pooled-input.js'
import { CameoError } from '../../pipeline/errors.js'
import { commonSeries, indexClipNames, resolveGroundTruth } from './clip-names.js'
import type { FeatureSet } from './feature-set.js'
import type { GroundTruth } from './map.js'
import { personTracks, tracksOfClips } from './person-tracks.js'
import type { Pool } from './rank.js'

/** Features with the labels of one half of the data: which clips are whose, and which clips may be retrieved. */
export interface LabelledHalf {
  /** Of each identity of the ground truth: clips in the features. */
  readonly clips: ReadonlyMap<string, readonly number[]>
  readonly namesOf: ReadonlyMap<number, readonly string[]>
  readonly groundTruth: GroundTruth
}

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
  /** Clips of strangers for training. */
  readonly noiseClips: readonly number[]
  /** Names in the ground truth that no clip has. */
  readonly unknown: readonly string[]
  readonly warnings: readonly string[]
}

export interface EvaluationInput {
  readonly features: FeatureSet
  /** Paths of each clip, or its one name. */
  readonly paths: readonly (readonly string[])[]
  readonly gallery: GroundTruth
  readonly val?: GroundTruth
  readonly test?: GroundTruth
  /** Names of clips of strangers; where absent, those of val's series that no line names. */
  readonly noise?: readonly string[]
}

/**
 * Brings features and ground truth together. Clips of val's series of names (`CLIP_VAL_` of `CLIP_VAL_0000001.mp4`) that no
 * line names are strangers: in order of their names, every other one trains noise, the others stay in val's pool. What
 * may be retrieved in a half are its own clips and the strangers of its series; where names have no series, all clips but
 * those of the other halves.
 * @throws GROUND_TRUTH_INVALID where the gallery has no clip of the features
 */
export function createEvaluationSet(input: EvaluationInput): EvaluationSet {
  const { features, gallery } = input
  const names = indexClipNames(input.paths)
  const firstTrack = tracksOfClips(features)
  // A person's tracks are told by the pack's own embedder, so that the labels do not depend on what else was ingested.
  const own = { ...features, columns: features.columns.slice(0, 1) }
  const ownPooled = poolTracks(own, 'quality')
  const resolve = (groundTruth: GroundTruth) => resolveGroundTruth(groundTruth, names)
  const galleryHalf = resolve(gallery)
  const identities = [...gallery.keys()]
  const galleryClips = identities.map((identity) => galleryHalf.clips.get(identity) ?? [])
  if (galleryHalf.unknown.length > 0 && galleryClips.every((clips) => clips.length === 0))
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `none of the ${galleryHalf.unknown.length} clips that the gallery names is there: is it of this archive?`,
    )
  const halfOf = (groundTruth: GroundTruth | undefined) =>
    groundTruth === undefined ? undefined : { groundTruth, ...resolve(groundTruth) }
  const [val, test] = [halfOf(input.val), halfOf(input.test)]
  const clipsOf = (half: { readonly clips: ReadonlyMap<string, readonly number[]> } | undefined) =>
    new Set([...(half?.clips.values() ?? [])].flat())
  const [ofGallery, ofVal, ofTest] = [clipsOf(galleryHalf), clipsOf(val), clipsOf(test)]
  const named = new Set([...ofGallery, ...ofVal, ...ofTest])
  const seriesOf = (groundTruth: GroundTruth | undefined) =>
    groundTruth === undefined
      ? undefined
      : commonSeries([...groundTruth.values()].flatMap((clips) => [...clips]))
  const galleryAndVal = new Set([seriesOf(gallery), seriesOf(input.val), seriesOf(input.test)])
  const strangersOf = (groundTruth: GroundTruth | undefined): number[] | undefined => {
    const series = seriesOf(groundTruth)
    // A series that two halves share does not tell them apart.
    const halves = [gallery, input.val, input.test].filter((half) => half !== undefined)
    if (series === undefined || galleryAndVal.size < halves.length) return undefined
    return names.inSeries(series).filter((clip) => !named.has(clip))
  }
  const byName = (a: number, b: number) =>
    (features.clipNames[a] ?? '') < (features.clipNames[b] ?? '') ? -1 : 1
  const valStrangers = (strangersOf(input.val) ?? []).sort(byName)
  const givenNoise = input.noise?.flatMap((name) => names.find(name))
  const noiseClips = givenNoise ?? valStrangers.filter((_, at) => at % 2 === 0)
  const isNoise = new Set(noiseClips)
  const everyClip = [...features.clipNames.keys()]
  const poolOf = (groundTruth: GroundTruth | undefined, own: ReadonlySet<number>) => {
    const strangers = strangersOf(groundTruth) ?? everyClip.filter((clip) => !named.has(clip))
    return new Set([...own, ...strangers.filter((clip) => !isNoise.has(clip))])
  }
  const unknown = [galleryHalf, val, test].flatMap((half) => half?.unknown ?? [])
  const missing = [...(input.test ?? input.val ?? new Map<string, never>()).keys()].filter(
    (id) => !gallery.has(id),
  )
  return {
    features,
    dimension: inputDimension(features.columns),
    firstTrack,
    pooled: features.columns.length === 1 ? ownPooled : poolTracks(features, 'quality'),
    identities,
    galleryClips,
    galleryTracks: galleryClips.map((clips) => personTracks(own, firstTrack, ownPooled, clips)),
    val,
    test,
    valPool: poolOf(input.val, ofVal),
    testPool: poolOf(input.test, ofTest),
    noiseClips,
    unknown,
    warnings: [
      ...(unknown.length > 0
        ? [
            `${unknown.length} clips of the ground truth are not there (${unknown.slice(0, 5).join(', ')}${unknown.length > 5 ? ', …' : ''}); they count as never found`,
          ]
        : []),
      ...(missing.length > 0
        ? [
            `${missing.length} identities of the ground truth are not in the gallery (${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', …' : ''}); each scores 0`,
          ]
        : []),
    ],
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
