import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  abandonWrite,
  beginWrite,
  eraseKeptAnswers,
  finishWrite,
} from '../../../../index/access/kept-answers.js'
import { changeSettings, defaultSettings, readSettings } from '../../../../index/access/settings.js'
import { hourMs, minuteMs, testAccess } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

describe('settings', () => {
  it('have defaults until they are changed, and keep what was changed', () => {
    const access = testAccess()
    assert.deepEqual(readSettings(access), defaultSettings)
    changeSettings(access, { purposeRequired: true, sessionHours: 2 })
    changeSettings(access, { searchesPerMinute: 7 })
    assert.deepEqual(readSettings(access), {
      ...{ ...defaultSettings, purposeRequired: true, sessionHours: 2, searchesPerMinute: 7 },
    })
  })

  it('are not changed by a name or value that is not valid', () => {
    const access = testAccess()
    for (const change of [
      { purposeRequired: 'yes' },
      { sessionHours: 0 },
      { sessionHours: 1e6 },
      { searchesPerMinute: 1.5 },
      { unknown: true },
      { purposeRequired: true, approvalRequired: 1 },
    ])
      assert.throws(() => changeSettings(access, change), refusedWith('USAGE', /not valid/))
    assert.deepEqual(readSettings(access), defaultSettings)
  })
})

describe('a write that is sent again', () => {
  const key = { actor: 'user 1', idempotencyKey: 'k' }
  const answer = { status: 201, body: '{"done":true}' }

  it('gets the answer of the first one, for a day', () => {
    const access = testAccess()
    assert.equal(beginWrite(access, key, 'digest'), undefined)
    finishWrite(access, key, answer)
    access.pass(23 * hourMs)
    assert.deepEqual(beginWrite(access, key, 'digest'), answer)
    access.pass(2 * hourMs)
    assert.equal(beginWrite(access, key, 'digest'), undefined)
  })

  it('is refused if it says something else, or while the first one runs', () => {
    const access = testAccess()
    beginWrite(access, key, 'digest')
    assert.throws(() => beginWrite(access, key, 'digest'), refusedWith('IDEMPOTENCY_CONFLICT', /still runs/))
    finishWrite(access, key, answer)
    assert.throws(
      () => beginWrite(access, key, 'other'),
      refusedWith('IDEMPOTENCY_CONFLICT', /another request/),
    )
  })

  it('is done again if the first one failed or was interrupted', () => {
    const access = testAccess()
    beginWrite(access, key, 'digest')
    abandonWrite(access, key)
    assert.equal(beginWrite(access, key, 'digest'), undefined)
    access.pass(10 * minuteMs)
    assert.equal(beginWrite(access, key, 'digest'), undefined)
  })

  it('of somebody else has nothing to do with it', () => {
    const access = testAccess()
    beginWrite(access, key, 'digest')
    finishWrite(access, key, answer)
    assert.equal(beginWrite(access, { ...key, actor: 'user 2' }, 'digest'), undefined)
  })

  it('is done again after its answer was erased', () => {
    const access = testAccess()
    beginWrite(access, key, 'digest')
    finishWrite(access, key, answer)
    assert.equal(eraseKeptAnswers(access), true)
    assert.equal(beginWrite(access, key, 'digest'), undefined)
  })
})
