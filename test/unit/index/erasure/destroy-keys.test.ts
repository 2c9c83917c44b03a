import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openAccess } from '../../../../index/access/access.js'
import { beginWrite, finishWrite } from '../../../../index/access/kept-answers.js'
import { openFilledArchive } from '../../../../index/archive/open-archive.js'
import { destroyingKeys } from '../../../../index/erasure/destroy-keys.js'
import { forgetName } from '../../../../index/identities/identities.js'
import { lockForErasure } from '../../../../index/store/locks.js'
import { undoPeople } from '../../../../workers/archive/undo-people.js'
import { countInFiles } from '../../../support/archive-bytes.js'
import { searchEntry, withLog } from '../../../support/audit.js'
import { temporaryDir } from '../../../support/cameo.js'
import { madeClipId, peopleArchive, quietCaller } from '../../../support/people-archive.js'

const name = 'Augusta Ada King, Countess of Lovelace'
const quiet = () => undefined

/** An archive that was served: its log and a kept answer tell of a name. */
async function served(): Promise<string> {
  const dir = temporaryDir()
  peopleArchive(
    dir,
    [name],
    [{ path: 'a.mp4', tracks: [{ like: { [name]: 0.9 }, spansS: [[0, 3]] }] }],
  ).close()
  await withLog(dir, (log) => log.append(searchEntry(name, [madeClipId(0)])))
  const access = openAccess(dir, { create: true })
  const key = { actor: 'user 1', idempotencyKey: 'k' }
  beginWrite(access, key, 'digest')
  finishWrite(access, key, { status: 200, body: JSON.stringify({ name }) })
  access.close()
  return dir
}

const keptAnswers = (dir: string) => {
  const access = openAccess(dir)
  try {
    return access.database.prepare<[], number>('SELECT count(*) FROM kept_answers').pluck().get()
  } finally {
    access.close()
  }
}

describe('an erasure that was ordered elsewhere', () => {
  it('also erases the answers that the server keeps, and nothing if nothing is erased', async () => {
    const dir = await served()
    const { archive } = openFilledArchive(dir, quiet)
    destroyingKeys(archive, quiet, () => undefined)
    assert.equal(keptAnswers(dir), 1)
    destroyingKeys(archive, quiet, (before) => {
      before?.addName(name)
      forgetName(archive.database, name)
    })
    archive.close()
    assert.equal(keptAnswers(dir), 0)
    assert.equal(countInFiles(dir, [Buffer.from(`{"name":"${name}"}`)]), 0)
  })
})

describe('an undo of a change that there is not', () => {
  it('fails, and others can erase afterwards', async () => {
    const dir = await served()
    const { archive } = openFilledArchive(dir, quiet)
    await assert.rejects(undoPeople(archive, 999, quietCaller()), { code: 'NOT_FOUND' })
    const lock = await lockForErasure(dir)
    assert.ok(lock !== undefined)
    lock.release()
    archive.close()
  })
})
