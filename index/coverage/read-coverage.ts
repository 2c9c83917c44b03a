import { segmentLengthS } from '../../pipeline/recipe/recipe.js'
import { isVisible } from '../archive/in-scope.js'
import type { Archive } from '../archive/open-archive.js'
import {
  readCoverageRows,
  readPathRows,
  segmentRowsReader,
  type CoverageRow,
  type WantedRuns,
} from '../store/coverage-rows.js'
import { forgottenClipIds } from '../store/forgotten-clips.js'
import type { ArchiveRecipe } from '../store/meta.js'
import type { Database } from '../store/sqlite.js'
import {
  lengthOfRanges,
  unseenRanges,
  type CoverageState,
  type SegmentFacts,
  type UnseenRange,
} from './clip-coverage.js'

/** What was examined of one clip, or of a file with unknown content. */
export interface ClipCoverage {
  /** Undefined for a file that was not read. */
  readonly clipId: string | undefined
  readonly paths: readonly string[]
  readonly states: readonly CoverageState[]
  /** In seconds. Undefined if it is not known, for example because the file was never opened. */
  readonly durationS: number | undefined
  /** In seconds. 0 for a clip of unknown length. */
  readonly lookedAtS: number
  /** In seconds. Undefined if it is not known. */
  readonly notLookedAtS: number | undefined
  readonly unseen: readonly UnseenRange[]
  /** Sentences about content of the clip that is never examined. */
  readonly leftOut: readonly string[]
  /** The last error of the file. */
  readonly code: string | undefined
  readonly message: string | undefined
}

type Source = Pick<Archive, 'database' | 'recipe' | 'visible'>

/** Every clip of an archive, and every file that an ingest found but could not process, in order of their paths. */
export function readCoverage(source: Source): ClipCoverage[] {
  const paths = readPaths(source, 'all')
  const clips = [...readRuns(source, 'all'), ...readWithoutRun(source.database, paths.withoutClip)]
  return clips
    .map((clip) => (clip.clipId === undefined ? clip : { ...clip, ...paths.byClip.get(clip.clipId) }))
    .sort((a, b) => ((a.paths[0] ?? '') < (b.paths[0] ?? '') ? -1 : 1))
}

export interface Unseen {
  /** Clips that were opened. Their paths are not read. */
  readonly clips: readonly ClipCoverage[]
  /** Files that an ingest found but could not read or did not start. */
  readonly files: readonly ClipCoverage[]
}

/** Everything that was not fully examined. Usually only a few clips. */
export function readUnseen(source: Source): Unseen {
  const { withoutClip } = readPaths(source, 'withoutClip')
  return {
    clips: readRuns(source, 'unseen').filter(isUnseen),
    files: readWithoutRun(source.database, withoutClip).filter(isUnseen),
  }
}

/** The coverage of one clip. Undefined if the archive does not have the clip. Its paths are not read. */
export function coverageOfClip(source: Source, clipId: string): ClipCoverage | undefined {
  return readRuns(source, { clipId })[0]
}

/** True for a clip that was not fully examined. A forgotten clip does not count: it is not part of the archive. */
export const isUnseen = ({ states }: Pick<ClipCoverage, 'states'>) =>
  !states.includes('complete') && !states.includes('forgotten')

function readRuns(source: Source, wanted: WantedRuns): ClipCoverage[] {
  const { database, recipe } = source
  const rows = readCoverageRows(database, recipe?.digest ?? '', wanted).filter(({ clipId }) =>
    isVisible(source, clipId),
  )
  const readSegments = segmentRowsReader(database)
  const clips = new Map<string, ClipCoverage>()
  for (const row of rows) {
    const clip = coverageOfRun(row, recipe, readSegments)
    const other = clips.get(row.clipId)
    // While a clip is processed again, the results of the earlier run are searched too.
    if (other === undefined || (clip.notLookedAtS ?? Infinity) < (other.notLookedAtS ?? Infinity))
      clips.set(row.clipId, clip)
  }
  return [...clips.values()]
}

