import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { lockArchive, lockAsFollower, lockSnapshots } from '../../../../index/store/locks.js'
import { openVectorCache } from '../../../../index/vectors/archive/cached-index.js'
import { temporaryDir } from '../../../support/cameo.js'
import { filledArchive } from '../../../support/filled-archive.js'
import { openToOthers, withUmask } from '../../../support/modes.js'

const notices: string[] = []
const onNotice = (text: string) => notices.push(text)

/** Makes every file readable by others, like earlier versions. */
function openUp(dir: string): void {
  chmodSync(dir, 0o755)
  for (const path of ['cameo.sqlite', 'ingest.lock', 'vectors', 'vectors/vectors-1.json'])
    chmodSync(join(dir, path), path === 'vectors' ? 0o755 : 0o644)
}

async function archiveWithSnapshot(): Promise<string> {
  const archive = filledArchive(['a', 'b'])
  lockArchive(archive.dir).release()
  const dir = join(archive.dir, 'vectors')
  const cache = await openVectorCache({ database: archive.database, dir, spaceId: 1, exactUpTo: 0 })
  await cache.close()
  archive.close()
  return archive.dir
}

describe('an archive’s files', () => {
  afterEach(() => notices.splice(0))

  for (const mask of [0o000, 0o022])
    it(`are their owner’s alone under umask ${mask.toString(8)}`, () =>
      withUmask(mask, async () => {
        const dir = join(temporaryDir(), 'new', 'archive')
        const archive = openArchive(dir, { create: true })
        archive.database.exec("INSERT INTO meta VALUES ('written', 'to the log')")
        const follower = await lockAsFollower(dir, () => undefined)
        mkdirSync(join(dir, 'vectors'), { mode: 0o700 })
        const snapshots = await lockSnapshots(join(dir, 'vectors'))
        assert.deepEqual(openToOthers(dir), [])
        for (const lock of [snapshots, follower]) lock.release()
        archive.close()
        const filled = await archiveWithSnapshot()
        assert.deepEqual(openToOthers(join(filled, 'vectors')), [])
      }))

  it('that others can read are closed when the archive is opened, with one notice', async () => {
    const dir = await archiveWithSnapshot()
    openUp(dir)
    for (let i = 0; i < 2; i++) openArchive(dir, { onNotice }).close()
    assert.deepEqual(openToOthers(dir), [])
    assert.equal(notices.length, 1)
    assert.match(notices.join(), /could read the archive/)
  })

  it('are closed even if the archive is opened read-only, and stay readable', async () => {
    const dir = await archiveWithSnapshot()
    openUp(dir)
    chmodSync(join(dir, 'cameo.sqlite'), 0o444)
    const archive = openArchive(dir, { readOnly: true, onNotice })
    assert.equal(archive.database.prepare('SELECT count(*) FROM clips').pluck().get(), 2)
    archive.close()
    assert.deepEqual(openToOthers(dir), [])
  })

  it('are closed if they are among other files, but the common folder is not', async () => {
    const dir = await archiveWithSnapshot()
    openUp(dir)
    writeFileSync(join(dir, 'clip.mp4'), '')
    chmodSync(join(dir, 'clip.mp4'), 0o644)
    openArchive(dir, { onNotice }).close()
    assert.deepEqual(openToOthers(dir), [`${dir} 755`, `${join(dir, 'clip.mp4')} 644`])
    assert.equal((statSync(join(dir, 'vectors')).mode & 0o777).toString(8), '700')
  })
})
