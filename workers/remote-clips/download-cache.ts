import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createWriteStream, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FileStamp } from '../../index/store/files.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { makePrivateFolder, privateFileMode } from '../../pipeline/common/private-files.js'
import { AnswerWait, paced, TransferTooSlow, usualLimits } from '../../pipeline/common/transfer-pace.js'
import type { RemoteBody, RemoteFetch } from './fetch-http.js'
import { isSameContent, remoteDevice } from '../ingest/file-stamp.js'
import { decodePath } from './url-path.js'
import type { OpenedClip } from './opened-clip.js'

export interface RemoteClip {
  readonly uri: string
  readonly fetch: RemoteFetch
  /** Which copy will do; undefined: none of those that are there, for the address may have another content by now. */
  readonly planned: FileStamp | undefined
}

/**
 * A folder for fetched clips, of bounded size. A clip stays until its room is needed: its segments share one copy. One that
 * finds no room waits until others are released.
 */
export interface Scratch {
  open(clip: RemoteClip, signal: AbortSignal): Promise<OpenedClip>
}

interface Fetched {
  readonly uri: string
  readonly dir: string
  users: number
  bytes: number
  /** Undefined while it arrives. */
  stamp: FileStamp | undefined
  readonly ready: Promise<Pick<OpenedClip, 'path' | 'stamp'>>
}

