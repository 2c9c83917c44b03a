import { CameoError } from '../../../pipeline/common/errors.js'
import { counted, pluralOf } from '../../../pipeline/common/counted.js'
import { poolTracks } from '../../../pipeline/training/face-columns.js'
import { noteDamage, type DamagedThing } from '../../archive/damaged-things.js'
import { openArchive } from '../../archive/open-archive.js'
import { summariseCoverage, type CoverageSum } from '../../coverage/sum-coverage.js'
import { PeopleRows } from '../../store/people-rows.js'
import { readArchiveFeatures, type ArchiveFeatures } from '../datasets/archive-features.js'
import { indexClipNames, resolveGroundTruth } from '../datasets/clip-names.js'
import { readGroundTruth } from '../datasets/ground-truth.js'
import { personTracks, tracksOfClips } from '../datasets/person-tracks.js'
import type { PoolChoice } from '../datasets/pools.js'
import { groupAgreement, type GroupAgreement, type GroupedItem } from '../metrics/group-agreement.js'

export interface GroupsRequest {
  /** Folder of the archive, whose tracks were grouped. */
  readonly archive: string
  readonly groundTruth: string
  /** `all`: tracks that the list does not name show strangers; `listed`: they are left out. */
  readonly pool: PoolChoice
}

/** How well an archive's people agree with ground truth. */
export interface GroupsResult extends GroupAgreement {
  /** Measured tracks that are in no group. */
  readonly alone: number
  readonly coverage: CoverageSum
  readonly damaged: readonly DamagedThing[]
  readonly warnings: readonly string[]
}

/**
 * Compares the people into whom an archive's tracks were grouped with ground truth. Of each clip that the list names for a person, the
 * track that shows the person is measured.
 * @throws ARCHIVE_MISSING, GROUND_TRUTH_INVALID; EVALUATION_INVALID if no clip of the list is in the archive
 */
export function evaluateGroups(
  { archive: dir, groundTruth: file, pool }: GroupsRequest,
  notify: (notice: string) => void,
): GroupsResult {
  const archive = openArchive(dir, { onNotice: notify })
  try {
    const features = readArchiveFeatures(archive)
    const { people, warnings } = peopleOfTracks(features, file)
    const memberships = new PeopleRows(archive.database).memberships()
    if (memberships.size === 0) warnings.push('no track is in a group: group the people of the archive first')
    const items = features.trackIds.flatMap((trackId, track): GroupedItem[] => {
      const person = people.get(track)
      return person === undefined && pool === 'listed' ? [] : [{ person, group: memberships.get(trackId) }]
    })
    return {
      ...groupAgreement(items),
      alone: items.filter(({ person, group }) => person !== undefined && group === undefined).length,
      coverage: summariseCoverage(archive),
      damaged: noteDamage(archive, features.damage, notify),
      warnings,
    }
  } finally {
    archive.close()
  }
}

/** Whom the tracks of the listed clips show. */
function peopleOfTracks(
  features: ArchiveFeatures,
  file: string,
): { readonly people: ReadonlyMap<number, string>; readonly warnings: string[] } {
  const names = indexClipNames(features.paths)
  const { groundTruth, warnings } = readGroundTruth(file, names)
  const { clips, unknown, named } = resolveGroundTruth(groundTruth, names)
  if (unknown.length === named)
    throw new CameoError(
      'EVALUATION_INVALID',
      `none of the ${counted(named, 'clip')} that ${file} names is in the archive: it names ${unknown[0] ?? ''}; there are ${names.examples.join(', ')}`,
    )
  const firstTrack = tracksOfClips(features)
  const pooled = poolTracks(features, 'quality')
  const people = new Map<number, string>()
  let shared = 0
  for (const [person, own] of clips)
    for (const track of personTracks(features, firstTrack, pooled, own)) {
      if (people.has(track)) shared++
      else people.set(track, person)
    }
  return {
    people,
    warnings: [
      ...warnings,
      ...(unknown.length === 0
        ? []
        : [`${counted(unknown.length, 'clip')} that ${file} names ${pluralOf(unknown.length, 'is', 'are')} not in the archive (${unknown[0] ?? ''})`]), // prettier-ignore
      ...(shared === 0
        ? []
        : [`${counted(shared, 'track')} ${pluralOf(shared, 'is', 'are')} the best one for two people of ${file}, and counted for one`]), // prettier-ignore
    ],
  }
}
