import { z } from 'zod'
import { segmentLengthS } from '../../pipeline/recipe/recipe.js'
import type { Archive } from '../archive/open-archive.js'
import { isWhole } from '../store/checksum.js'
import type { Database } from '../store/sqlite.js'
import { wholePath } from '../store/files.js'
import type { ArchiveRecipe } from '../store/meta.js'
import {
  lengthOfRanges,
  unseenRanges,
  type CoverageState,
  type RunFacts,
  type SegmentFacts,
  type UnseenRange,
} from './clip-coverage.js'

/** What was looked at of one content, or of a file whose content is not known yet. */
export interface ClipCoverage {
  /** Undefined of a file that was not read. */
  readonly clipId: string | undefined
  readonly paths: readonly string[]
  readonly states: readonly CoverageState[]
  /** s; undefined where it is not known, as of a file that was never opened. */
  readonly durationS: number | undefined
  /** s; of the clips whose length is not known 0. */
  readonly lookedAtS: number
  /** s; undefined where it is not known. */
  readonly notLookedAtS: number | undefined
  readonly unseen: readonly UnseenRange[]
  /** Sentences: what of the clip is not looked at besides. */
  readonly leftOut: readonly string[]
  /** What was said against the file last. */
  readonly code: string | undefined
  readonly message: string | undefined
}

type Source = Pick<Archive, 'database' | 'recipe'>

/** Which clips are asked for. `unseen`: those of which something was not looked at; without their paths. */
type Wanted = 'all' | 'unseen' | { readonly clipId: string }

/** Every clip of an archive, and every file that an ingest met and could not take in, in order of their paths. */
export function readCoverage(source: Source): ClipCoverage[] {
  const paths = readPaths(source.database, 'all')
  const clips = [...readRuns(source, 'all'), ...readWithoutRun(source.database, paths.withoutClip)]
  return clips
    .map((clip) => (clip.clipId === undefined ? clip : { ...clip, ...paths.byClip.get(clip.clipId) }))
    .sort((a, b) => ((a.paths[0] ?? '') < (b.paths[0] ?? '') ? -1 : 1))
}

export interface Unseen {
  /** Of those that were opened. Their paths are not read. */
  readonly clips: readonly ClipCoverage[]
  /** That an ingest met and could not read, or did not come to. */
  readonly files: readonly ClipCoverage[]
}

/** All of which something was not looked at: a few of many, as a rule. */
export function readUnseen(source: Source): Unseen {
  const { withoutClip } = readPaths(source.database, 'withoutClip')
  return {
    clips: readRuns(source, 'unseen').filter(isUnseen),
    files: readWithoutRun(source.database, withoutClip).filter(isUnseen),
  }
}

/** Of one clip; undefined where the archive does not hold it. Its paths are not read. */
export function coverageOfClip(source: Source, clipId: string): ClipCoverage | undefined {
  return readRuns(source, { clipId })[0]
}

/** True of a clip of which something was not looked at; one that was forgotten is none of the archive's. */
export const isUnseen = ({ states }: Pick<ClipCoverage, 'states'>) =>
  !states.includes('complete') && !states.includes('forgotten')

interface RunRow {
  readonly clipId: string
  readonly durationS: number | null
  readonly leftOut: string | null
  readonly recipe: string | null
  readonly segments: number
  readonly state: RunFacts['state']
  readonly truncated: number
  readonly hasGaps: number
  readonly hasTracks: number
  /** Its tracks are among those that a search looks at. */
  readonly isSearched: number
}

const isSearchedSql = `r.recipe = @recipe
  OR NOT EXISTS (SELECT 1 FROM tracks t WHERE t.clip_id = r.clip_id AND t.recipe = r.recipe)
  OR EXISTS (SELECT 1 FROM tracks t JOIN descriptors USING (track_id) JOIN spaces USING (space_id)
    WHERE t.clip_id = r.clip_id AND t.recipe = r.recipe AND active = 1)`

