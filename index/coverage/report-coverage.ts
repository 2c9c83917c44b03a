import { resolve } from 'node:path'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { Archive } from '../archive/open-archive.js'
import { isUrl } from '../store/whole-path.js'
import type { CoverageState } from './clip-coverage.js'
import { readCoverage, type ClipCoverage } from './read-coverage.js'
import { byFolder, markMissing, sumCoverage, within, type CoverageSum } from './sum-coverage.js'

/** Which clips a report of coverage is about. */
export interface CoverageRequest {
  /** Only clips below this folder or URL. Default: all. */
  readonly folder?: string | undefined
  /** List the clips in these states. Default: all that are in any state but `complete`. */
  readonly states?: readonly CoverageState[] | undefined
}

/** How much of the clips of one folder was looked at. */
export interface FolderCoverage extends CoverageSum {
  /** Absolute path, or URL. */
  readonly folder: string
}

/** How much of an archive was looked at. */
export interface CoverageReport {
  readonly sum: CoverageSum
  /** In order of their names. */
  readonly folders: readonly FolderCoverage[]
  /** Those that were asked for, in order of their paths. */
  readonly clips: readonly ClipCoverage[]
}

/** How much of an archive's video was looked at, by folder, and what is missing of each clip. */
export function reportCoverage(
  archive: Archive,
  { folder, states }: CoverageRequest,
  { notify }: Pick<Caller, 'notify'>,
): CoverageReport {
  const all = markMissing(readCoverage(archive))
  const below = folder === undefined ? undefined : isUrl(folder) ? folder : resolve(folder)
  const clips = below === undefined ? all : within(all, below)
  if (below !== undefined && clips.length === 0)
    notify(`the archive knows of no clip below ${oneLine(below)}`)
  const isListed = (own: readonly CoverageState[]) =>
    states === undefined
      ? own.some((state) => state !== 'complete')
      : states.some((state) => own.includes(state))
  return {
    sum: sumCoverage(clips),
    folders: [...byFolder(clips)].map(([name, own]) => ({ folder: name, ...sumCoverage(own) })),
    clips: clips.filter((clip) => isListed(clip.states)),
  }
}
