import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { startReceiver } from '../support/alert-receiver.js'
import { testBroker, type TestBroker } from '../support/broker.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { writeLabelledFeatures } from '../support/labelled-features.js'
import { observe, tracing, type Observation } from '../support/observe.js'
import { createQueue, until } from '../support/queue.js'

const scriptOf = (name: string) => fileURLToPath(new URL(`../../scripts/${name}.js`, import.meta.url))
const cameoScript = scriptOf('cameo')

const dir = realpathSync(temporaryDir())
const clips = join(dir, 'clips')
const archive = join(dir, 'archive')
const photo = join(dir, 'photo.jpg')
const models = { CAMEO_MODELS: defaultModelsDir() }

const run = (...args: readonly string[]): Promise<Observation> =>
  observe([cameoScript, ...args], models, dir).done

/**
 * Checks that nothing is left in HOME or TMPDIR, nothing was written except below `allowed`, and only
 * `addresses` were contacted.
 */
function assertKept(seen: Observation, allowed: readonly string[], addresses: readonly string[] = []): void {
  assert.deepEqual(seen.left, [])
  assert.equal(seen.written === undefined, !tracing)
  const isAllowed = (path: string) =>
    [...allowed, defaultModelsDir()].some((place) => path === place || path.startsWith(`${place}/`))
  const outside = (seen.written ?? []).map((path) => resolve(dir, path)).filter((path) => !isAllowed(path))
  assert.deepEqual(outside, [])
  assert.deepEqual(
    (seen.addresses ?? []).filter((address) => !addresses.includes(address)),
    [],
  )
}

describe('what commands write, and where they connect', { timeout: 15 * 60_000 }, () => {
  before(async () => {
    mkdirSync(clips)
    await makeFaceClip(join(clips, 'a.mp4'), 'costumes right')
    await makeFacePhoto(photo, 'costumes right')
  })

  it('these tests notice files left in HOME and TMPDIR, temporary files, and connections', async () => {
    const server = createServer((_, response) => response.end())
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const program = `
      const { writeFileSync, rmSync } = require('fs'), { join } = require('path'), os = require('os')
      writeFileSync(join(os.homedir(), 'kept'), '')
      writeFileSync(join(os.tmpdir(), 'gone'), '')
      rmSync(join(os.tmpdir(), 'gone'))
      fetch('http://127.0.0.1:${port}/').then(() => process.exit(process.env.CI === undefined ? 7 : 8))`
    const seen = await observe(['-e', program]).done
    server.close()
    assert.equal(seen.code, 7, seen.stderr)
    assert.deepEqual(seen.left, ['home/kept'])
    if (!tracing) return
    assert.deepEqual(seen.written?.map((path) => path.split('/').at(-1)).sort(), ['gone', 'kept'])
    assert.deepEqual(seen.addresses, [`127.0.0.1:${port}`])
  })

  it('demo: only its own output folder, and no connection', async () => {
    const seen = await observe([scriptOf('demo/demo')], models, dir).done
    assert.equal(seen.code, 0, seen.stderr)
    assertKept(seen, [join(dir, 'demo-output')])
  })

  it('ingest: only the archive', async () => {
    const seen = await run('ingest', clips, '--archive', archive)
    assert.equal(seen.code, 0, seen.stderr)
    assertKept(seen, [archive])
  })

  it('search: only the archive and the requested page', async () => {
    const page = join(dir, 'answer.html')
    const seen = await run('search', '--image', photo, '--archive', archive, '--html', page)
    assert.equal(seen.code, 0, seen.stderr)
    assert.ok(existsSync(page))
    assertKept(seen, [archive, page])
  })

  it('an ingest with alerts: nothing is posted unless a webhook is named, and then only to its host', async () => {
    assert.equal((await run('enroll', 'Ada', photo, '--archive', archive)).code, 0)
    const seenIn = join(dir, 'seen')
    mkdirSync(seenIn)
    const receiver = await startReceiver([200])
    const address = receiver.url.slice('http://'.length)
    for (const [k, options] of [[], ['--alert-webhook', `${receiver.url}/hook`]].entries()) {
      await makeFaceClip(join(seenIn, `${k}.mp4`), 'costumes right', { variant: k + 1 })
      const seen = await run('ingest', seenIn, '--archive', archive, '--alert', 'Ada', ...options)
      assert.equal(seen.code, 0, seen.stderr)
      assertKept(seen, [archive], k === 0 ? [] : [address])
      assert.equal(receiver.requests.length, k)
    }
    await receiver.close()
    assert.equal((await run('forget', '--name', 'Ada', '--archive', archive)).code, 0)
  })

  it('enroll, doctor, forget and retain: only the archive', async () => {
    const retain = ['retain', '--days', '1', '--yes']
    for (const args of [['enroll', 'Ada', photo], ['doctor'], retain, ['forget', '--name', 'Ada']]) {
      const seen = await run(...args, '--archive', archive)
      assert.equal(seen.code, 0, seen.stderr)
      assertKept(seen, [archive])
    }
  })

  it('corrections and files of names: only the archive and the requested file', async () => {
    const out = join(dir, 'names')
    mkdirSync(out)
    const [file, page] = [join(out, 'names.jsonl'), join(out, 'ada.html')]
    for (const args of [
      ['enroll', 'Ada', photo],
      ['people', 'show', 'Ada', '--html', page],
      ['people', 'export', '--out', file],
      ['people', 'import', file],
      ['people', 'refresh'],
      ['forget', '--name', 'Ada'],
    ]) {
      const seen = await run(...args, '--archive', archive)
      assert.equal(seen.code, 0, seen.stderr)
      assertKept(seen, [archive, out])
    }
    assert.deepEqual(readdirSync(out).sort(), ['ada.html', 'names.jsonl'])
  })

  it('head train: only the requested head', async () => {
    const set = writeLabelledFeatures(dir)
    const out = join(dir, 'head')
    mkdirSync(out)
    const head = join(out, 'head.onnx')
    const seen = await run(
      ...['head', 'train', '--features', set.features, '--ground-truth', set.train, '--val', set.val],
      ...['--out', head, '--epochs', '1', '--width', '8'],
    )
    assert.equal(seen.code, 0, seen.stderr)
    assert.ok(existsSync(head))
    assertKept(seen, [out])
  })

  describe('through Kafka', () => {
    let broker: TestBroker
    before(async () => (broker = await testBroker()))
    after(() => broker.stop())

    it('each worker and submit: only the archive and the scratch folder, and no connection except to the broker', async () => {
      const queue = await createQueue(broker, 'nothing-leaves')
      const scratch = join(dir, 'scratch')
      const start = (...args: readonly string[]) =>
        observe([cameoScript, ...args], { ...models, ...queue.environment }, dir)
      const workers = [
        start('worker', 'faces', '--root', clips, '--threads', '1', '--scratch', scratch),
        start('worker', 'describe'),
        start('worker', 'index'),
      ]
      const submitted = await start('submit', clips).done
      assert.equal(submitted.code, 0, submitted.stderr)
      assertKept(submitted, [], [broker.brokers])
      await until('the clip is indexed', () => queue.counts().clips === 1)
      for (const worker of workers) worker.stop()
      for (const worker of workers) {
        const seen = await worker.done
        assert.equal(seen.code, 0, seen.stderr)
        assertKept(seen, [queue.archive, scratch], [broker.brokers])
      }
      assert.deepEqual(readdirSync(scratch), [])
      await queue.close()
    })
  })
})
