import { randomBytes } from 'node:crypto'
import { appendFileSync, copyFileSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { clipPath, makeClips } from '../../demo/demo-clips.js'
import { demoPhotosDir, fetchPhotos } from '../../demo/demo-photos.js'
import { demoClips } from '../../demo/demo-table.js'

const clips = demoClips.slice(0, 2)

/** Clips of people, again and again with another content, for ingests beside a load. */
export class ClipSource {
  readonly #dir: string
  #rounds = 0

  private constructor(dir: string) {
    this.#dir = dir
  }

  /** @param dir an existing folder */
  static async make(dir: string): Promise<ClipSource> {
    await fetchPhotos(demoPhotosDir())
    const made = join(dir, 'made')
    mkdirSync(made)
    await makeClips(clips, demoPhotosDir(), made)
    return new ClipSource(realpathSync(dir))
  }

  /** A folder with clips that no archive has. */
  next(): string {
    const folder = join(this.#dir, `round-${this.#rounds++}`)
    mkdirSync(folder)
    for (const clip of clips) {
      const path = clipPath(folder, clip)
      copyFileSync(clipPath(join(this.#dir, 'made'), clip), path)
      appendFileSync(path, freeBox())
    }
    return folder
  }
}

/** A box of an MP4 file that players skip. */
function freeBox(): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.writeUInt32BE(bytes.length, 0)
  bytes.write('free', 4, 'latin1')
  randomBytes(16).copy(bytes, 8)
  return bytes
}

export interface IngestedBeside {
  readonly clips: number
  readonly failed: number
}

/** Ingests clips through the server, one folder after another, until the signal is aborted. */
export async function ingestBeside(
  { url, key }: { readonly url: string; readonly key: string },
  source: ClipSource,
  signal: AbortSignal,
): Promise<IngestedBeside> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, { ...init, headers })
    return (await response.json()) as {
      readonly jobId: string
      readonly state: string
      readonly result?: { readonly results?: { readonly done?: number } }
    }
  }
  let done = 0
  let expected = 0
  while (!signal.aborted) {
    const folder = source.next()
    const body = JSON.stringify({ kind: 'ingest', paths: [folder] })
    let job = await ask('/jobs', { method: 'POST', body })
    while (job.state === 'running') {
      await pause(200)
      job = await ask(`/jobs/${job.jobId}`)
    }
    expected += clips.length
    done += job.result?.results?.done ?? 0
    rmSync(folder, { recursive: true })
  }
  return { clips: done, failed: expected - done }
}
