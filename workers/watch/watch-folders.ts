import { basename, resolve, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Archive } from '../../index/archive/open-archive.js'
import { createClipCheck } from '../../index/store/damage.js'
import { lockArchive } from '../../index/store/locks.js'
import { CameoError, errorCodes, type ErrorCode } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { withAlerts } from '../alerts/alert-desk.js'
import type { AlertWish } from '../alerts/alert-wish.js'
import {
  ingestArchive,
  type IngestCaller,
  type IngestReport,
  type IngestRequest,
  type IngestWatcher,
} from '../archive/ingest-archive.js'
import { findAt, findClips, type FoundFile } from '../ingest/find-clips.js'
import { stampOf } from '../ingest/file-stamp.js'
import type { ClipResult } from '../ingest/ingest-events.js'
import type { FoundClip } from '../ingest/ingest-jobs.js'
import { dropGoneFiles } from '../ingest/prune-missing-files.js'
import { KeptThreads } from '../threads/kept-threads.js'
import { FolderHints } from './folder-hints.js'
import { FolderPresence, knownDeviceBelow } from './folder-presence.js'
import { SettlingFiles } from './settling-files.js'

export interface WatchRequest extends Omit<IngestRequest, 'found' | 'followsIndex' | 'repair'> {
  /** Folders. */
  readonly paths: readonly string[]
  /** How long a file must not change before it is taken, ms. Default: 5000. */
  readonly stableMs?: number | undefined
  /** How often the folders are searched, ms, besides what the system tells of them. Default: 60,000. */
  readonly rescanMs?: number | undefined
  /** The people whose appearance it reports. Default: nobody. */
  readonly alerts?: AlertWish | undefined
}

export const defaultStableMs = 5000
export const defaultRescanMs = 60_000

/** Files of one round. Between two rounds other processes can write to the archive. */
const filesPerRound = 64
/** Longer than a process that waits for the archive's lock needs to notice that it is free. */
const betweenRoundsMs = 250
const longestTickMs = 1000
/** A search finds what a large folder's watch does not tell of while it begins. */
const readyWithinMs = 5000
/** How often the vector index is brought up to date. A search does it for what came later. */
const indexEveryMs = 10 * 60_000
/** Failures that may pass are tried again after a search of the folders; after so many, only if the file changes. */
const maxRetries = 5

/** Names of files that browsers and copying programs rename when they are complete. */
const unfinishedName =
  /^\..*\.\w{6}$|~$|\.(part|partial|filepart|crdownload|download|opdownload|tmp|temp|aria2|!ut|!qb)$/i

/**
 * Ingests what is in folders, then each new or changed file as soon as it has not changed for a while, until the signal
 * stops it. The archive is locked only while clips are ingested. A folder that goes away is told once; its clips stay.
 * @throws as `ingestArchive` does; USAGE if a path is a file
 */
export async function watchFolders(
  archive: Archive,
  request: WatchRequest,
  watcher: IngestWatcher,
  caller: IngestCaller,
): Promise<IngestReport> {
  const threads = new KeptThreads()
  const own = {
    ...caller,
    startThreads: caller.startThreads ?? threads.start,
    ensurePack: once(caller.ensurePack),
  }
  try {
    return await withAlerts(archive, { wish: request.alerts, signal: request.signal }, caller, (alerts) =>
      new FolderWatch(archive, request, watcher, { ...own, alerts }).run(),
    )
  } finally {
    await threads.close()
  }
}

/** Files of a pack are verified once, not with every round. */
function once(ensurePack: IngestCaller['ensurePack']): IngestCaller['ensurePack'] {
  const known = new Map<string, Promise<Pack>>()
  return (name) => {
    const pack = known.get(name) ?? ensurePack(name)
    known.set(name, pack)
    pack.catch(() => known.delete(name))
    return pack
  }
}

/** A watch of folders. One loop does everything, one after the other. */
class FolderWatch {
  readonly #archive: Archive
  readonly #request: WatchRequest
  readonly #watcher: IngestWatcher
  readonly #caller: IngestCaller
  readonly #folders: readonly FolderPresence[]
  readonly #settling: SettlingFiles
  readonly #rescanMs: number
  /** Failures of each file that may pass. */
  readonly #retries = new Map<string, number>()
  /** What cannot be read is told once. */
  readonly #toldFailures = new Set<string>()
  /** The same, until it is told. */
  readonly #unreadable: FoundFile[] = []
  #hints: FolderHints | undefined
  #searchedMs = -Infinity
  #indexedMs = -Infinity
  #mayHaveGone = false
  #isWaiting = false
  #failed = 0

