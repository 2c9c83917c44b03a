import { existsSync } from 'node:fs'
import type { Archive } from '../../index/archive/open-archive.js'
import { checkDeeply, repairStructure } from '../../index/archive/deep-check.js'
import { damagedClips } from '../../index/store/damage.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { note, oneLine, printJson } from '../../scripts/cli/output.js'
import { damagedThings, describeDamaged } from '../../index/archive/damaged-things.js'

export interface Repair {
  /** Files of damaged clips, and files of which it is damaged what they hold. */
  readonly files: readonly string[]
  /** Damaged things that no file helps. */
  readonly lost: number
}

/**
 * Finds what is damaged and mends what needs no clip; says what cannot be mended. The damaged clips are noted: an ingest of their
 * files processes them anew.
 * @throws ARCHIVE_DAMAGED where the file itself cannot be mended
 */
export function prepareRepair(archive: Archive, json: boolean): Repair {
  const { damage, structure } = checkDeeply(archive.database)
  const files = new Set(archive.files.damagedPaths().filter((path) => existsSync(path)))
  const clipIds = damagedClips(archive.database).map(({ clipId }) => clipId)
  let lost = 0
  for (const clipId of clipIds) {
    const paths = archive.files.pathsOf(clipId)
    const there = paths.find((path) => existsSync(path))
    if (there !== undefined) files.add(there)
    else {
      lost++
      tellLost(clipId, paths[0], json)
    }
  }
  for (const thing of damagedThings(archive, damage)) {
    if (thing.clipId !== undefined) continue
    note(`cannot be repaired by ingesting: ${describeDamaged(thing)} [ARCHIVE_DAMAGED]`)
    lost++
  }
  if (structure.length > 0) {
    const [left] = repairStructure(archive.database)
    if (left !== undefined)
      throw new CameoError(
        'ARCHIVE_DAMAGED',
        `the file of the archive ${archive.dir} cannot be repaired (${left}): restore it from a backup, or ingest into a new archive`,
      )
    note('the indexes of the archive were damaged: they are built anew')
  }
  return { files: [...files], lost }
}

function tellLost(clipId: string, path: string | undefined, json: boolean): void {
  const message = `the clip ${clipId.slice(0, 12)} is damaged and its file is not there: bring it back and run this again`
  if (json) printJson({ path: path ?? '', clipId, status: 'failed', code: 'CLIP_GONE', message })
  note(`${oneLine(path ?? 'a clip')}: ${message} [CLIP_GONE]`)
}
