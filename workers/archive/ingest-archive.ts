import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  chooseEncoders,
  chooseSettings,
  encoderFilesOf,
  type RecipeOptions,
} from '../../index/archive/choose-recipe.js'
import { adoptRecipe, type Archive } from '../../index/archive/open-archive.js'
import { remember } from '../../index/identities/forget.js'
import { tellOtherNames } from '../../index/identities/refresh-names.js'
import { isForgotten } from '../../index/store/forgotten-clips.js'
import { lockArchive } from '../../index/store/locks.js'
import { deleteUnnamedErased } from '../../index/store/retention.js'
import { createDescriber } from '../../pipeline/describe/describe-track.js'
import {
  checkHead,
  loadDescriberHead,
  readHeadFile,
  type HeadFile,
} from '../../pipeline/describe/head/head-file.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { modelLoader } from '../../pipeline/models/model-loader.js'
import { defaultPackName, keepablePackName } from '../../pipeline/models/packs/catalog.js'
import { createRecipe, segmentLengthS, type Recipe, type Settings } from '../../pipeline/recipe/recipe.js'
import { defaultCheckpointEveryS } from '../../pipeline/segments/resume-segment.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { AlertDesk } from '../alerts/alert-desk.js'
import { findClips, type FoundFile } from '../ingest/find-clips.js'
import type { ClipResult, IngestEvents } from '../ingest/ingest-events.js'
import { IngestRun } from '../ingest/ingest-run.js'
import { dropGonePaths } from '../ingest/prune-missing-files.js'
import { createVectorFollower } from '../ingest/vector-follower.js'
import { startThreads, type PoolOptions, type ThreadPool } from '../threads/thread-pool.js'
import { eraseReturnedPeople } from './erase-returned.js'
import { prepareRepair, type Repair } from './prepare-repair.js'

export interface IngestRequest {
  /** Video files, and folders to search for them. */
  readonly paths: readonly string[]
  /**
   * Files that a search of `paths`, which are folders, has found: nothing else below them is looked at. Default: they are
   * searched.
   */
  readonly found?: readonly FoundFile[] | undefined
  /** Real folders. A link that leads out of them is refused. Default: links may lead anywhere. */
  readonly within?: readonly string[] | undefined
  /** Keep the vector index up to date meanwhile. Otherwise the next search does. Default: true. */
  readonly followsIndex?: boolean
  /** Settings that differ from the archive's own, or from the defaults. */
  readonly recipe?: RecipeOptions
  readonly device: DeviceChoice
  /** Segments processed at the same time. */
  readonly threads: number
  /** Process every clip again if the archive's settings change. Default: false. */
  readonly reprocess?: boolean
  /** Ingest erased clips again. Default: false. */
  readonly includeForgotten?: boolean
  /** How often the state of a running segment is stored, s of video. */
  readonly checkpointEveryS?: number | undefined
  /** First check every row, and process clips with damaged rows again. Default: false. */
  readonly repair?: boolean
  readonly signal: AbortSignal
}

/** How an ingest ended. */
export interface IngestReport {
  readonly status: 'done' | 'interrupted'
  /** Clips that are not ingested, or not completely. */
  readonly failed: number
}

/** Receives the result of each clip while an ingest runs. */
export interface IngestWatcher extends IngestEvents {
  /** Called before the first clip, with the settings in use. */
  onStart?(settings: Settings): void
  /** Called with the findings of a repair, before it ingests. */
  onRepair?(repair: Repair): void
}

/** What an ingest needs from its caller, who may keep the threads for the next ingest. */
export interface IngestCaller extends Caller {
  /** Default: threads for this ingest only, which end with it. */
  readonly startThreads?: (options: PoolOptions) => Promise<ThreadPool>
  /** Told of each clip that is done. */
  readonly alerts?: AlertDesk | undefined
}

/**
 * Ingests clips into an archive. Processes what is new, and continues where an earlier run stopped.
 * @throws ARCHIVE_BUSY, ARCHIVE_OTHER_RECIPE, DEVICE_UNAVAILABLE; USAGE if settings contradict each other;
 * errors of loading models
 */
export async function ingestArchive(
  archive: Archive,
  request: IngestRequest,
  watcher: IngestWatcher,
  caller: IngestCaller,
): Promise<IngestReport> {
  const lock = lockArchive(archive.dir)
  try {
    if (request.repair !== true) return await ingestPaths(archive, request.paths, request, watcher, caller)
    const repair = prepareRepair(archive, caller.notify)
    watcher.onRepair?.(repair)
    const lost = repair.lostClips.length + repair.lostThings.length
    const paths = [...request.paths, ...repair.files]
    if (paths.length === 0) return { status: 'done', failed: lost }
    const { status, failed } = await ingestPaths(archive, paths, request, watcher, caller)
    return { status, failed: failed + lost }
  } finally {
    lock.release()
  }
}