  constructor(archive: Archive, request: WatchRequest, watcher: IngestWatcher, caller: IngestCaller) {
    this.#archive = archive
    this.#request = request
    this.#watcher = watcher
    this.#caller = caller
    const folders = [...new Set(request.paths.map((path) => resolve(path)))]
    this.#folders = folders.map((folder) => new FolderPresence(folder, knownDeviceBelow(archive, folder)))
    this.#settling = new SettlingFiles(request.stableMs ?? defaultStableMs)
    this.#rescanMs = request.rescanMs ?? defaultRescanMs
  }

  async run(): Promise<IngestReport> {
    const { signal, stableMs = defaultStableMs } = this.#request
    const tickMs = Math.min(longestTickMs, Math.max(20, stableMs / 4), this.#rescanMs)
    try {
      await this.#lookAtFolders()
      // Settings and models that cannot be used are told now, not with the first file.
      while (!this.#isStopped && !(await this.#ingest([]))) await this.#pause(longestTickMs)
      while (!this.#isStopped) {
        await this.#lookAtFolders()
        await this.#followHints()
        if (performance.now() - this.#searchedMs >= this.#rescanMs) await this.#searchAll()
        const files = await this.#ingestSettled()
        await this.#pause(files === filesPerRound ? betweenRoundsMs : Math.max(tickMs, betweenRoundsMs))
      }
    } finally {
      await this.#hints?.close()
    }
    return { status: signal.aborted ? 'interrupted' : 'done', failed: this.#failed }
  }

  get #isStopped(): boolean {
    return this.#request.signal.aborted
  }

  /** Says once that a folder is away or back. */
  async #lookAtFolders(): Promise<void> {
    let isChanged = this.#hints === undefined
    for (const presence of this.#folders) {
      const change = await presence.look()
      if (change === undefined) continue
      isChanged = true
      const folder = oneLine(presence.folder)
      if (change === 'away')
        this.#caller.notify(
          `${folder} is not there: its clips stay in the archive, and the watch goes on when it is back`,
        )
      else {
        this.#caller.notify(`${folder} is back`)
        this.#offerAgain(presence.folder)
      }
    }
    if (isChanged) await this.#watchAgain()
  }

  /** What failed when the folder went away may now be read. Known files cost little. */
  #offerAgain(folder: string): void {
    for (const path of [...this.#settling.given((path) => isBelow(path, folder))]) this.#settling.forget(path)
    this.#retries.clear()
    this.#toldFailures.clear()
  }

  /** Watches the folders that are there, and searches them. */
  async #watchAgain(): Promise<void> {
    await this.#hints?.close()
    this.#hints = undefined
    const folders = this.#present().map(({ folder }) => folder)
    this.#hints = new FolderHints(folders, [this.#archive.dir], (reason) =>
      this.#caller.notify(
        `the system cannot tell of every change (${reason}): the folders are searched every ${this.#rescanMs / 1000} s`,
      ),
    )
    if (folders.length > 0) await Promise.race([this.#hints.ready(), this.#pause(readyWithinMs)])
    this.#searchedMs = -Infinity
  }

  #present(): readonly FolderPresence[] {
    return this.#folders.filter(({ isAway }) => !isAway)
  }

