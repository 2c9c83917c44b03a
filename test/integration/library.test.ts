import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeUntrainedHead } from '../../scripts/bench/bench-head.js'
import { openCameo, type Cameo, type ClipEvent, type CameoError } from '../../workers/cameo.js'
import { lockArchive } from '../../index/store/locks.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { ensurePack } from '../../pipeline/stages/caller.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { RemoteStandIn } from '../support/remote-stand-in.js'

const dir = realpathSync(temporaryDir())
const clips = join(dir, 'clips')
const archive = join(dir, 'archive')
const photo = join(dir, 'query.jpg')
const costumes = join(clips, 'costumes.mp4')
const stairs = join(clips, 'stairs.mp4')
const code = (error: CameoError) => error.code

let cameo: Cameo
/** A vector engine outside the process. */
const remote = new RemoteStandIn()
const events: ClipEvent[] = []
/** Names of packs with requested files. */
const packsAskedFor: string[] = []

/** Paths of the clips that a search finds. */
const found = async (query: Parameters<Cameo['search']>[0]) =>
  (await cameo.search(query)).matches.map(({ path }) => path)

describe('the library', () => {
  before(async () => {
    mkdirSync(clips)
    await makeFaceClip(costumes, 'costumes right')
    await makeFaceClip(stairs, 'stairs front')
    await makeFacePhoto(photo, 'bar middle')
    cameo = await openCameo({
      ...{ archive, device: 'cpu', threads: 1, engines: { remote: remote.factory } },
      ensurePack(name) {
        packsAskedFor.push(name)
        return ensurePack(name)
      },
    })
  })

  after(() => cameo.close())

  it('reports a missing archive with a code and a remedy', async () => {
    await assert.rejects(cameo.search({ name: 'Ada' }), {
      code: 'ARCHIVE_MISSING',
      details: { remedy: 'ingest-first', archive },
    })
    const { checks } = await cameo.doctor()
    assert.ok(
      checks.every(({ ok }) => ok),
      JSON.stringify(checks),
    )
  })

  it('ingests, and reports each clip from its discovery to its result', async () => {
    const { status, failed, results } = await cameo.ingest(clips, { onEvent: (event) => events.push(event) })
    assert.deepEqual({ status, failed, results }, { status: 'done', failed: 0, results: { done: 2 } })
    for (const path of [costumes, stairs]) {
      const kinds = events.flatMap((event) => ('path' in event && event.path === path ? event.kind : []))
      assert.equal(kinds[0], 'found')
      assert.equal(kinds.at(-1), 'result')
      for (const kind of ['measured', 'frames', 'segment'] as const) assert.ok(kinds.includes(kind), kind)
    }
    assert.deepEqual((await cameo.ingest([costumes, stairs])).results, { unchanged: 2 })
  })

  it('finds a person by photo, by clip and by name, also in parallel calls', async () => {
    assert.equal((await cameo.enroll('Ada', photo)).added, 1)
    const answers = [{ image: photo }, { clip: costumes }, { name: 'Ada' }, { image: photo }].map(found)
    assert.deepEqual(await Promise.all(answers), [[costumes], [costumes], [costumes], [costumes]])
    const { matches, coverage, tracksSearched } = await cameo.search({ image: photo })
    assert.ok((matches[0]?.probability ?? 0) > 0.9)
    assert.deepEqual([coverage.incomplete, tracksSearched], [0, 2])
  })

  it('has loaded the models once for all of these queries', async () => {
    // Two ingests, and the first query.
    assert.deepEqual(packsAskedFor, ['lite', 'lite', 'lite'])
    await cameo.search({ image: photo })
    assert.equal(packsAskedFor.length, 3)
  })

  it('searches through your own engine if the archive is configured with it', async () => {
    assert.equal(await cameo.vectorEngine(), 'auto')
    await cameo.chooseVectorEngine('remote')
    assert.equal(await cameo.vectorEngine(), 'remote')
    assert.deepEqual(await found({ image: photo }), [costumes])
    assert.equal(await remote.stored(), 2)
    const other = await openCameo({ archive, device: 'cpu' })
    await assert.rejects(other.search({ name: 'Ada' }), { code: 'USAGE' })
    await other.close()
    await assert.rejects(cameo.chooseVectorEngine('unknown'), { code: 'USAGE' })
    await cameo.chooseVectorEngine('auto')
    assert.equal(await remote.stored(), 0)
    assert.deepEqual(await found({ image: photo }), [costumes])
  })

  it('stops the processing of a query clip by a signal, and answers the next query', async () => {
    const stop = new AbortController()
    const stopped = cameo.search({ clip: stairs, signal: stop.signal })
    stop.abort()
    await assert.rejects(stopped, { code: 'INTERRUPTED' })
    const enrolled = cameo.enroll('Bo', stairs, { signal: AbortSignal.abort() })
    await assert.rejects(enrolled, { code: 'INTERRUPTED' })
    assert.deepEqual(await found({ clip: stairs }), [stairs])
  })

  it('stops an ingest by a signal: its status is interrupted, and the next one does the rest', async () => {
    const more = join(dir, 'more')
    mkdirSync(more)
    for (const variant of [3, 4, 5])
      await makeFaceClip(join(more, `${variant}.mp4`), 'stairs front', { variant })
    const stop = new AbortController()
    const { status } = await cameo.ingest(more, {
      signal: stop.signal,
      onEvent: ({ kind }) => (kind === 'result' ? stop.abort() : undefined),
    })
    assert.equal(status, 'interrupted')
    assert.equal((await cameo.ingest(more)).status, 'done')
    assert.equal((await cameo.status()).clips, 5)
  })

  it('refuses to ingest while another ingest holds the archive, and searches meanwhile', async () => {
    const other = lockArchive(archive)
    try {
      await assert.rejects(cameo.ingest(clips), { code: 'ARCHIVE_BUSY', retriable: true })
      assert.deepEqual(await found({ name: 'Ada' }), [costumes])
    } finally {
      other.release()
    }
    assert.equal((await cameo.ingest(clips)).status, 'done')
  })

  it('searches the new descriptors when a head is applied, and the old ones when it is removed', async () => {
    const { embedderDigest: digest } = createRecipe(findPack('lite'), defaultSettings)
    const head = join(dir, 'head.onnx')
    const dimension = findPack('lite').embedder.dimension
    writeUntrainedHead(head, {
      embedders: [{ digest, name: 'lite', dimension }],
      classes: 2,
      width: 8,
      change: 1,
    })
    const before = await cameo.search({ image: photo, minScore: -1 })
    assert.equal((await cameo.applyHead(head)).status, 'done')
    assert.equal((await cameo.status()).recipe?.headFile, head)
    const byHead = await cameo.search({ image: photo, minScore: -1 })
    assert.notDeepEqual(
      byHead.matches.map(({ score }) => score),
      before.matches.map(({ score }) => score),
    )
    assert.equal((await cameo.applyHead(undefined)).status, 'done')
    const after = await cameo.search({ image: photo, minScore: -1 })
    assert.deepEqual(
      after.matches.map(({ path, score }) => [path, score]),
      before.matches.map(({ path, score }) => [path, score]),
    )
  })

  it('reports what was not looked at, and the error of a failed file', async () => {
    writeFileSync(join(clips, 'broken.mp4'), 'no video')
    assert.deepEqual((await cameo.ingest(clips)).results, { unchanged: 2, failed: 1 })
    const { sum, clips: listed } = await cameo.coverage({ folder: clips, states: ['failed'] })
    assert.deepEqual([sum.clips, sum.incomplete, listed.length], [3, 1, 1])
    assert.equal((await cameo.status()).failures[0]?.code, 'CLIP_NOT_VIDEO')
  })

  it('forgets a clip, and no search finds it from then on', async () => {
    const { forgotten, pending } = await cameo.forget({ clip: costumes })
    assert.equal(forgotten.forgotten, 'clip')
    assert.equal(pending, undefined)
    assert.deepEqual(await found({ image: photo }), [])
  })

  it('refuses calls after it was closed', async () => {
    const other = await openCameo({ archive })
    assert.equal((await other.status()).identities[0]?.name, 'Ada')
    await other.close()
    await other.close()
    assert.equal(await other.status().catch(code), 'USAGE')
  })
})
