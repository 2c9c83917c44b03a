/** `watch` of the library, with real files and models: what is taken, when, and what becomes of a folder that goes away. */
import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs' // prettier-ignore
import { basename, join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openCameo, type Alert, type Cameo, type ClipResult, type WatchOptions } from '../../workers/cameo.js'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { until } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const spare = join(dir, 'spare')
const archive = join(dir, 'archive')
const made = (name: string) => join(spare, name)
const stableS = 0.6

/** A running watch, and what it told. */
class Watch {
  readonly results: ClipResult[] = []
  readonly alerts: Alert[] = []
  readonly #stop = new AbortController()
  readonly #done

  constructor(cameo: Cameo, folders: string | readonly string[], options: WatchOptions = {}) {
    this.#done = cameo.watch(folders, {
      ...{ stableS, rescanS: 30, signal: this.#stop.signal },
      onEvent: (event) => {
        if (event.kind === 'result') this.results.push(event.result)
      },
      ...options,
    })
    this.#done.catch(() => undefined)
  }

  /** Status of each file, without its folder, in the order of the results. */
  get told(): string[] {
    return this.results.map(({ path, status }) => `${basename(path)} ${status}`)
  }

  async has(...told: readonly string[]): Promise<void> {
    await Promise.race([
      until(`the watch tells ${told.join(', ')}`, () => told.every((each) => this.told.includes(each))),
      this.#done.then(() => assert.fail('the watch has ended')),
    ])
  }

  end() {
    this.#stop.abort()
    return this.#done
  }
}