/** The folder's earlier contents are nobody's any more and go. */
export function createScratch(dir: string, maxBytes: number, limits = usualLimits): Scratch {
  const own = join(dir, 'cameo-scratch')
  rmSync(own, { recursive: true, force: true })
  makePrivateFolder(own)
  // In order of last use.
  const kept = new Set<Fetched>()
  /** Those that wait for room: what they hold is not given back before they go on. */
  const waiting = new Set<Fetched>()
  const room = new EventEmitter().setMaxListeners(0)
  let usedBytes = 0

  function remove(entry: Fetched): void {
    kept.delete(entry)
    usedBytes -= entry.bytes
    entry.bytes = 0
    rmSync(entry.dir, { recursive: true, force: true })
  }

  /** All that wait look again. */
  function tellRoom(): void {
    waiting.clear()
    room.emit('made')
  }

  /** Takes room for more of an entry, if need be from clips that nobody uses. False where there is not enough. */
  function take(entry: Fetched, bytes: number): boolean {
    if (entry.bytes + bytes > maxBytes) return false
    for (const other of kept) {
      if (usedBytes + bytes <= maxBytes) break
      if (other.users === 0) remove(other)
    }
    if (usedBytes + bytes > maxBytes) return false
    usedBytes += bytes
    entry.bytes += bytes
    return true
  }

  /** All others that hold room wait for more of it, as two clips of unknown size that fill the folder half each. */
  const isDeadlocked = (entry: Fetched) =>
    entry.bytes > 0 && [...kept].every((other) => other === entry || other.bytes === 0 || waiting.has(other))

  /** Takes room as soon as there is enough. Throws SCRATCH_FULL where that would never be. */
  async function grow(entry: Fetched, bytes: number, signal: AbortSignal): Promise<void> {
    // A download that broke off meanwhile was removed, and needs none.
    while (kept.has(entry) && !take(entry, bytes)) {
      const isTooLarge = entry.bytes + bytes > maxBytes
      if (isTooLarge || isDeadlocked(entry))
        throw new CameoError(
          'SCRATCH_FULL',
          `the scratch folder ${dir} has no room for ${clipName(fileNameOf(entry.uri))}: clips take up to ${maxBytes} bytes there, raise --scratch-size`,
          // Out of a deadlock one gives up, and the others go on with its room.
          { retriable: !isTooLarge },
        )
      waiting.add(entry)
      try {
        await once(room, 'made', { signal })
      } finally {
        waiting.delete(entry)
      }
    }
  }

  /**
   * A body with room for all that it says of its size, so that two clips do not fill the folder half each. Where there is none yet
   * it is asked for again later: servers do not keep an idle connection for as long as other clips are processed.
   */
  async function fetchWithRoom(entry: Fetched, fetch: RemoteFetch, signal: AbortSignal): Promise<RemoteBody> {
    for (;;) {
      const answer = new AnswerWait(limits, signal)
      const body = await answer.orLate(fetch(answer.signal))
      const missing = Math.max(0, (body.sizeBytes ?? 0) - entry.bytes)
      if (take(entry, missing)) return body
      discard(body.stream)
      await grow(entry, missing, signal)
    }
  }

  async function download(entry: Fetched, fetch: RemoteFetch, signal: AbortSignal) {
    const body = await fetchWithRoom(entry, fetch, signal)
    const path = join(entry.dir, fileNameOf(entry.uri))
    let received = 0
    try {
      makePrivateFolder(entry.dir)
      await pipeline(
        body.stream,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of paced(chunks, limits, body.sizeBytes)) {
            received += chunk.length
            if (received > entry.bytes) await grow(entry, received - entry.bytes, signal)
            yield chunk
          }
        },
        createWriteStream(path, { mode: privateFileMode }),
        { signal },
      )
    } finally {
      discard(body.stream)
    }
    if (body.sizeBytes !== undefined && received !== body.sizeBytes)
      throw new CameoError(
        'CLIP_FETCH_FAILED',
        `${clipName(fileNameOf(entry.uri))} arrived with ${received} of ${body.sizeBytes} bytes`,
      )
    entry.stamp = { device: remoteDevice, inode: entry.uri, sizeBytes: received, mtimeNs: body.version }
    return { path, stamp: entry.stamp }
  }

  function start({ uri, fetch }: RemoteClip, signal: AbortSignal): Fetched {
    const entry: Fetched = {
      ...{ uri, dir: join(own, randomUUID()), users: 0, bytes: 0, stamp: undefined },
      ready: Promise.resolve().then(() => download(entry, fetch, signal)),
    }
    entry.ready.catch(() => {
      remove(entry)
      tellRoom()
    })
    return entry
  }

  function copyOf({ uri, planned }: RemoteClip): Fetched | undefined {
    if (planned === undefined) return undefined
    return [...kept].find(
      (entry) => entry.uri === uri && (entry.stamp === undefined || isSameContent(entry.stamp, planned)),
    )
  }

  return {
    async open(clip, signal) {
      const { uri } = clip
      const entry = copyOf(clip) ?? start(clip, signal)
      kept.delete(entry)
      kept.add(entry)
      entry.users++
      let isReleased = false
      const release = () => {
        if (isReleased) return
        isReleased = true
        entry.users--
        if (entry.users === 0) tellRoom()
      }
      try {
        const { path, stamp } = await entry.ready
        return { path, stamp, checkUnchanged: () => undefined, release }
      } catch (error) {
        release()
        if (error instanceof CameoError || signal.aborted) throw error
        if (error instanceof TransferTooSlow)
          throw new CameoError(
            'CLIP_FETCH_SLOW',
            `${clipName(fileNameOf(uri))} is given up for now: ${error.message}; see --fetch-rate of "cameo worker faces"`,
            { retriable: error.mayPass, cause: error },
          )
        throw new CameoError(
          'CLIP_FETCH_FAILED',
          `${clipName(fileNameOf(uri))} cannot be fetched: ${messageOf(error)}`,
          {
            cause: error,
          },
        )
      }
    },
  }
}

/** Ends a connection. That a stream which nobody reads breaks is no error of anybody's, and must not end the process. */
function discard(stream: Readable): void {
  stream.on('error', () => undefined).destroy()
}

/** The file keeps its name, which messages show. */
function fileNameOf(uri: string): string {
  const name = basename(decodePath(new URL(uri).pathname)).replace(/[/\0]/g, '_')
  return name === '' || name === '.' || name === '..' ? 'clip' : name.slice(-200)
}
