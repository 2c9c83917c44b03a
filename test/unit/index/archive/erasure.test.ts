import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { finishErasure } from '../../../../index/archive/finish-erasure.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { enroll, forgetName } from '../../../../index/identities/identities.js'
import { prepareArchive } from '../../../../index/archive/prepare-archive.js'
import { openDatabase } from '../../../../index/store/database.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { pendingErasure } from '../../../../index/store/erasure.js'
import { createInbox } from '../../../../index/store/inbox.js'
import { openVectorCache } from '../../../../index/vectors/archive/cached-index.js'
import { countInFiles, faceBytes } from '../../../support/archive-bytes.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'
import { createRandom } from '../../../support/vectors.js'

const atOnce = { waitMs: 0, hasFollower: false }

/** A connection that reads like another process, until it is closed. */
function reader(archive: Archive): Database {
  const database = openDatabase(archive.dir)
  database.exec('BEGIN')
  database.prepare('SELECT count(*) FROM embeddings').get()
  return database
}

/** The values of a clip to be erased and those that are to stay. */
function archiveOfTwo() {
  const archive = filledArchive(['a'])
  const erased = faceBytes(archive.dir)
  archive.close()
  const both = filledArchive(['a', 'b'])
  const kept = faceBytes(both.dir).filter((value) => !erased.some((other) => other.equals(value)))
  assert.deepEqual([erased.length, kept.length], [7, 7])
  return { archive: both, erased, kept }
}

async function prepare(dir: string): Promise<string[]> {
  const notices: string[] = []
  await prepareArchive(dir, {
    onNotice: (text) => notices.push(text),
    onErasurePending: (error) => notices.push(error.message),
  })
  return notices
}

