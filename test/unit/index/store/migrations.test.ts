import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { listIdentities } from '../../../../index/store/identities.js'
import { checkDeeply } from '../../../../index/archive/deep-check.js'
import { schemaVersion } from '../../../../index/store/schema.js'
import { dumpArchive } from '../../../support/archive-dump.js'
import { temporaryDir } from '../../../support/cameo.js'
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
})
