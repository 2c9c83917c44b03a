import { resolve } from 'node:path'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { inScope } from '../archive/in-scope.js'
import type { Archive } from '../archive/open-archive.js'
import { isUrl } from '../store/whole-path.js'
import type { CoverageState } from './clip-coverage.js'
import { readCoverage, type ClipCoverage } from './read-coverage.js'
import { byFolder, markMissing, sumCoverage, within, type CoverageSum } from './sum-coverage.js'

/** The clips to include in a coverage report. */
export interface CoverageRequest {
  /** Only clips below this folder or URL. Default: all. */
  readonly folder?: string | undefined
  /** Besides that, only what is below one of these folders and URLs: see `ClipScope`. */
  readonly folders?: readonly string[] | undefined
  /** List the clips in these states. Default: all clips with any state except `complete`. */
  readonly states?: readonly CoverageState[] | undefined
}

/** How much of the clips in one folder was examined. */
export interface FolderCoverage extends CoverageSum {
  /** Absolute path, or URL. */
  readonly folder: string
}

/** How much of an archive was examined. */
export interface CoverageReport {
  readonly sum: CoverageSum
  /** Sorted by name. */
  readonly folders: readonly FolderCoverage[]
  /** The requested clips, in order of their paths. */
  readonly clips: readonly ClipCoverage[]
}

/** Reports how much of an archive's video was examined, per folder, and what is missing in each clip. */
export function reportCoverage(
  archive: Archive,
  { folder, folders, states }: CoverageRequest,
  { notify }: Pick<Caller, 'notify'>,
): CoverageReport {
  const all = markMissing(readCoverage(inScope(archive, folders)))
  const below = folder === undefined ? undefined : isUrl(folder) ? folder : resolve(folder)
  const clips = below === undefined ? all : within(all, below)
  if (below !== undefined && clips.length === 0) notify(`the archive has no clip below ${oneLine(below)}`)
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