const wantedSql = (wanted: Wanted) =>
  wanted === 'all'
    ? 'TRUE'
    : wanted === 'unseen'
      ? `(r.state IS NOT 'done' OR r.recipe <> @recipe OR r.truncated OR c.left_out IS NOT NULL OR EXISTS
          (SELECT 1 FROM segments s WHERE s.clip_id = r.clip_id AND s.recipe = r.recipe AND s.gaps IS NOT NULL))`
      : 'c.clip_id = @clipId'

function readRuns({ database, recipe }: Source, wanted: Wanted): ClipCoverage[] {
  const rows = database
    .prepare<{ recipe: string; clipId: string }, RunRow>(
      `SELECT c.clip_id AS clipId, c.duration_s AS durationS, c.left_out AS leftOut, r.recipe AS recipe,
         coalesce(r.segments, 1) AS segments, coalesce(r.state, 'working') AS state, coalesce(r.truncated, 0) AS truncated,
         EXISTS (SELECT 1 FROM segments s WHERE s.clip_id = r.clip_id AND s.recipe = r.recipe
           AND s.gaps IS NOT NULL) AS hasGaps,
         EXISTS (SELECT 1 FROM tracks t WHERE t.clip_id = c.clip_id) AS hasTracks,
         (${isSearchedSql}) AS isSearched
       FROM clips c LEFT JOIN runs r USING (clip_id)
       WHERE ${wantedSql(wanted)} AND ${isWhole('clips', 'c')} AND (r.clip_id IS NULL OR ${isWhole('runs', 'r')})
       ORDER BY c.clip_id, r.recipe`,
    )
    .all({ recipe: recipe?.digest ?? '', clipId: typeof wanted === 'string' ? '' : wanted.clipId })
  const readSegments = segmentsReader(database)
  const clips = new Map<string, ClipCoverage>()
  for (const row of rows) {
    const clip = coverageOfRun(row, recipe, readSegments)
    const other = clips.get(row.clipId)
    // While a clip is processed anew, what the earlier run found is searched, too.
    if (other === undefined || (clip.notLookedAtS ?? Infinity) < (other.notLookedAtS ?? Infinity))
      clips.set(row.clipId, clip)
  }
  return [...clips.values()]
}

const sentencesSchema = z.array(z.string())

function coverageOfRun(
  row: RunRow,
  recipe: ArchiveRecipe | undefined,
  readSegments: (clipId: string, recipe: string) => SegmentFacts[],
): ClipCoverage {
  const durationS = row.durationS ?? undefined
  const unseen = unseenOfRun(row, recipe, readSegments)
  const leftOut = row.leftOut === null ? [] : sentencesSchema.parse(JSON.parse(row.leftOut))
  const against = new Set<CoverageState>(unseen.map(({ state }) => state))
  if (row.truncated !== 0) against.add('truncated')
  if (leftOut.length > 0) against.add('left-out')
  const states: CoverageState[] = against.size === 0 ? ['complete'] : [...against]
  const notLookedAtS = lengthOfRanges(unseen)
  return {
    clipId: row.clipId,
    paths: [],
    states: row.hasTracks === 0 && row.state !== 'working' ? [...states, 'face-less'] : states,
    durationS,
    lookedAtS: notLookedAtS === undefined ? 0 : Math.max(0, (durationS ?? 0) - notLookedAtS),
    notLookedAtS,
    ...{ unseen, leftOut, code: undefined, message: undefined },
  }
}

const otherModels =
  'it was looked at with other models than the archive has now, which are not searched: ingest it again'

function unseenOfRun(
  row: RunRow,
  recipe: ArchiveRecipe | undefined,
  readSegments: (clipId: string, recipe: string) => SegmentFacts[],
): UnseenRange[] {
  const { clipId, segments, state } = row
  const durationS = row.durationS ?? undefined
  if (row.recipe !== null && row.isSearched === 0)
    return [{ startS: 0, endS: durationS, state: 'unfinished', message: otherModels }]
  const truncated = row.truncated !== 0
  if (state === 'done' && !truncated && row.hasGaps === 0) return []
  const settings = recipe !== undefined && row.recipe === recipe.digest ? recipe.settings : undefined
  return unseenRanges({
    ...{ durationS, segments, state, truncated },
    segmentLengthS: settings === undefined ? undefined : segmentLengthS(settings),
    framesPerS: settings?.sampling.kind === 'fps' ? settings.sampling.fps : undefined,
    stored: row.recipe === null ? [] : readSegments(clipId, row.recipe),
  })
}

