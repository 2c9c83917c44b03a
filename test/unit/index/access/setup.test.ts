import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { completeSetup, createSetupToken, isSetupNeeded } from '../../../../index/access/setup.js'
import { signIn } from '../../../../index/access/sign-in.js'
import { createUser, listUsers } from '../../../../index/access/users.js'
import { goodPassword, hourMs, testAccess } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

const refused = refusedWith('SETUP_REFUSED', /link is not valid/)
const wish = { name: 'Ada', password: goodPassword }

describe('the link for the first administrator', () => {
  it('makes one who can sign in, once', async () => {
    const access = testAccess()
    assert.equal(isSetupNeeded(access), true)
    const { token } = createSetupToken(access)
    const { roles, collections } = await completeSetup(access, { token, ...wish })
    assert.deepEqual({ roles, collections }, { roles: ['administrator'], collections: 'all' })
    assert.equal(isSetupNeeded(access), false)
    await signIn(access, { ...wish, address: 'a' })
    await assert.rejects(completeSetup(access, { token, ...wish, name: 'Eve' }), refused)
    assert.throws(() => createSetupToken(access), refusedWith('SETUP_REFUSED', /already/))
    assert.equal(listUsers(access).length, 1)
  })

  it('makes one of two who use it at the same time', async () => {
    const access = testAccess()
    const { token } = createSetupToken(access)
    const results = await Promise.allSettled(
      ['Ada', 'Eve'].map((name) => completeSetup(access, { token, ...wish, name })),
    )
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    assert.equal(listUsers(access).length, 1)
  })

  it('expires after an hour, and when a newer one is made', async () => {
    const access = testAccess()
    const { token: older } = createSetupToken(access)
    const { token, expiresAt } = createSetupToken(access)
    await assert.rejects(completeSetup(access, { token: older, ...wish }), refused)
    assert.equal(expiresAt.getTime(), access.now() + hourMs)
    access.pass(hourMs)
    await assert.rejects(completeSetup(access, { token, ...wish }), refused)
  })

  it('no longer works when there is an administrator already', async () => {
    const access = testAccess()
    const { token } = createSetupToken(access)
    await createUser(access, { name: 'Zoë', roles: ['administrator'], password: goodPassword })
    await assert.rejects(completeSetup(access, { token, ...wish }), refused)
  })

  it('still works after a password that was too weak', async () => {
    const access = testAccess()
    const { token } = createSetupToken(access)
    await assert.rejects(
      completeSetup(access, { token, name: 'Ada', password: 'short' }),
      refusedWith('PASSWORD_WEAK', /12/),
    )
    await completeSetup(access, { token, ...wish })
  })

  it('does not work with a made-up token', async () => {
    const access = testAccess()
    createSetupToken(access)
    for (const token of ['', 'x'.repeat(43)])
      await assert.rejects(completeSetup(access, { token, ...wish }), refused)
  })
})