async function ingestPaths(
  archive: Archive,
  paths: readonly string[],
  request: IngestRequest,
  watcher: IngestWatcher,
  caller: IngestCaller,
): Promise<IngestReport> {
  const { notify, ensurePack, modelsDir, startThreads: start = startThreads } = caller
  const own = archive.recipe
  const asked = request.recipe ?? {}
  const packName = asked.pack ?? own?.packName ?? defaultPackName
  const headPath = asked.head ?? own?.headFile
  const head = headPath === undefined ? undefined : await readHeadFile(headPath)
  const headFile = head?.path
  const settings = chooseSettings(asked, own)
  const encoders = await chooseEncoders(asked, own)
  const pack = await ensurePack(packName)
  const setup = {
    ...{ pack, modelsDir, settings, device: request.device, headFile, encoders },
    checkpointEveryS: request.checkpointEveryS ?? defaultCheckpointEveryS,
  }
  const recipe = createRecipe(pack, settings, head?.sha256, encoders)
  if (head !== undefined) checkHead(head, recipe)
  const source = {
    packName: keepablePackName(packName),
    ...(headFile === undefined ? {} : { headFile }),
    encoderFiles: encoderFilesOf(encoders, settings),
  }
  const embedder = { digest: recipe.embedderDigest, dimension: pack.embedder.dimension }
  const dimension =
    head === undefined ? embedder.dimension : await headDimension(head, embedder, request.device)
  // Before anything is written, so that an unusable device or model leaves no settings behind. If the archive
  // already has these settings, there may be nothing new to do.
  const pool = await start({
    ...{ setup, threads: request.threads, onNotice: notify },
    loadsWhenNeeded: own?.digest === recipe.digest,
  })
  try {
    const spaceId = adoptRecipe(archive, recipe, source, dimension, request.reprocess ?? false)
    watcher.onStart?.(settings)
    const report = await ingestWith(pool, {
      archive,
      paths,
      request,
      settings,
      recipe,
      spaceId,
      watcher,
      caller,
    })
    await eraseReturnedPeople(archive, caller)
    if (own !== undefined && own.embedderDigest !== recipe.embedderDigest) tellOtherNames(archive, notify)
    return report
  } finally {
    await pool.stop()
  }
}

interface IngestSetup {
  readonly archive: Archive
  readonly paths: readonly string[]
  readonly request: IngestRequest
  readonly settings: Settings
  readonly recipe: Recipe
  readonly spaceId: number
  readonly watcher: IngestWatcher
  readonly caller: IngestCaller
}

const indexEveryMs = 2000

async function ingestWith(
  pool: ThreadPool,
  { archive, paths, request, settings, recipe, spaceId, watcher, caller }: IngestSetup,
): Promise<IngestReport> {
  const { signal, found, within } = request
  const { alerts } = caller
  let failed = 0
  // Parents first: a root takes over the roots below it, and files in work refer to their root by its id.
  const roots = paths.map((path) => (isFolder(resolve(path)) ? resolve(path) : dirname(resolve(path))))
  for (const root of roots.sort((a, b) => a.length - b.length)) archive.files.rootFor(root)
  // The index follows while clips are ingested, so that it is nearly complete at the end of a long ingest.
  const vectors = request.followsIndex === false ? undefined : createVectorFollower(archive, caller.notify)
  const following = setInterval(() => vectors?.follow(), indexEveryMs)
  try {
    const met = await new IngestRun({
      archive,
      recipe: recipe.digest,
      embedder: recipe.embedderDigest,
      spaceId,
      segmentLengthS: segmentLengthS(settings),
      threads: pool.threads,
      files: found === undefined ? findClips(paths, { excluded: [archive.dir], within }) : found,
      within,
      isForgotten(clipId) {
        if (request.includeForgotten === true) remember(archive.database, clipId)
        return isForgotten(archive.database, clipId)
      },
      onComplete(clipId) {
        alerts?.noteDue(clipId)
        if (request.includeForgotten === true) deleteUnnamedErased(archive.database, clipId)
      },
      events: counting(watcher, ({ status, clipId }) => {
        if (status === 'failed' || status === 'partial') failed++
        if (clipId !== undefined && (status === 'done' || status === 'partial')) alerts?.lookAt(clipId)
      }),
      signal,
    }).run()
    const searched = found === undefined ? paths.map((path) => resolve(path)).filter(isFolder) : []
    if (!signal.aborted) dropGonePaths(archive, searched, met)
  } finally {
    clearInterval(following)
    await vectors?.close()
  }
  await alerts?.settled()
  return { status: signal.aborted ? 'interrupted' : 'done', failed }
}

/** Passes the watcher's events on, and looks at the results first. */
const counting = (watcher: IngestWatcher, look: (result: ClipResult) => void): IngestEvents => ({
  onFound: (...told) => watcher.onFound(...told),
  onAllFound: () => watcher.onAllFound(),
  onMeasured: (...told) => watcher.onMeasured(...told),
  onResumed: (...told) => watcher.onResumed(...told),
  onFrames: (...told) => watcher.onFrames(...told),
  onSegment: (...told) => watcher.onSegment(...told),
  onGoOn: (...told) => watcher.onGoOn?.(...told),
  onResult(result, sizeBytes) {
    look(result)
    watcher.onResult(result, sizeBytes)
  },
})

/** Dimension of the head's descriptors. */
async function headDimension(
  file: HeadFile,
  embedder: { readonly digest: string; readonly dimension: number },
  device: DeviceChoice,
): Promise<number> {
  const head = await loadDescriberHead(file, embedder.dimension, modelLoader({ device }))
  try {
    return (await createDescriber(embedder, head)).dimension
  } finally {
    await head.model.dispose()
  }
}

const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory()