describe('an erasure', () => {
  it('is pending while another connection reads, and the next opening after that finishes it', async () => {
    const { archive, erased, kept } = archiveOfTwo()
    const other = reader(archive)
    forgetClip(archive.database, clipIdOf('a'))
    await assert.rejects(finishErasure(archive, atOnce), { code: 'ERASURE_PENDING', retriable: true })
    assert.equal(countInFiles(archive.dir, erased), erased.length)
    assert.match((await prepare(archive.dir)).join(), /its bytes are still in/, 'every command reports it')
    other.close()
    assert.match((await prepare(archive.dir)).join(), /finished an erasure/)
    assert.deepEqual([countInFiles(archive.dir, erased), countInFiles(archive.dir, kept)], [0, kept.length])
    assert.deepEqual(await prepare(archive.dir), [])
    archive.close()
  })

  it('waits for a reader to end, and reports what it waits for', async () => {
    const { archive, erased } = archiveOfTwo()
    const other = reader(archive)
    forgetClip(archive.database, clipIdOf('a'))
    const told: string[] = []
    await finishErasure(archive, {
      ...{ waitMs: 600_000, hasFollower: false },
      onWait(text) {
        told.push(text)
        other.close()
      },
    })
    assert.equal(told.length, 1)
    assert.match(told.join(), /another process reads/)
    assert.equal(countInFiles(archive.dir, erased), 0)
    archive.close()
  })

  it('is finished by the next opening if the process was killed', async () => {
    const { archive, erased } = archiveOfTwo()
    archive.close()
    const moduleOf = (name: string) => new URL(`../../../../index/${name}.js`, import.meta.url).href
    const script = `
      const { openArchive } = await import('${moduleOf('archive/open-archive')}')
      const { forgetClip } = await import('${moduleOf('identities/forget')}')
      forgetClip(openArchive(process.argv[1]).database, '${clipIdOf('a')}')
      process.kill(process.pid, 'SIGKILL')`
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, archive.dir])
    assert.equal(run.signal, 'SIGKILL', String(run.stderr))
    assert.equal(countInFiles(archive.dir, erased), erased.length)
    await prepare(archive.dir)
    assert.equal(countInFiles(archive.dir, erased), 0)
  })

  it('stays pending if it starts while another one is being finished', async () => {
    const { archive } = archiveOfTwo()
    forgetClip(archive.database, clipIdOf('a'))
    const first = pendingErasure(archive.database)
    forgetClip(archive.database, clipIdOf('b'))
    assert.notEqual(pendingErasure(archive.database), first)
    await finishErasure(archive, atOnce)
    assert.equal(pendingErasure(archive.database), undefined)
    archive.close()
  })

  it('cleans vector snapshots, also of inactive spaces, and leftovers of killed processes', async () => {
    const { archive, erased, kept } = archiveOfTwo()
    const { database } = archive
    const dir = join(archive.dir, 'vectors')
    await (await openVectorCache({ database, dir, spaceId: 1, exactUpTo: 0 })).close()
    database.exec(`INSERT INTO spaces SELECT 2, 'old', dimension, '{}', 0 FROM spaces;
      INSERT INTO descriptors (space_id, track_id, vector) SELECT 2, track_id, vector FROM descriptors`)
    await (await openVectorCache({ database, dir, spaceId: 2, exactUpTo: 0 })).close()
    writeFileSync(join(dir, 'vectors-1-left.hnsw.tmp'), Buffer.concat(erased))
    const descriptors = erased.filter((value) => value.length === 512)
    forgetClip(database, clipIdOf('a'))
    await finishErasure(archive, atOnce)
    assert.ok(descriptors.length > 0)
    assert.deepEqual([countInFiles(archive.dir, erased), countInFiles(archive.dir, kept)], [0, kept.length])
    archive.close()
  })

  it('waits for an index worker to write the snapshot', async () => {
    const { archive, erased } = archiveOfTwo()
    const { database } = archive
    const cache = await openVectorCache({
      ...{ database, dir: join(archive.dir, 'vectors'), spaceId: 1, exactUpTo: 0 },
    })
    await cache.snapshot()
    forgetClip(database, clipIdOf('a'))
    await assert.rejects(finishErasure(archive, { waitMs: 0, hasFollower: true }), /snapshot/)
    await cache.snapshotIfDue()
    await cache.catchUp()
    await cache.snapshotIfDue()
    await finishErasure(archive, { waitMs: 0, hasFollower: true })
    assert.equal(countInFiles(archive.dir, erased), 0)
    await cache.close()
    archive.close()
  })

  it('of a name is pending in the same way', async () => {
    const archive = filledArchive([])
    const vector = new Uint16Array(256).map((_, i) => 1000 + 7 * i)
    const face = { source: '/photos/ada.jpg', embedding: { float16: vector, norm: 1 }, quality: 1 }
    enroll(archive.database, 'Ada', 'e', [face])
    const erased = faceBytes(archive.dir)
    const other = reader(archive)
    forgetName(archive.database, 'Ada')
    await assert.rejects(finishErasure(archive, atOnce), { code: 'ERASURE_PENDING' })
    other.close()
    await finishErasure(archive, atOnce)
    assert.deepEqual([erased.length, countInFiles(archive.dir, erased)], [1, 0])
    archive.close()
  })

  it('erases copies of rows that SQLite left when it moved rows between pages', async () => {
    const archive = filledArchive(['a'])
    const inbox = createInbox(archive.database)
    const random = createRandom(5)
    const hex = () => Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('')
    const present: { readonly clipId: string; readonly mark: string }[] = []
    const dropped: string[] = []
    archive.database.transaction(() => {
      for (let i = 0; i < 3000; i++) {
        const mark = `#${String(i).padStart(10, '0')}`
        const clipId = hex()
        const message = Buffer.alloc(200 + Math.floor(random() * 1800), mark)
        inbox.keepPart({ ...{ clipId, segment: 0, attempt: 'a', part: 0 }, message })
        present.push({ clipId, mark })
        const [gone] = i % 3 < 2 ? [] : present.splice(Math.floor(random() * present.length), 1)
        if (gone === undefined) continue
        inbox.dropParts(gone.clipId, 0)
        dropped.push(gone.mark)
      }
    })()
    forgetClip(archive.database, clipIdOf('a'))
    await finishErasure(archive, atOnce)
    const found = (marks: readonly string[]) =>
      countInFiles(
        archive.dir,
        marks.map((mark) => Buffer.alloc(64, mark)),
      )
    assert.deepEqual([found(dropped), found(present.slice(0, 100).map(({ mark }) => mark))], [0, 100])
    archive.close()
  })
})

describe('what a command does before it opens an archive', () => {
  it('does nothing if there is none', async () => {
    const archive = openArchive(filledArchive([]).dir)
    const dir = join(archive.dir, 'elsewhere')
    mkdirSync(dir)
    assert.deepEqual(await prepare(dir), [])
    archive.close()
  })
})
