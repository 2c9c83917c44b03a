import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { databaseFileName } from '../../../../index/store/database.js'
import { listIdentities } from '../../../../index/store/identities.js'
import { checkDeeply } from '../../../../index/archive/deep-check.js'
import { addChecksumFunction } from '../../../../index/store/checksum.js'
import { BetterSqlite } from '../../../../index/store/sqlite.js'
import { schemaVersion } from '../../../../index/store/schema.js'
import { dumpArchive } from '../../../support/archive-dump.js'
import { temporaryDir } from '../../../support/cameo.js'
import { damageRows } from '../../../support/damage-rows.js'
import { refusedWith } from '../../../support/refused-with.js'
import { bringBackTo, frozenSchema, schemaOfToday } from '../../../support/old-archive.js'
import { storeClips } from '../../../support/stored-clips.js'

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
      assert.equal(notices.length, version < schemaVersion ? 1 : 0)
      const again = openArchive(dir, { onNotice: (notice) => notices.push(notice) })
      again.close()
      assert.equal(notices.length, version < schemaVersion ? 1 : 0, 'it is said once')
    })

  it('of version 4 is upgraded with its damage: no row is taken for whole that was not', () => {
    const dir = temporaryDir()
    storeClips(dir, 2).close()
    bringBackTo(4, dir)
    const sound = temporaryDir()
    cpSync(dir, sound, { recursive: true })
    const database = new BetterSqlite(join(dir, databaseFileName))
    addChecksumFunction(database)
    damageRows(
      database,
      "UPDATE tracks SET quality = 0.9 WHERE number = 0; UPDATE meta SET value = 'x' WHERE key = 'archive_id'",
    )
    database.close()
    const whatIsDamaged = (of: string) => {
      const migrated = openArchive(of)
      const { damage } = checkDeeply(migrated.database)
      migrated.close()
      return [...new Set(damage.map(({ what }) => what))].sort()
    }
    assert.deepEqual(whatIsDamaged(sound), [])
    assert.deepEqual(whatIsDamaged(dir), ['meta', 'tracks'])
  })

  it('of version 4 with a changed definition is refused', () => {
    const dir = temporaryDir()
    storeClips(dir, 1).close()
    bringBackTo(4, dir)
    const database = new BetterSqlite(join(dir, databaseFileName))
    addChecksumFunction(database)
    database.exec('DROP INDEX faces_track')
    database.close()
    assert.throws(() => openArchive(dir), refusedWith('ARCHIVE_DAMAGED', /table definitions/))
  })
})
