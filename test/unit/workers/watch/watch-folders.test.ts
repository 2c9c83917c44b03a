/** A watch with threads that follow a script: many files, and troubles of the archive. */
import assert from 'node:assert/strict'
import { appendFileSync, linkSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { lockForErasure } from '../../../../index/store/locks.js'
import { ensurePack } from '../../../../pipeline/stages/caller.js'
import { defaultModelsDir } from '../../../../pipeline/models/packs/models-dir.js'
import type { ClipResult } from '../../../../workers/ingest/ingest-events.js'
import { watchFolders, type WatchRequest } from '../../../../workers/watch/watch-folders.js'
import { temporaryDir } from '../../../support/cameo.js'
import { until } from '../../../support/queue.js'
import { ScriptedThread } from '../ingest/scripted-thread.js'

/** A watch of a new folder. */
class Scene {
  readonly folder: string
  readonly archive
  readonly notices: string[] = []
  readonly counts = new Map<string, number>()
  lastResult: ClipResult | undefined
  readonly #stop = new AbortController()
  #done: Promise<unknown> = Promise.resolve()

  constructor() {
    const dir = realpathSync(temporaryDir())
    this.folder = join(dir, 'films')
    mkdirSync(this.folder)
    this.archive = openArchive(join(dir, 'archive'), { create: true })
  }

  start(options: Partial<WatchRequest> = {}): this {
    const ignore = () => undefined
    const request: WatchRequest = {
      ...{ paths: [this.folder], device: { kind: 'cpu' }, threads: 1, signal: this.#stop.signal },
      ...{ stableMs: 40, rescanMs: 60_000, ...options },
    }
    const events = { onFound: ignore, onAllFound: ignore, onMeasured: ignore, onResumed: ignore, onFrames: ignore, onSegment: ignore } // prettier-ignore
    this.#done = watchFolders(
      this.archive,
      request,
      {
        ...events,
        onResult: (result) => {
          this.lastResult = result
          this.counts.set(result.status, this.count(result.status) + 1)
        },
      },
      {
        notify: (notice) => this.notices.push(notice),
        progress: ignore,
        ensurePack: (name) => ensurePack(name),
        modelsDir: defaultModelsDir(),
        startThreads: () =>
          Promise.resolve({
            threads: [new ScriptedThread()],
            provider: 'cpu',
            stop: () => Promise.resolve(),
          }),
      },
    )
    this.#done.catch(ignore)
    return this
  }

  count(status: string): number {
    return this.counts.get(status) ?? 0
  }

  add(name: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, name)
    return path
  }

  async has(status: string, count: number): Promise<void> {
    await Promise.race([
      until(`${count} files are ${status}`, () => this.count(status) >= count),
      this.#done.then(() => assert.fail('the watch has ended')),
    ])
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await this.#done
    this.archive.close()
  }
}

/** Memory that is in use after a collection, bytes. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

describe('a watch', { timeout: 5 * 60_000 }, () => {
  it('keeps little of each of many files', async () => {
    const scene = new Scene().start()
    const addMany = async (from: number, to: number) => {
      for (let k = from; k < to; k++) scene.add(`${k}.mp4`)
      await scene.has('done', to)
      return usedBytes()
    }
    await addMany(0, 150)
    const before = await addMany(150, 300)
    const after = await addMany(300, 900)
    const perFile = (after - before) / 600
    assert.ok(perFile < 3000, `${perFile} bytes per file`)
    await scene.end()
  })

  it('takes known files without a round, and tells them as unchanged', async () => {
    const scene = new Scene()
    for (let k = 0; k < 200; k++) scene.add(`${k}.mp4`)
    scene.start()
    await scene.has('done', 200)
    const { dir } = scene.archive
    await scene.end()
    const again = new Scene()
    const other = Object.assign(again, { folder: scene.folder, archive: openArchive(dir) }).start()
    await other.has('unchanged', 200)
    other.add('new.mp4')
    await other.has('done', 1)
    assert.equal(basename(other.lastResult?.path ?? ''), 'new.mp4')
    await other.end()
  })

  it('waits while another process writes to the archive, and says so once', async () => {
    const scene = new Scene().start()
    scene.add('first.mp4')
    await scene.has('done', 1)
    // The result is told a moment before the round gives its lock back.
    const lock = await lockForErasure(scene.archive.dir)
    assert.ok(lock !== undefined)
    scene.add('second.mp4')
    await until('it is told', () => scene.notices.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.equal(scene.notices.length, 1)
    assert.match(scene.notices[0] ?? '', /^waiting: another process is writing to the archive/)
    assert.equal(scene.count('done'), 1)
    lock.release()
    await scene.has('done', 2)
    await scene.end()
  })

  it('finds by its searches what the system does not tell of', async () => {
    const scene = new Scene().start({ rescanMs: 500 })
    const inside = scene.add('film.mp4')
    const outside = join(scene.folder, '..', 'link.mp4')
    linkSync(inside, outside)
    await scene.has('done', 1)
    // The watched folder gets no event when the file is written by another name.
    appendFileSync(outside, 'more')
    await scene.has('done', 2)
    await scene.end()
  })
})
