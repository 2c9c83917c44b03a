import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FileStamp } from '../index/store/files.js'
import { clipName } from '../pipeline/decode/clip-name.js'
import { CameoError, messageOf } from '../pipeline/errors.js'
import type { OpenedClip } from './clip-access.js'
import type { RemoteBody, RemoteFetch } from './fetch-http.js'
import { isSameContent } from './file-stamp.js'
import { decodePath } from './url-path.js'

export interface RemoteClip {
  readonly uri: string
  readonly fetch: RemoteFetch
  /** Which copy will do; undefined: none of those that are there, for the address may have another content by now. */
  readonly planned: FileStamp | undefined
}

/** A folder for fetched clips, of bounded size. A clip stays until its room is needed: its segments share one copy. */
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
export function createScratch(dir: string, maxBytes: number): Scratch {
  const own = join(dir, 'cameo-scratch')
  rmSync(own, { recursive: true, force: true })
  mkdirSync(own, { recursive: true })
  // In order of last use.
  const kept = new Set<Fetched>()
  let usedBytes = 0

  function remove(entry: Fetched): void {
    kept.delete(entry)
    usedBytes -= entry.bytes
    entry.bytes = 0
    rmSync(entry.dir, { recursive: true, force: true })
  }

  /** Takes room for more of an entry, if need be from clips that nobody uses. Throws SCRATCH_FULL. */
  function grow(entry: Fetched, bytes: number): void {
    for (const other of kept) {
      if (usedBytes + bytes <= maxBytes) break
      if (other.users === 0) remove(other)
    }
    if (usedBytes + bytes > maxBytes)
      throw new CameoError(
        'SCRATCH_FULL',
        `the scratch folder ${dir} has no room for ${clipName(entry.uri)}: clips take up to ${maxBytes} bytes there, raise --scratch-size`,
        // Room comes when the clips being processed are done; a clip larger than all of it never fits.
        { retriable: entry.bytes + bytes <= maxBytes },
      )
    usedBytes += bytes
    entry.bytes += bytes
  }

  async function download(entry: Fetched, body: RemoteBody, signal: AbortSignal) {
    mkdirSync(entry.dir)
    const path = join(entry.dir, fileNameOf(entry.uri))
    // All at once where the size is known, so that two clips do not fill the folder half each.
    if (body.sizeBytes !== undefined) grow(entry, body.sizeBytes)
    let received = 0
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        received += chunk.length
        try {
          if (received > entry.bytes) grow(entry, received - entry.bytes)
          done(null, chunk)
        } catch (error) {
          done(error instanceof Error ? error : new Error(messageOf(error)))
        }
      },
    })
    await pipeline(body.stream, count, createWriteStream(path), { signal })
    if (body.sizeBytes !== undefined && received !== body.sizeBytes)
      throw new CameoError(
        'CLIP_FETCH_FAILED',
        `${clipName(entry.uri)} arrived with ${received} of ${body.sizeBytes} bytes`,
      )
    entry.stamp = { device: 'remote', inode: entry.uri, sizeBytes: received, mtimeNs: body.version }
    return { path, stamp: entry.stamp }
  }

  function start({ uri, fetch }: RemoteClip, signal: AbortSignal): Fetched {
    const entry: Fetched = {
      ...{ uri, dir: join(own, randomUUID()), users: 0, bytes: 0, stamp: undefined },
      ready: Promise.resolve().then(async () => download(entry, await fetch(signal), signal)),
    }
    entry.ready.catch(() => remove(entry))
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
        if (!isReleased) entry.users--
        isReleased = true
      }
      try {
        const { path, stamp } = await entry.ready
        return { path, stamp, checkUnchanged: () => undefined, release }
      } catch (error) {
        release()
        if (error instanceof CameoError || signal.aborted) throw error
        throw new CameoError('CLIP_FETCH_FAILED', `${clipName(uri)} cannot be fetched: ${messageOf(error)}`, {
          cause: error,
        })
      }
    },
  }
}

/** The file keeps its name, which messages show. */
function fileNameOf(uri: string): string {
  const name = basename(decodePath(new URL(uri).pathname)).replace(/[/\0]/g, '_')
  return name === '' || name === '.' || name === '..' ? 'clip' : name.slice(-200)
}
