import { existsSync } from 'node:fs'
import { damagedThings, type DamagedThing } from '../../index/archive/damaged-things.js'
import { checkDeeply, repairStructure } from '../../index/archive/deep-check.js'
import type { Archive } from '../../index/archive/open-archive.js'
import { damagedClips } from '../../index/store/damage.js'
import { deleteDamagedPeople } from '../../index/store/people-anchors.js'
import { CameoError } from '../../pipeline/common/errors.js'

/** A damaged clip with a missing file. */
export interface LostClip {
  readonly clipId: string
  /** Path of its file, if known. */
  readonly path: string | undefined
}

export interface Repair {
  /**
   * Files of damaged clips, and files with a damaged record of their content: an ingest processes them again.
   */
  readonly files: readonly string[]
  readonly lostClips: readonly LostClip[]
  /** Damaged rows that no ingest can restore. */
  readonly lostThings: readonly DamagedThing[]
}

/**
 * Finds the damage in an archive, repairs what needs no clip, and marks the damaged clips.
 * @throws ARCHIVE_DAMAGED if the file itself cannot be repaired
 */
export function prepareRepair(archive: Archive, notify: (notice: string) => void): Repair {
  const { damage, structure } = checkDeeply(archive.database)
  const files = new Set(archive.files.damagedPaths().filter((path) => existsSync(path)))
  const lostClips: LostClip[] = []
  for (const { clipId } of damagedClips(archive.database)) {
    const paths = archive.files.pathsOf(clipId)
    const there = paths.find((path) => existsSync(path))
    if (there === undefined) lostClips.push({ clipId, path: paths[0] })
    else files.add(there)
  }
  if (deleteDamagedPeople(archive.database) > 0)
    notify(
      'some of what is known about people without names was damaged and is deleted: group the tracks again',
    )
  if (structure.length > 0) mendStructure(archive, notify)
  const lostThings = damagedThings(archive, damage).filter(({ clipId }) => clipId === undefined)
  return { files: [...files], lostClips, lostThings }
}

function mendStructure(archive: Archive, notify: (notice: string) => void): void {
  const [left] = repairStructure(archive.database)
  if (left !== undefined)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `the file of the archive ${archive.dir} cannot be repaired (${left}): restore it from a backup, or ingest into a new archive`,
    )
  notify('the indexes of the archive were damaged: they are rebuilt')
}
