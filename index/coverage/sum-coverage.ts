import { dirname } from 'node:path'
import type { Archive } from '../archive/open-archive.js'
import { sumClips } from '../store/coverage-rows.js'
import { isUrl } from '../store/whole-path.js'
import { presentPath } from '../store/present-path.js'
import { coverageStates, type CoverageState } from './clip-coverage.js'
import { isUnseen, readUnseen, type ClipCoverage } from './read-coverage.js'

/** How much of a set of clips was examined. */
export interface CoverageSum {
  /** Number of clips, including files that could not be read or were not opened yet. Forgotten clips do not count. */
  readonly clips: number
  /** Number of clips that were not fully examined. */
  readonly incomplete: number
  /** Number of incomplete clips for which the missing length is not known. */
  readonly unknownLength: number
  /** Length of all video of known length, in hours. */
  readonly hours: number
  readonly lookedAtHours: number
  readonly notLookedAtHours: number
  /** Number of clips in each state. A clip may have several states. */
  readonly states: Readonly<Partial<Record<CoverageState, number>>>
}

export function sumCoverage(clips: readonly ClipCoverage[]): CoverageSum {
  const own = clips.filter(({ states }) => !states.includes('forgotten'))
  const incomplete = own.filter(isUnseen)
  const totalS = own.reduce((sum, { durationS = 0 }) => sum + durationS, 0)
  const unseenS = incomplete.reduce((sum, { notLookedAtS = 0 }) => sum + notLookedAtS, 0)
  const states = coverageStates
    .map((state) => [state, clips.filter((clip) => clip.states.includes(state)).length] as const)
    .filter(([, count]) => count > 0)
  return {
    clips: own.length,
    incomplete: incomplete.length,
    unknownLength: incomplete.filter(({ notLookedAtS }) => notLookedAtS === undefined).length,
    ...hoursOf(totalS, unseenS),
    states: Object.fromEntries(states),
  }
}

const hoursOf = (totalS: number, unseenS: number) => ({
  hours: totalS / 3600,
  lookedAtHours: Math.max(0, totalS - unseenS) / 3600,
  notLookedAtHours: unseenS / 3600,
})

/**
 * The coverage of an archive, as reported with every answer. Reads only the incomplete clips, so that a large archive
 * stays fast. Does not count clips without a face, forgotten clips or missing ones.
 */
export function summariseCoverage(archive: Pick<Archive, 'database' | 'recipe' | 'visible'>): CoverageSum {
  const { clips, files } = readUnseen(archive)
  const sum = sumCoverage([...clips, ...files])
  const known = sumClips(archive.database, archive.visible?.clipIds)
  return {
    ...sum,
    clips: known.clips + files.length,
    ...hoursOf(known.durationS, sum.notLookedAtHours * 3600),
    states: { complete: known.clips - clips.length, ...sum.states },
  }
}

/** Adds the state `missing` to clips of which no file exists at its path. */
export function markMissing(clips: readonly ClipCoverage[]): ClipCoverage[] {
  return clips.map((clip) =>
    presentPath(clip.paths)?.isMissing === true ? { ...clip, states: [...clip.states, 'missing'] } : clip,
  )
}

/** Groups clips by folder, in order of the folders. A clip in several folders counts in the first. */
export function byFolder(clips: readonly ClipCoverage[]): ReadonlyMap<string, readonly ClipCoverage[]> {
  const folders = new Map<string, ClipCoverage[]>()
  for (const clip of clips) {
    const folder = folderOf(clip.paths[0] ?? '')
    const others = folders.get(folder)
    if (others === undefined) folders.set(folder, [clip])
    else others.push(clip)
  }
  return new Map([...folders].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const folderOf = (path: string) => (isUrl(path) ? new URL('.', path).href : dirname(path))

/** The clips below a folder, each with only its paths below that folder. */
export function within(clips: readonly ClipCoverage[], folder: string): ClipCoverage[] {
  const start = folder.endsWith('/') ? folder : `${folder}/`
  return clips
    .map((clip) => ({
      ...clip,
      paths: clip.paths.filter((path) => path === folder || path.startsWith(start)),
    }))
    .filter(({ paths }) => paths.length > 0)
}
