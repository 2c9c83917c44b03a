import { dirname } from 'node:path'
import type { Archive } from '../archive/open-archive.js'
import { sumClips } from '../store/coverage-rows.js'
import { isUrl } from '../store/whole-path.js'
import { presentPath } from '../store/present-path.js'
import { coverageStates, type CoverageState } from './clip-coverage.js'
import { isUnseen, readUnseen, type ClipCoverage } from './read-coverage.js'

/** How much of some clips was looked at. */
export interface CoverageSum {
  /** Contents, and files that could not be read or were not opened yet. Without those that were forgotten. */
  readonly clips: number
  /** Those of which something was not looked at. */
  readonly incomplete: number
  /** Those of them of which is not known how much. */
  readonly unknownLength: number
  /** Video of known length, h. */
  readonly hours: number
  readonly lookedAtHours: number
  readonly notLookedAtHours: number
  /** How many clips are in each state; a clip may be in several. */
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
 * How much of an archive was looked at, for every answer that is given from it: read from what is not whole, so that a large
 * archive costs no more than its faults. Which clips are without a face, were forgotten or are missing is not counted.
 */
export function summariseCoverage(archive: Pick<Archive, 'database' | 'recipe'>): CoverageSum {
  const { clips, files } = readUnseen(archive)
  const sum = sumCoverage([...clips, ...files])
  const known = sumClips(archive.database)
  return {
    ...sum,
    clips: known.clips + files.length,
    ...hoursOf(known.durationS, sum.notLookedAtHours * 3600),
    states: { complete: known.clips - clips.length, ...sum.states },
  }
}

/** Adds `missing` to the clips no file of which is where it was. */
export function markMissing(clips: readonly ClipCoverage[]): ClipCoverage[] {
  return clips.map((clip) =>
    presentPath(clip.paths)?.isMissing === true ? { ...clip, states: [...clip.states, 'missing'] } : clip,
  )
}

/** Clips by the folder in which they lie, in order; one that lies in several counts in the first. */
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

/** The clips below a folder, with those of their paths that are. */
export function within(clips: readonly ClipCoverage[], folder: string): ClipCoverage[] {
  const start = folder.endsWith('/') ? folder : `${folder}/`
  return clips
    .map((clip) => ({
      ...clip,
      paths: clip.paths.filter((path) => path === folder || path.startsWith(start)),
    }))
    .filter(({ paths }) => paths.length > 0)
}