  async #followHints(): Promise<void> {
    for (const path of this.#hints?.take() ?? []) {
      const root = this.#present().find(({ folder }) => isBelow(path, folder))
      if (root === undefined || this.#isStopped) continue
      for await (const file of findAt(path, root.folder, { excluded: [this.#archive.dir] }))
        if (file.kind === 'failed' && file.error.code === 'CLIP_GONE') this.#mayHaveGone = true
        else this.#offer(file)
    }
  }

  /** Finds everything: what no hint told of, and what is gone. */
  async #searchAll(): Promise<void> {
    this.#searchedMs = performance.now()
    for (const presence of this.#present()) {
      const { folder } = presence
      const seen = new Set<string>()
      const found: FoundFile[] = []
      for await (const file of findClips([folder], { excluded: [this.#archive.dir] })) {
        if (this.#isStopped) return
        seen.add(file.path)
        if (file.kind !== 'skipped') found.push(file)
      }
      // A folder that went away meanwhile looks as if files were deleted.
      await this.#lookAtFolders()
      if (presence.isAway) return
      for (const [k, file] of found.entries()) {
        this.#offer(file)
        if (k % filesPerRound === 0) await nextTurn()
      }
      for (const path of [...this.#settling.given((path) => isBelow(path, folder) && !seen.has(path))]) {
        this.#settling.forget(path)
        this.#mayHaveGone = true
      }
    }
    if (this.#mayHaveGone) this.#dropGone()
  }

  #offer(file: FoundFile): void {
    if (file.kind === 'clip' && !unfinishedName.test(basename(file.path))) this.#settling.offer(file)
    if (file.kind !== 'failed') return
    const key = `${file.path} ${file.error.code}`
    if (!this.#toldFailures.has(key)) this.#unreadable.push(file)
    this.#toldFailures.add(key)
  }

  /** Returns the number of files that were ready and new. */
  async #ingestSettled(): Promise<number> {
    const files = await this.#takeNew()
    const unreadable = this.#unreadable.splice(0)
    if (files.length + unreadable.length === 0) return 0
    if (await this.#ingest([...files, ...unreadable])) return files.length
    this.#settling.putBack(files)
    this.#unreadable.push(...unreadable)
    return 0
  }

  /** At the start, most files of a folder may be known: they need no round. */
  async #takeNew(): Promise<FoundClip[]> {
    const files: FoundClip[] = []
    while (files.length < filesPerRound && !this.#isStopped) {
      const taken = this.#settling.take(filesPerRound - files.length)
      if (taken.length === 0) break
      for (const file of taken) {
        const clipId = this.#doneIn(file)
        if (clipId === undefined) files.push(file)
        else this.#noteResult({ path: file.path, clipId, status: 'unchanged' }, file.sizeBytes)
      }
      await nextTurn()
    }
    return files
  }

  /** The clip of a file that the archive knows at this place, if all of it was processed and is whole. */
  #doneIn({ path }: FoundClip): string | undefined {
    const { database, files, clips, recipe } = this.#archive
    try {
      const clipId = files.knownDigest(stampOf(path))
      if (clipId === undefined || recipe === undefined || !files.pathsOf(clipId).includes(path))
        return undefined
      const isDone = clips.run({ clipId, recipe: recipe.digest })?.state === 'done'
      return isDone && createClipCheck(database)(clipId) === undefined ? clipId : undefined
    } catch (error) {
      if (error instanceof CameoError) return undefined // The ingest tells what is wrong.
      throw error
    }
  }

  /** Records of files that are gone are kept as long as another process writes to the archive. */
  #dropGone(): void {
    try {
      const lock = lockArchive(this.#archive.dir)
      try {
        for (const { folder } of this.#present()) dropGoneFiles(this.#archive, folder)
        this.#mayHaveGone = false
      } finally {
        lock.release()
      }
    } catch (error) {
      if (!isPassing(error)) throw error
    }
  }

  /** False if the archive cannot be written now: try again later. */
  async #ingest(files: readonly FoundFile[]): Promise<boolean> {
    const { signal } = this.#request
    const round = new AbortController()
    const onStop = () => round.abort()
    signal.addEventListener('abort', onStop)
    const isIndexDue = files.length > 0 && performance.now() - this.#indexedMs >= indexEveryMs
    try {
      if (this.#isStopped) round.abort()
      await ingestArchive(
        this.#archive,
        {
          ...{ ...this.#request, found: files, signal: round.signal, followsIndex: isIndexDue },
          paths: this.#present().map(({ folder }) => folder),
        },
        this.#events,
        this.#caller,
      )
      if (isIndexDue) this.#indexedMs = performance.now()
      this.#isWaiting = false
      return true
    } catch (error) {
      if (!isPassing(error)) throw error
      if (!this.#isWaiting) this.#caller.notify(`waiting: ${error.message}`, error.details)
      this.#isWaiting = true
      return false
    } finally {
      signal.removeEventListener('abort', onStop)
    }
  }

  /** The caller's watcher; results are looked at first. */
  get #events(): IngestWatcher {
    const watcher = this.#watcher
    return {
      onFound: (...told) => watcher.onFound(...told),
      onAllFound: () => watcher.onAllFound(),
      onMeasured: (...told) => watcher.onMeasured(...told),
      onResumed: (...told) => watcher.onResumed(...told),
      onFrames: (...told) => watcher.onFrames(...told),
      onSegment: (...told) => watcher.onSegment(...told),
      onGoOn: (...told) => watcher.onGoOn?.(...told),
      onStart: (settings) => watcher.onStart?.(settings),
      onResult: (result, sizeBytes) => this.#noteResult(result, sizeBytes),
    }
  }

  #noteResult(result: ClipResult, sizeBytes: number): void {
    const { path, status, code } = result
    if (status === 'failed' || status === 'partial') this.#failed++
    if (status === 'failed' && code !== undefined && mayPass(code)) this.#tryAgainLater(path)
    else this.#retries.delete(path)
    this.#watcher.onResult(result, sizeBytes)
  }

  #tryAgainLater(path: string): void {
    const retries = (this.#retries.get(path) ?? 0) + 1
    this.#retries.set(path, retries)
    if (retries <= maxRetries) this.#settling.forget(path)
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#request.signal }).catch(() => undefined)
  }
}

/** Lets signals and timers in. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

const isBelow = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/** The archive is in trouble that may pass: another process writes to it, or its disk is full. */
const isPassing = (error: unknown): error is CameoError =>
  error instanceof CameoError && (error.code === 'ARCHIVE_BUSY' || error.code === 'ARCHIVE_FULL')

const mayPass = (code: string): boolean => isCode(code) && errorCodes[code].retriable

const isCode = (code: string): code is ErrorCode => code in errorCodes
