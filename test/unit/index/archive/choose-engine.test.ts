import assert from 'node:assert/strict'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { chooseVectorEngine, vectorEngineOf } from '../../../../index/archive/choose-engine.js'
import { finishErasure } from '../../../../index/archive/finish-erasure.js'
import { openArchiveIndex } from '../../../../index/archive/open-archive-index.js'
import { openArchive, openFilledArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { prepareArchive } from '../../../../index/archive/prepare-archive.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { databaseFileName } from '../../../../index/store/database.js'
import { lockArchive } from '../../../../index/store/locks.js'
import { BetterSqlite } from '../../../../index/store/sqlite.js'
import { createVectorFollower } from '../../../../workers/ingest/vector-follower.js'
import { temporaryDir } from '../../../support/cameo.js'
import { RemoteStandIn } from '../../../support/remote-stand-in.js'
import { storeClips } from '../../../support/stored-clips.js'

const clips = 3
const tracks = 4 * clips
const firstClip = '0'.repeat(64)

/** An archive of three clips that is configured with an external engine. */
async function archiveElsewhere() {
  const dir = temporaryDir()
  storeClips(dir, clips).close()
  const server = new RemoteStandIn()
  const engines = { elsewhere: server.factory }
  const open = () => openArchive(dir, { engines })
  const archive = open()
  await chooseVectorEngine(archive, 'elsewhere')
  return { dir, server, engines, archive, open }
}

/** Opens and closes the archive's index. Returns the number of vectors and the notices. */
async function openIndex(archive: Archive): Promise<{ size: number; notices: string[] }> {
  const notices: string[] = []
  const index = await openArchiveIndex(archive, { onNotice: (text) => notices.push(text) })
  const { size } = index
  await index.close()
  return { size, notices }
}

describe('the engine that an archive is configured with', () => {
  it('is `auto` at first, stays with the archive, and can be set back', async () => {
    const { archive, open } = await archiveElsewhere()
    assert.equal(vectorEngineOf(archive), 'elsewhere')
    archive.close()
    const again = open()
    assert.equal(vectorEngineOf(again), 'elsewhere')
    await chooseVectorEngine(again, 'auto')
    assert.equal(vectorEngineOf(again), 'auto')
    again.close()
    const plain = storeClips(temporaryDir(), 1)
    assert.equal(vectorEngineOf(plain), 'auto')
    await assert.rejects(chooseVectorEngine(plain, 'elsewhere'), { code: 'USAGE', message: /"elsewhere"/ })
    assert.equal(vectorEngineOf(plain), 'auto')
    plain.close()
  })

  it('cannot be changed while an ingest or an index worker writes to the archive', async () => {
    const { archive } = await archiveElsewhere()
    const lock = lockArchive(archive.dir)
    await assert.rejects(chooseVectorEngine(archive, 'auto'), { code: 'ARCHIVE_BUSY' })
    assert.equal(vectorEngineOf(archive), 'elsewhere')
    lock.release()
    archive.close()
  })

  it('must be provided for searching, ingesting and erasing', async () => {
    const { dir, archive, engines } = await archiveElsewhere()
    archive.close()
    const refused = { code: 'USAGE', message: /the vector engine "elsewhere" was not provided/ }
    assert.throws(() => openFilledArchive(dir, () => undefined), refused)
    const without = openArchive(dir)
    await assert.rejects(openArchiveIndex(without), refused)
    assert.throws(() => createVectorFollower(without, () => undefined), refused)
    without.close()
    const opened = openFilledArchive(dir, () => undefined, (at) => openArchive(at, { engines })) // prettier-ignore
    assert.equal((await openIndex(opened.archive)).size, tracks)
    opened.archive.close()
  })

  it('is used for any size if it is built in', async () => {
    const archive = storeClips(temporaryDir(), clips)
    const snapshot = join(archive.dir, 'vectors', 'vectors-1.json')
    await chooseVectorEngine(archive, 'hnsw')
    assert.deepEqual(await openIndex(archive), { size: tracks, notices: [] })
    assert.ok(existsSync(snapshot))
    await chooseVectorEngine(archive, 'exact')
    assert.ok(!existsSync(snapshot), 'what the engine before kept is removed')
    assert.deepEqual(await openIndex(archive), { size: tracks, notices: [] })
    archive.close()
  })

  it('loses its data when another is chosen, and a notice says if it cannot be reached', async () => {
    const { archive, server } = await archiveElsewhere()
    await openIndex(archive)
    assert.equal(await server.stored(), tracks)
    await chooseVectorEngine(archive, 'auto')
    assert.equal(await server.stored(), 0)

    await chooseVectorEngine(archive, 'elsewhere')
    await openIndex(archive)
    server.isDown = true
    const notices: string[] = []
    await chooseVectorEngine(archive, 'auto', (text) => notices.push(text))
    assert.match(notices.join(), /data in the vector engine "elsewhere" was not removed: .*ECONNREFUSED/)
    assert.equal(vectorEngineOf(archive), 'auto')
    archive.close()
  })
})

describe('an engine that stores vectors itself', () => {
  it('is filled once: a later start reads no vectors and sends only changes', async () => {
    const { archive, server } = await archiveElsewhere()
    assert.deepEqual(await openIndex(archive), { size: tracks, notices: [] })
    assert.equal(await server.stored(), tracks)
    server.calls = 0
    await openIndex(archive)
    assert.ok(server.calls <= 4, `${server.calls} calls`)
    forgetClip(archive.database, firstClip)
    assert.deepEqual(await openIndex(archive), { size: tracks - 4, notices: [] })
    assert.equal(await server.stored(), tracks - 4)
    archive.close()
  })

  it('continues after a lost connection, without vectors that were erased in the meantime', async () => {
    const { archive, server } = await archiveElsewhere()
    // Its first reply is the last one.
    server.onApplied = () => (server.isDown = true)
    await assert.rejects(openIndex(archive), { code: 'ARCHIVE_BUSY', retriable: true })
    assert.equal(await server.stored(), tracks)
    server.isDown = false
    server.onApplied = () => undefined
    forgetClip(archive.database, firstClip)
    assert.deepEqual(await openIndex(archive), { size: tracks - 4, notices: [] })
    assert.equal(await server.stored(), tracks - 4)
    archive.close()
  })

  it('is filled again after a backup of the archive was restored, with a notice', async () => {
    const { archive, server, dir, open } = await archiveElsewhere()
    await openIndex(archive)
    const backup = join(temporaryDir(), 'backup.sqlite')
    await archive.database.backup(backup)
    forgetClip(archive.database, firstClip)
    assert.equal((await openIndex(archive)).size, tracks - 4)
    archive.close()
    for (const name of ['-wal', '-shm']) rmSync(join(dir, databaseFileName + name), { force: true })
    copyFileSync(backup, join(dir, databaseFileName))
    const restored = open()
    const { size, notices } = await openIndex(restored)
    assert.deepEqual([size, await server.stored()], [tracks, tracks])
    assert.match(notices.join(), /ahead of the archive/)
    restored.close()
  })

  it('makes opening fail with ARCHIVE_BUSY if it cannot be reached, and a follower catches up later', async () => {
    const { archive, server } = await archiveElsewhere()
    server.isDown = true
    await assert.rejects(openIndex(archive), {
      ...{ code: 'ARCHIVE_BUSY', retriable: true },
      message: /"elsewhere".*cannot be reached.*ECONNREFUSED/,
    })
    const notices: string[] = []
    const follower = createVectorFollower(archive, (text) => notices.push(text))
    follower.follow()
    server.isDown = false
    await follower.close()
    assert.equal(await server.stored(), tracks)
    archive.close()
  })

  it('keeps an erasure pending until it can be reached; then the next opening finishes it', async () => {
    const { dir, archive, server, engines } = await archiveElsewhere()
    await openIndex(archive)
    forgetClip(archive.database, firstClip)
    server.isDown = true
    await assert.rejects(finishErasure(archive, { waitMs: 0, hasFollower: false }), {
      ...{ code: 'ERASURE_PENDING', message: /in its vector engine, which cannot be reached/ },
    })
    assert.equal(await server.stored(), tracks)
    server.isDown = false
    archive.close()
    const notices: string[] = []
    await prepareArchive(dir, {
      onNotice: (text) => notices.push(text),
      onErasurePending: (error) => notices.push(error.message),
      engines,
    })
    assert.match(notices.join(), /finished an erasure/)
    assert.equal(await server.stored(), tracks - 4)
  })

  it('loses a space that is no longer searched with the next erasure', async () => {
    const { archive, server } = await archiveElsewhere()
    const { database } = archive
    await openIndex(archive)
    database.exec(`INSERT INTO spaces SELECT 2, 'new', dimension, '{}', 0 FROM spaces;
      UPDATE spaces SET active = (space_id = 2);
      INSERT INTO descriptors (space_id, track_id, vector) SELECT 2, track_id, vector FROM descriptors`)
    await openIndex(archive)
    assert.equal(await server.stored(), 2 * tracks)
    forgetClip(database, firstClip)
    await finishErasure(archive, { waitMs: 0, hasFollower: false })
    assert.equal(await server.stored(), tracks - 4)
    archive.close()
  })

  it('is filled again if the log of changes is damaged, with a notice', async () => {
    const { archive, server } = await archiveElsewhere()
    await openIndex(archive)
    forgetClip(archive.database, firstClip)
    const other = new BetterSqlite(join(archive.dir, databaseFileName))
    other.function('row_checksum', { varargs: true, deterministic: true }, () => 1)
    other.exec('INSERT INTO descriptor_changes (space_id, label) VALUES (1, 1)')
    other.close()
    const { size, notices } = await openIndex(archive)
    assert.match(notices.join(), /the log of changes .*is damaged.*rebuilt from the archive/)
    assert.deepEqual([size, await server.stored()], [tracks - 4, tracks - 4])
    archive.close()
  })
})
