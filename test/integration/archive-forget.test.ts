import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { listIdentities } from '../../index/store/identities.js'
import { assertRefused, foundFiles, ingest, search } from '../support/answers.js'
import { countInFiles as countBytes, faceBytes } from '../support/archive-bytes.js'
import { cameo, jsonLines, startCameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { openToOthers } from '../support/modes.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const archive = join(dir, 'archive')
const here = ['--archive', archive]
let photo: string
let clipId: string

const countInFiles = (values: readonly Buffer[]) => countBytes(archive, values)

/** Names, and how many entries of the journal tell of the clip's files. */
function namesAndJournal() {
  const opened = openArchive(archive)
  try {
    const entries = opened.database
      .prepare("SELECT count(*) FROM journal WHERE subject LIKE '%costumes%'")
      .pluck()
      .get()
    return { names: listIdentities(opened.database), entries }
  } finally {
    opened.close()
  }
}

// The tests of this file follow one archive, in order.
describe('forget: a clip', () => {
  let erased: Buffer[] = []
  let kept: Buffer[] = []

  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'costumes.mp4'), 'costumes right')
    copyFileSync(join(folder, 'costumes.mp4'), join(folder, 'costumes copy.mp4'))
    photo = await makeFacePhoto(join(dir, 'photo.jpg'), 'costumes right')
    const run = await ingest([folder, ...here])
    assert.equal(run.code, 0, run.stderr)
    erased = faceBytes(archive)
    clipId = run.of('costumes.mp4').clipId ?? ''
    await makeFaceClip(join(folder, 'bar.mp4'), 'bar middle')
    assert.equal((await ingest([folder, ...here])).code, 0)
    kept = faceBytes(archive).filter((value) => !erased.some((other) => other.equals(value)))
  })

  it('refuses an unknown clip or name, and names it', async () => {
    const unknown = await cameo(['forget', '--clip', 'ffffffffffff', ...here, '--json'])
    assertRefused(unknown, 'CLIP_UNKNOWN', 'ffffffffffff')
    assertRefused(await cameo(['forget', '--name', 'Bob', ...here, '--json']), 'NAME_UNKNOWN', 'Bob')
    assertRefused(await cameo(['forget', ...here, '--json']), 'USAGE', '--clip')
  })

  it('removes a forgotten clip from answers, and all of its bytes from the archive’s files', async () => {
    assert.ok(erased.length >= 8 && kept.length >= 8)
    assert.equal(countInFiles(erased), erased.length, 'before, all of them are')
    // The faces enrolled from it come from the same clip.
    assert.equal((await cameo(['enroll', 'Ada', join(folder, 'costumes copy.mp4'), ...here])).code, 0)
    assert.equal((await cameo(['enroll', 'Bo', join(folder, 'costumes.mp4'), photo, ...here])).code, 0)
    const run = await cameo(['forget', '--clip', clipId.slice(0, 12), ...here, '--json'])
    assert.equal(run.code, 0, run.stderr)
    const { receipt, ...told } = JSON.parse(run.stdout) as Record<string, unknown> & {
      receipt: { state: string; check: object }
    }
    assert.deepEqual(
      [receipt.state, receipt.check],
      ['complete', { vectorsSearched: 1, vectorsFound: 0, idsLookedUp: 2, rowsFound: 0 }],
    )
    assert.deepEqual(told, {
      ...{ forgotten: 'clip', clipId, names: ['Ada', 'Bo'] },
      paths: ['costumes copy.mp4', 'costumes.mp4'].map((name) => join(folder, name)),
    })
    for (const told of [
      /content of 2 files/,
      /costumes copy\.mp4/,
      /the faces of "Ada" that were enrolled from it/,
    ])
      assert.match(run.stderr, told)
    assert.deepEqual(namesAndJournal(), { names: [{ name: 'Bo', faces: 1 }], entries: 0 })
    assert.equal((await cameo(['forget', '--name', 'Bo', ...here])).code, 0)
    assert.deepEqual(foundFiles(await search(['--image', photo, ...here])), ['bar.mp4'])
    assert.equal(countInFiles(erased), 0)
    assert.equal(countInFiles(kept), kept.length, 'those of the other clip still are')
  })

  it('skips its files when the folder is ingested again', async () => {
    const run = await ingest([folder, ...here])
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(
      ['costumes.mp4', 'costumes copy.mp4', 'bar.mp4'].map((name) => run.of(name).status),
      ['forgotten', 'forgotten', 'unchanged'],
    )
    assert.deepEqual(foundFiles(await search(['--image', photo, ...here])), ['bar.mp4'])
  })

  it('ingests it again with --include-forgotten', async () => {
    const run = await ingest([folder, ...here, '--include-forgotten'])
    assert.equal(run.code, 0, run.stderr)
    const statuses = [run.of('costumes.mp4').status, run.of('costumes copy.mp4').status]
    assert.deepEqual(statuses.sort(), ['done', 'duplicate'])
    assert.equal(foundFiles(await search(['--image', photo, ...here])).length, 2)
  })

  it('erases all bytes of a forgotten name and the path of its photo, and keeps its clips', async () => {
    const name = 'Augusta Ada King, Countess of Lovelace'
    assert.equal((await cameo(['enroll', name, photo, ...here])).code, 0)
    const before = faceBytes(archive)
    const opened = openArchive(archive)
    const [reference, picture] = [
      'SELECT vector FROM reference_faces',
      'SELECT jpeg FROM reference_pictures',
    ].flatMap((sql) => opened.database.prepare<[], Buffer>(sql).pluck().all())
    opened.close()
    assert.ok(reference !== undefined && picture !== undefined)
    const written = [reference, picture, Buffer.from(name), Buffer.from(photo)]
    assert.equal(countInFiles(written), 4)
    assert.equal((await cameo(['forget', '--name', name, ...here])).code, 0)
    assert.equal(countInFiles(written), 0)
    assert.equal(faceBytes(archive).length, before.length - 2)
  })
  it('ends with a special error while another process reads, and the next command finishes the erasure', async () => {
    const before = faceBytes(archive)
    const reader = openArchive(archive)
    const args = ['forget', '--clip', join(folder, 'costumes copy.mp4'), ...here]
    reader.database.exec('BEGIN')
    reader.database.prepare('SELECT count(*) FROM embeddings').get()
    const run = await cameo([...args, '--wait', '0', '--json'])
    assert.equal(run.code, 2, run.stderr)
    const [told = {}, ...more] = jsonLines(run.stdout)
    assert.deepEqual(
      [told['code'], told['retriable'], told['clipId'], more],
      ['ERASURE_PENDING', true, clipId, []],
    )
    assert.match(run.stderr, /costumes\.mp4[^]*another process reads[^]*\[ERASURE_PENDING\]/)
    assert.equal(countInFiles(before), before.length)
    assert.deepEqual(foundFiles(await search(['--image', photo, ...here])), ['bar.mp4'])
    reader.close()
    assert.match((await cameo(['status', ...here])).stderr, /finished an erasure/)
    const after = faceBytes(archive)
    assert.ok(after.length > 0 && after.length < before.length)
    assert.equal(countInFiles(before), after.length)
  })

  it('is finished by the next command if it is killed while it waits for a reader', async () => {
    const before = faceBytes(archive)
    const reader = openArchive(archive)
    reader.database.exec('BEGIN')
    reader.database.prepare('SELECT count(*) FROM embeddings').get()
    const running = startCameo(['forget', '--clip', join(folder, 'bar.mp4'), ...here, '--wait', '600'])
    await running.until(() => running.stderrNow().includes('waiting'))
    running.kill('SIGKILL')
    await running.finished
    assert.equal(countInFiles(before), before.length)
    reader.close()
    await cameo(['status', ...here])
    assert.deepEqual([faceBytes(archive), countInFiles(before)], [[], 0])
    const listed = await cameo(['receipt', 'list', '--json', ...here])
    const { receipts } = JSON.parse(listed.stdout) as {
      receipts: { receiptId: string; state: string; completes?: string }[]
    }
    const [pending, complete] = receipts.slice(-2)
    assert.deepEqual(
      [pending?.state, complete?.state, complete?.completes],
      ['pending', 'complete', pending?.receiptId],
    )
  })

  it('leaves archive files that only their owner can read, after every command', () => {
    assert.deepEqual(openToOthers(archive), [])
  })
})
