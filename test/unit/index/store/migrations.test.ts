import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { databaseFileName } from '../../../../index/store/database.js'
import { listIdentities } from '../../../../index/store/identities.js'
import { checkDeeply } from '../../../../index/archive/deep-check.js'
import { schemaVersion } from '../../../../index/store/schema.js'
import { BetterSqlite } from '../../../../index/store/sqlite.js'
import { dumpArchive } from '../../../support/archive-dump.js'
import { temporaryDir } from '../../../support/cameo.js'
import { damageRows } from '../../../support/damage-rows.js'
import { bringBackTo, frozenSchema, schemaOfToday } from '../../../support/old-archive.js'
import { storeClips } from '../../../support/stored-clips.js'

/** Only rows that had no checksum are copied, which is told. */
const firstWithChecksums = 4

describe('the schema', () => {
  it('is frozen: after a change, run make-old-archive.js --freeze', () => {
    assert.equal(schemaOfToday(), frozenSchema(schemaVersion))
  })

  for (const version of [2, 3, 4, schemaVersion])
    it(`of version ${version} is upgraded with every row and id counter`, () => {
      const dir = temporaryDir()
      const archive = storeClips(dir, 3)
      const names = listIdentities(archive.database)
      // The row of the last label no longer exists.
      forgetClip(archive.database, '2'.repeat(64))
      archive.close()
      const before = dumpArchive(dir)
      bringBackTo(version, dir)
      const notices: string[] = []
      const migrated = openArchive(dir, { onNotice: (notice) => notices.push(notice) })
      assert.deepEqual(listIdentities(migrated.database), names)
      assert.deepEqual(checkDeeply(migrated.database), { damage: [], structure: [] })
      const lastLabel = migrated.database
        .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'descriptors'")
        .pluck()
        .get()
      assert.equal(lastLabel, 12)
      assert.equal(migrated.database.pragma('foreign_keys', { simple: true }), 1)
      migrated.close()
      assert.deepEqual(dumpArchive(dir), before)
      assert.equal(notices.length, version < firstWithChecksums ? 1 : 0)
      const again = openArchive(dir, { onNotice: (notice) => notices.push(notice) })
      again.close()
      assert.equal(notices.length, version < firstWithChecksums ? 1 : 0, 'it is said once')
    })

  it('of version 4 keeps the damage of a row: it gets no new checksum', () => {
    const dir = temporaryDir()
    storeClips(dir, 2).close()
    bringBackTo(4, dir)
    const old = new BetterSqlite(join(dir, databaseFileName))
    damageRows(old, 'UPDATE tracks SET quality = 0.125 WHERE track_id = 1')
    old.close()
    const upgraded = openArchive(dir)
    const { damage } = checkDeeply(upgraded.database)
    assert.deepEqual(
      damage.map(({ what, trackId }) => [what, trackId]),
      [['tracks', 1]],
    )
    upgraded.close()
  })
})