describe('a watch of folders', { timeout: 10 * 60_000 }, () => {
  let cameo: Cameo
  let watch: Watch | undefined
  const notices: string[] = []
  let folders = 0
  /** A new folder with these files. */
  const folderOf = (...names: readonly string[]) => {
    const folder = join(dir, `films ${++folders}`)
    mkdirSync(folder)
    for (const name of names) copyFileSync(made(name), join(folder, name))
    return folder
  }
  const start = (folder: string | readonly string[], options?: WatchOptions) =>
    (watch = new Watch(cameo, folder, options))

  before(async () => {
    mkdirSync(spare)
    await makeFaceClip(made('costumes.mp4'), 'costumes right')
    await makeFaceClip(made('bar.mp4'), 'bar middle')
    await makeFaceClip(made('party.mp4'), 'party first')
    for (const variant of [1, 2, 3, 4])
      await makeFaceClip(made(`stairs ${variant}.mp4`), 'stairs front', { variant })
    await makeFacePhoto(made('ada.jpg'), 'costumes right')
    writeFileSync(made('notes.txt'), 'no clip')
    cameo = await openCameo({ archive, device: 'cpu', threads: 1, notify: (notice) => notices.push(notice) })
  })
  afterEach(async () => {
    const report = await watch?.end()
    assert.equal(report?.status, 'interrupted')
    notices.length = 0
  })
  after(() => cameo.close())

  it('takes what is there, then new files, also in new folders, and skips what is no clip', async () => {
    const folder = folderOf('costumes.mp4', 'notes.txt')
    start(folder)
    await watch!.has('costumes.mp4 done')
    mkdirSync(join(folder, 'new', 'deep'), { recursive: true })
    copyFileSync(made('bar.mp4'), join(folder, 'new', 'deep', 'bar.mp4'))
    copyFileSync(made('notes.txt'), join(folder, 'more.txt'))
    await watch!.has('bar.mp4 done')
    assert.deepEqual(watch!.told, ['costumes.mp4 done', 'bar.mp4 done'])
  })

  it('never takes a file that grows, and takes it whole when it is complete', async () => {
    const folder = folderOf()
    const bytes = readFileSync(made('party.mp4'))
    const growing = join(folder, 'growing.mp4')
    start(folder)
    const chunks = 8
    for (let k = 0; k < chunks; k++) {
      const size = Math.ceil(bytes.length / chunks)
      appendFileSync(growing, bytes.subarray(k * size, (k + 1) * size))
      await pause(stableS * 500)
      assert.deepEqual(watch!.told, [], `after chunk ${k}`)
    }
    await watch!.has('growing.mp4 done')
    assert.equal(watch!.results[0]?.clipId, await sha256OfFile(made('party.mp4')))
    assert.equal(watch!.results.length, 1)
  })

  it('leaves an unfinished copy by its name, and takes it when it is renamed', async () => {
    const folder = folderOf()
    start(folder)
    copyFileSync(made('stairs 1.mp4'), join(folder, 'stairs.mp4.part'))
    copyFileSync(made('stairs 1.mp4'), join(folder, '.stairs.mp4.Xy12Zq'))
    await pause(stableS * 4000)
    assert.deepEqual(watch!.told, [])
    renameSync(join(folder, 'stairs.mp4.part'), join(folder, 'stairs.mp4'))
    rmSync(join(folder, '.stairs.mp4.Xy12Zq'))
    await watch!.has('stairs.mp4 done')
  })

  it('recognises a moved file, and takes a changed one again', async () => {
    const folder = folderOf('stairs 2.mp4')
    start(folder)
    await watch!.has('stairs 2.mp4 done')
    renameSync(join(folder, 'stairs 2.mp4'), join(folder, 'moved.mp4'))
    await watch!.has('moved.mp4 unchanged')
    const { paths } = await cameo.showClip({ clip: join(folder, 'moved.mp4') })
    assert.deepEqual(paths, [join(folder, 'moved.mp4')])
    copyFileSync(made('stairs 3.mp4'), join(folder, 'moved.mp4'))
    await watch!.has('moved.mp4 done')
  })

  it('says once that a folder is away, keeps its clips, and goes on when it is back', async () => {
    const folder = folderOf('costumes.mp4', 'bar.mp4')
    const before = (await cameo.status()).clips
    start(folder, { rescanS: 0.5 })
    await watch!.has('costumes.mp4 unchanged', 'bar.mp4 unchanged')
    renameSync(folder, `${folder} away`)
    await until('it is told', () => notices.some((notice) => notice.startsWith(`${folder} is not there`)))
    copyFileSync(made('stairs 4.mp4'), join(`${folder} away`, 'stairs 4.mp4'))
    await pause(2000)
    assert.equal(notices.filter((notice) => notice.includes('is not there')).length, 1)
    assert.equal((await cameo.status()).clips, before)
    assert.equal(
      (await cameo.showClip({ clip: join(folder, 'bar.mp4') })).paths.includes(join(folder, 'bar.mp4')),
      true,
    )
    renameSync(`${folder} away`, folder)
    await watch!.has('stairs 4.mp4 done')
    assert.ok(notices.includes(`${folder} is back`))
    assert.equal((await cameo.status()).clips, before + 1)
  })

  it('waits for a folder that is not there at the start', async () => {
    const folder = join(dir, 'later')
    start(folder)
    await until('it is told', () => notices.some((notice) => notice.startsWith(`${folder} is not there`)))
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'later.mp4'), 'window third')
    await watch!.has('later.mp4 done')
  })

  it('lets others search, enrol and forget meanwhile, and tells of a name that is enrolled while it runs', async () => {
    const folder = folderOf()
    const alerts: Alert[] = []
    start(folder, { alerts: { names: ['Ada'], onAlert: (alert) => alerts.push(alert) } })
    await until('it is told', () => notices.some((notice) => /nobody is enrolled as "Ada" yet/.test(notice)))
    const other = await openCameo({ archive, device: 'cpu' })
    await other.enroll('Ada', made('ada.jpg'))
    await makeFaceClip(join(folder, 'ada.mp4'), 'costumes right', {
      variant: 9,
      seconds: 3,
      then: ['party first'],
    })
    await watch!.has('ada.mp4 done')
    await until('there is an alert', () => alerts.length > 0)
    const [{ name, path, score, ranges } = assert.fail()] = alerts
    assert.deepEqual([name, path, alerts.length], ['Ada', join(folder, 'ada.mp4'), 1])
    const { matches } = await other.search({ name: 'Ada' })
    const found = matches.find((match) => match.path === path)
    assert.equal(found?.score, score)
    assert.deepEqual(ranges, found.ranges.map(({ startS, endS }) => ({ startS, endS }))) // prettier-ignore
    assert.ok((ranges[0]?.endS ?? 9) <= 1.6)
    assert.equal((await other.forget({ clip: path })).pending, undefined)
    await other.close()
  })

  it('retries a file that cannot be read for a while, and tells each failure', async () => {
    const folder = folderOf()
    start(folder, { rescanS: 0.5 })
    writeFileSync(join(folder, 'late.mp4'), '')
    await watch!.has('late.mp4 failed')
    copyFileSync(made('stairs 1.mp4'), join(folder, 'late.mp4'))
    await watch!.has('late.mp4 unchanged')
  })
})
