import { CameoError } from '../../pipeline/common/errors.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'
import type { ArchiveModels } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { hiddenMatchOf, type HiddenMatch } from '../search/hidden-match.js'
import { chooseThreshold, type MatchThreshold, type ThresholdRequest } from '../search/match-threshold.js'
import { descriptorOfQuery, queryOfName } from '../search/read-query.js'
import { isSure, noVerdicts, type Verdicts } from '../identities/verdicts.js'
import { thresholdOf } from '../search/search-options.js'
import type { Damage } from '../store/damage.js'
import { createDescriptorStore } from '../store/descriptors.js'
import { listIdentities } from '../store/identities.js'
import { activeSpace } from '../store/meta.js'

/** An enrolled name, as tracks are compared with it. */
export interface EnrolledName {
  readonly name: string
  /** Faces that it rests on. */
  readonly faces: number
  /** L2-normalised. */
  readonly descriptor: Float32Array
  readonly hidden: HiddenMatch | undefined
  /** What people said about the name. */
  readonly verdicts: Verdicts
}

/** The name that a track has. */
export interface TrackName {
  readonly person: EnrolledName
  /** Cosine similarity. */
  readonly score: number
  /** A person confirmed it. */
  readonly isConfirmed: boolean
  /** The track was confirmed, or grouped into a person with the name. */
  readonly isSure: boolean
}

/**
 * Gives tracks the enrolled name that they match best, or for which they were confirmed. A track that reaches the
 * threshold of none has no name.
 */
export class TrackNamer {
  readonly names: readonly EnrolledName[]
  readonly threshold: MatchThreshold

  constructor(names: readonly EnrolledName[], threshold: MatchThreshold) {
    this.names = names
    this.threshold = threshold
  }

  /** @param descriptor of the track, L2-normalised */
  nameOf(descriptor: Float32Array, trackId: number): TrackName | undefined {
    let best: TrackName | undefined
    for (const person of this.names) {
      const { verdicts } = person
      if (verdicts.rejected.has(trackId)) continue
      const score = dotProduct(person.descriptor, descriptor)
      const isConfirmed = verdicts.confirmed.has(trackId)
      const name = { person, score, isConfirmed, isSure: isSure(verdicts, trackId) }
      if (best === undefined || isBetter(name, best)) best = name
    }
    return best !== undefined && this.#reaches(best, descriptor) ? best : undefined
  }

  #reaches({ person: { hidden }, score, isSure }: TrackName, descriptor: Float32Array): boolean {
    return isSure || score >= thresholdOf(descriptor, { minScore: this.threshold.threshold, hidden })
  }
}

/** What people said counts more than a group, and a group more than a score. */
const isBetter = (name: TrackName, best: TrackName) =>
  sureness(name) === sureness(best) ? name.score > best.score : sureness(name) > sureness(best)

const sureness = ({ isConfirmed, isSure }: TrackName) => Number(isConfirmed) + Number(isSure)

/** The names of an archive that tracks can be compared with. */
export interface ReadNames {
  readonly names: readonly EnrolledName[]
  readonly damage: readonly Damage[]
  /** Why a name cannot be compared, for example because it was enrolled with other models. */
  readonly leftOut: readonly CameoError[]
}

/** All names of an archive. */
export async function readNames(
  opened: FilledArchive,
  models: Pick<ArchiveModels, 'pack' | 'describer'>,
  wish: ThresholdRequest,
): Promise<ReadNames> {
  const describer = await models.describer()
  const names: EnrolledName[] = []
  const damage: Damage[] = []
  const leftOut: CameoError[] = []
  for (const { name, faces } of listIdentities(opened.archive.database))
    try {
      const query = queryOfName(name, opened)
      const descriptor = await descriptorOfQuery(query, describer)
      damage.push(...(query.damage ?? []))
      const hidden = hiddenMatchOf(opened.recipe, models.pack, descriptor, wish)
      names.push({ name, faces, descriptor, hidden, verdicts: query.verdicts ?? noVerdicts })
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      leftOut.push(error)
    }
  return { names, damage, leftOut }
}

/** Names with the threshold that a search by name has in the archive now. */
export function namerOf(
  { archive: { database, visible }, recipe }: FilledArchive,
  { pack }: Pick<ArchiveModels, 'pack'>,
  names: readonly EnrolledName[],
  wish: ThresholdRequest,
): TrackNamer {
  const spaceId = activeSpace(database)?.spaceId ?? 0
  const tracks = visible?.countDescribed(spaceId) ?? createDescriptorStore(database).count(spaceId)
  return new TrackNamer(names, chooseThreshold(recipe, pack, tracks, wish))
}

/**
 * All names of an archive, with the threshold that a search by name has. A name that cannot be compared is told and left
 * out.
 */
export async function readTrackNamer(
  opened: FilledArchive,
  models: Pick<ArchiveModels, 'pack' | 'describer'>,
  wish: ThresholdRequest,
  notify: (notice: string) => void,
): Promise<{ readonly namer: TrackNamer; readonly damage: readonly Damage[] }> {
  const { names, damage, leftOut } = await readNames(opened, models, wish)
  // It may be a name of another part of the archive.
  if (opened.archive.visible === undefined)
    for (const { message } of leftOut) notify(`${message}; the name is left out`)
  return { namer: namerOf(opened, models, names, wish), damage }
}
