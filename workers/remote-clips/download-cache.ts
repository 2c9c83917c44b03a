import { randomUUID } from 'node:crypto'
import { createWriteStream, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FileStamp } from '../../index/store/file-facts.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { makePrivateFolder, privateFileMode } from '../../pipeline/common/private-files.js'
import { AnswerWait, paced, TransferTooSlow, usualLimits } from '../../pipeline/common/transfer-pace.js'
import { isSameContent, remoteDevice } from '../ingest/file-stamp.js'
import { BoundedFolder, type HeldCopy } from './bounded-folder.js'
import type { RemoteBody, RemoteFetch } from './fetch-http.js'
import type { OpenedClip } from './opened-clip.js'
import { decodePath } from './url-path.js'

export interface RemoteClip {
  readonly uri: string
  readonly fetch: RemoteFetch
  /**
   * The copy to use. Undefined: none of the present copies, because the address may have new content by now.
   */
  readonly planned: FileStamp | undefined
}

interface FetchedFile {
  readonly path: string
  readonly stamp: FileStamp
}

interface Download extends HeldCopy {
  readonly uri: string
  /** Undefined while the file arrives. */
  stamp: FileStamp | undefined
  readonly ready: Promise<FetchedFile>
}

/**
 * A folder of limited size for fetched clips. A clip stays until its room is needed, so that its segments
 * share one copy. A clip that finds no room waits until others are released.
 */
export class DownloadCache {
  readonly #dir: string
  readonly #limits: typeof usualLimits
  readonly #folder: BoundedFolder<Download>

  /** Deletes what earlier processes left in the folder. */
  constructor(dir: string, maxBytes: number, limits = usualLimits) {
    this.#dir = join(dir, 'cameo-scratch')
    this.#limits = limits
    this.#folder = new BoundedFolder(dir, maxBytes)
    rmSync(this.#dir, { recursive: true, force: true })
    makePrivateFolder(this.#dir)
  }

  /** @throws CLIP_FETCH_FAILED, CLIP_FETCH_SLOW, SCRATCH_FULL, and errors of the clip's `fetch` */
  async open(clip: RemoteClip, signal: AbortSignal): Promise<OpenedClip> {
    const download = this.#copyOf(clip) ?? this.#start(clip, signal)
    this.#folder.use(download)
    let isReleased = false
    const release = () => {
      if (!isReleased) this.#folder.release(download)
      isReleased = true
    }
    try {
      const { path, stamp } = await download.ready
      return { path, stamp, checkUnchanged: () => undefined, release }
    } catch (error) {
      release()
      throw signal.aborted ? error : fetchError(download, error)
    }
  }

  #copyOf({ uri, planned }: RemoteClip): Download | undefined {
    if (planned === undefined) return undefined
    return this.#folder.find(
      (copy) => copy.uri === uri && (copy.stamp === undefined || isSameContent(copy.stamp, planned)),
    )
  }

  #start({ uri, fetch }: RemoteClip, signal: AbortSignal): Download {
    const download: Download = {
      ...{ uri, fileName: fileNameOf(uri), dir: join(this.#dir, randomUUID()) },
      ...{ users: 0, bytes: 0, stamp: undefined },
      ready: Promise.resolve().then(() => this.#fetch(download, fetch, signal)),
    }
    download.ready.catch(() => this.#folder.drop(download))
    return download
  }

  async #fetch(download: Download, fetch: RemoteFetch, signal: AbortSignal): Promise<FetchedFile> {
    const body = await this.#bodyWithRoom(download, fetch, signal)
    const path = join(download.dir, download.fileName)
    const received = await this.#write(download, body, path, signal)
    if (body.sizeBytes !== undefined && received !== body.sizeBytes)
      throw new CameoError(
        'CLIP_FETCH_FAILED',
        `${clipName(download.fileName)} arrived with ${received} of ${body.sizeBytes} bytes`,
      )
    download.stamp = {
      device: remoteDevice,
      inode: download.uri,
      sizeBytes: received,
      mtimeNs: body.version,
    }
    return { path, stamp: download.stamp }
  }

  /**
   * A body with room for its stated size, so that two clips do not fill half of the folder each. If there is
   * no room yet, closes the connection and fetches again later: servers do not keep an idle connection until
   * other clips are processed.
   */
  async #bodyWithRoom(download: Download, fetch: RemoteFetch, signal: AbortSignal): Promise<RemoteBody> {
    for (;;) {
      const answer = new AnswerWait(this.#limits, signal)
      const body = await answer.orLate(fetch(answer.signal))
      const missing = Math.max(0, (body.sizeBytes ?? 0) - download.bytes)
      if (this.#folder.take(download, missing)) return body
      discard(body.stream)
      await this.#folder.grow(download, missing, signal)
    }
  }

  /** Returns how many bytes arrived. */
  async #write(download: Download, body: RemoteBody, path: string, signal: AbortSignal): Promise<number> {
    const [folder, limits] = [this.#folder, this.#limits]
    let received = 0
    try {
      makePrivateFolder(download.dir)
      await pipeline(
        body.stream,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of paced(chunks, limits, body.sizeBytes)) {
            received += chunk.length
            if (received > download.bytes) await folder.grow(download, received - download.bytes, signal)
            yield chunk
          }
        },
        createWriteStream(path, { mode: privateFileMode }),
        { signal },
      )
    } finally {
      discard(body.stream)
    }
    return received
  }
}

function fetchError({ fileName }: Download, error: unknown): CameoError {
  if (error instanceof CameoError) return error
  if (error instanceof TransferTooSlow)
    return new CameoError('CLIP_FETCH_SLOW', `${clipName(fileName)} is stopped for now: ${error.message}`, {
      retriable: error.mayPass,
      cause: error,
      details: { remedy: 'lower-fetch-rate' },
    })
  return new CameoError('CLIP_FETCH_FAILED', `${clipName(fileName)} cannot be fetched: ${messageOf(error)}`, {
    cause: error,
  })
}

/** Ends a connection. The stream has no reader, so its errors are ignored: they must not end the process. */
function discard(stream: Readable): void {
  stream.on('error', () => undefined).destroy()
}

/** The copy keeps the file's name, because messages show it. */
function fileNameOf(uri: string): string {
  const name = basename(decodePath(new URL(uri).pathname)).replace(/[/\0]/g, '_')
  return name === '' || name === '.' || name === '..' ? 'clip' : name.slice(-200)
}