interface SegmentRow {
  readonly segment: number
  readonly startS: number
  readonly endS: number | null
  readonly state: SegmentFacts['state']
  readonly frames: number
  readonly truncated: number
  readonly code: string | null
  readonly message: string | null
  readonly gaps: string | null
  readonly lastFaceS: number | null
}

const rangesSchema = z.array(z.tuple([z.number(), z.number()]))

function segmentsReader(database: Database) {
  const select = database.prepare<[string, string], SegmentRow>(
    `SELECT segment, start_s AS startS, end_s AS endS, state, frames, truncated, code, message, gaps,
       CASE WHEN truncated THEN (SELECT max(json_extract(span.value, '$[1]')) FROM tracks t, json_each(t.spans) span
         WHERE t.clip_id = s.clip_id AND t.recipe = s.recipe AND t.segment = s.segment AND ${isWhole('tracks', 't')}) END AS lastFaceS
     FROM segments s WHERE clip_id = ? AND recipe = ? AND ${isWhole('segments', 's')} ORDER BY segment`,
  )
  return (clipId: string, recipe: string) =>
    select.all(clipId, recipe).map((row): SegmentFacts => ({
      ...{ index: row.segment, startS: row.startS, endS: row.endS ?? undefined, state: row.state },
      ...{ frames: row.frames, truncated: row.truncated !== 0, lastFaceS: row.lastFaceS ?? undefined },
      ...{ code: row.code ?? undefined, message: row.message ?? undefined },
      gapsS: row.gaps === null ? [] : rangesSchema.parse(JSON.parse(row.gaps)),
    }))
}

interface PathRow {
  readonly root: string
  readonly relativePath: string
  readonly clipId: string | null
  readonly code: string | null
  readonly message: string | null
  /** No run of its content is there. */
  readonly isWithoutClip: number
}

type FileFacts = Pick<ClipCoverage, 'clipId' | 'paths' | 'code' | 'message'>

function readPaths(database: Database, wanted: 'all' | 'withoutClip') {
  const isWithoutClip = 'NOT EXISTS (SELECT 1 FROM clips WHERE clips.clip_id = paths.clip_id)'
  const rows = database
    .prepare<[], PathRow>(
      `SELECT roots.path AS root, relative_path AS relativePath, clip_id AS clipId, code, message,
         ${isWithoutClip} AS isWithoutClip
       FROM paths JOIN roots USING (root_id)
       WHERE ${isWhole('paths')} ${wanted === 'all' ? '' : `AND ${isWithoutClip}`}
       ORDER BY root_id, relative_path`,
    )
    .all()
  const byClip = new Map<string, FileFacts>()
  const withoutClip = new Map<string, FileFacts>()
  for (const { root, relativePath, clipId, code, message, ...row } of rows) {
    const path = wholePath(root, relativePath)
    const files = clipId === null || row.isWithoutClip !== 0 ? withoutClip : byClip
    const key = clipId ?? path
    const before = files.get(key)
    files.set(key, {
      clipId: clipId ?? undefined,
      paths: [...(before?.paths ?? []), path],
      code: before?.code ?? code ?? undefined,
      message: before?.message ?? message ?? undefined,
    })
  }
  return { byClip, withoutClip: [...withoutClip.values()] }
}

/** Files of which the archive holds nothing: they failed, were forgotten, or an ingest did not come to them. */
function readWithoutRun(database: Database, files: readonly FileFacts[]): ClipCoverage[] {
  const forgotten = new Set(database.prepare<[], string>('SELECT clip_id FROM forgotten_clips').pluck().all())
  return files.map(({ clipId, paths, code, message }) => {
    const nothing = { clipId, paths, durationS: undefined, lookedAtS: 0, unseen: [], leftOut: [] }
    if (clipId !== undefined && forgotten.has(clipId))
      return { ...nothing, states: ['forgotten'], notLookedAtS: 0, code: undefined, message: undefined }
    const state = code === undefined ? 'unfinished' : 'failed'
    return { ...nothing, states: [state], notLookedAtS: undefined, code, message }
  })
}