function coverageOfRun(
  row: CoverageRow,
  recipe: ArchiveRecipe | undefined,
  readSegments: (clipId: string, recipe: string) => SegmentFacts[],
): ClipCoverage {
  const { durationS, leftOut } = row
  const unseen = unseenOfRun(row, recipe, readSegments)
  const against = new Set<CoverageState>(unseen.map(({ state }) => state))
  if (row.truncated) against.add('truncated')
  if (leftOut.length > 0) against.add('left-out')
  const states: CoverageState[] = against.size === 0 ? ['complete'] : [...against]
  const notLookedAtS = lengthOfRanges(unseen)
  return {
    clipId: row.clipId,
    paths: [],
    states: [...states, ...statesOfFaces(row)],
    durationS,
    lookedAtS: notLookedAtS === undefined ? 0 : Math.max(0, (durationS ?? 0) - notLookedAtS),
    notLookedAtS,
    ...{ unseen, leftOut, code: undefined, message: undefined },
  }
}

function statesOfFaces({ hasTracks, hasErased, state }: CoverageRow): CoverageState[] {
  if (hasErased) return ['unnamed-erased']
  return hasTracks || state === 'working' ? [] : ['face-less']
}

const otherModels =
  'it was processed with models that the archive no longer uses, so it is not searched: ingest it again'

function unseenOfRun(
  row: CoverageRow,
  recipe: ArchiveRecipe | undefined,
  readSegments: (clipId: string, recipe: string) => SegmentFacts[],
): UnseenRange[] {
  const { clipId, durationS, segments, state, truncated } = row
  if (row.recipe !== undefined && !row.isSearched)
    return [{ startS: 0, endS: durationS, state: 'unfinished', message: otherModels }]
  if (state === 'done' && !truncated && !row.hasGaps) return []
  const settings = recipe !== undefined && row.recipe === recipe.digest ? recipe.settings : undefined
  return unseenRanges({
    ...{ durationS, segments, state, truncated },
    segmentLengthS: settings === undefined ? undefined : segmentLengthS(settings),
    framesPerS: settings?.sampling.kind === 'fps' ? settings.sampling.fps : undefined,
    stored: row.recipe === undefined ? [] : readSegments(clipId, row.recipe),
  })
}

type FileFacts = Pick<ClipCoverage, 'clipId' | 'paths' | 'code' | 'message'>

function readPaths({ database, visible }: Source, wanted: 'all' | 'withoutClip') {
  const byClip = new Map<string, FileFacts>()
  const withoutClip = new Map<string, FileFacts>()
  for (const { path, clipId, code, message, isWithoutClip } of readPathRows(database, wanted)) {
    if (visible?.paths.has(path) === false) continue
    const files = clipId === undefined || isWithoutClip ? withoutClip : byClip
    const key = clipId ?? path
    const before = files.get(key)
    files.set(key, {
      clipId,
      paths: [...(before?.paths ?? []), path],
      code: before?.code ?? code,
      message: before?.message ?? message,
    })
  }
  return { byClip, withoutClip: [...withoutClip.values()] }
}

/** Files without data in the archive: they failed, were forgotten, or an ingest did not start them. */
function readWithoutRun(database: Database, files: readonly FileFacts[]): ClipCoverage[] {
  const forgotten = new Set(forgottenClipIds(database))
  return files.map(({ clipId, paths, code, message }) => {
    const nothing = { clipId, paths, durationS: undefined, lookedAtS: 0, unseen: [], leftOut: [] }
    if (clipId !== undefined && forgotten.has(clipId))
      return { ...nothing, states: ['forgotten'], notLookedAtS: 0, code: undefined, message: undefined }
    const state = code === undefined ? 'unfinished' : 'failed'
    return { ...nothing, states: [state], notLookedAtS: undefined, code, message }
  })
}
