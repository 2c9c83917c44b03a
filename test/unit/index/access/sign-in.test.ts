import { hash } from '@node-rs/argon2'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openAccess } from '../../../../index/access/access.js'
import { ActorReader } from '../../../../index/access/actor-reader.js'
import { csrfTokenOf, endSession, isCsrfToken, startSession } from '../../../../index/access/sessions.js'
import { changeSettings } from '../../../../index/access/settings.js'
import { changeOwnPassword, signIn } from '../../../../index/access/sign-in.js'
import { changeUser, createUser } from '../../../../index/access/users.js'
import { findUserRow, updateUser } from '../../../../index/store/access/users.js'
import { goodPassword, hourMs, minuteMs, testAccess, type TestAccess } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

const address = '192.0.2.1'
const wrong = refusedWith('SIGN_IN_FAILED', /^the name or the password is wrong$/)

const withAda = async (access: TestAccess = testAccess()) => {
  const { userId } = await createUser(access, { name: 'Ada', roles: ['viewer'], password: goodPassword })
  return { access, userId, actors: new ActorReader(access) }
}

describe('a sign-in', () => {
  it('starts a session for the right name and password', async () => {
    const { access, userId, actors } = await withAda()
    const { token, user, csrfToken } = await signIn(access, {
      ...{ name: ' ADA', password: goodPassword, address },
    })
    assert.equal(user.userId, userId)
    assert.match(token, /^[\w-]{43}$/)
    const { kind, id, name, roles, rights, folders } = actors.ofSession(token) ?? {}
    assert.deepEqual({ kind, id, name, roles }, { kind: 'user', id: userId, name: 'Ada', roles: ['viewer'] })
    assert.deepEqual([...(rights ?? [])], ['search', 'view', 'export'])
    assert.deepEqual(folders, [])
    assert.ok(isCsrfToken(token, csrfToken))
  })

  it('says the same of a wrong name, a wrong password, a disabled user and one without a password', async () => {
    const { access, userId } = await withAda()
    await createUser(access, { name: 'Nobody', roles: ['viewer'] })
    const attempt = (name: string, password: string) => signIn(access, { name, password, address })
    await assert.rejects(attempt('Ada', 'wrong'), wrong)
    await assert.rejects(attempt('Eve', goodPassword), wrong)
    await assert.rejects(attempt('Nobody', ''), wrong)
    changeUser(access, userId, { isDisabled: true })
    await assert.rejects(attempt('Ada', goodPassword), wrong)
  })

  it('ends the earlier session of the client and never takes over its token', async () => {
    const { access, userId, actors } = await withAda()
    const { token: planted } = startSession(access, userId)
    const { token } = await signIn(access, {
      ...{ name: 'Ada', password: goodPassword, address, replaces: planted },
    })
    assert.notEqual(token, planted)
    assert.equal(actors.ofSession(planted), undefined)
    assert.ok(actors.ofSession(token))
  })

  it('hashes the password again if the parameters have changed', async () => {
    const { access, userId } = await withAda()
    const before = findUserRow(access.database, userId)
    assert.ok(before)
    const passwordHash = await hash(goodPassword, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
    updateUser(access.database, { ...before, passwordHash })
    await signIn(access, { name: 'Ada', password: goodPassword, address })
    assert.match(findUserRow(access.database, userId)?.passwordHash ?? '', /m=19456,t=2,p=1/)
    await signIn(access, { name: 'Ada', password: goodPassword, address })
  })

  it('leaves no password and no token in the files', async () => {
    const { access } = await withAda()
    const { token } = await signIn(access, { name: 'Ada', password: goodPassword, address })
    await assert.rejects(signIn(access, { name: goodPassword, password: 'x', address }), wrong)
    const files = readdirSync(access.dir).filter((name) => name.startsWith('access.sqlite'))
    assert.ok(files.length >= 1)
    for (const file of files) {
      const bytes = readFileSync(join(access.dir, file))
      for (const secret of [goodPassword, token]) assert.equal(bytes.includes(secret), false, file)
    }
  })
})

describe('the change of the own password', () => {
  it('needs the old one, ends all sessions, and starts a new one', async () => {
    const { access, userId, actors } = await withAda()
    const { token } = startSession(access, userId)
    const change = (oldPassword: string, newPassword = 'another good one') =>
      changeOwnPassword(access, userId, { oldPassword, newPassword, address })
    await assert.rejects(change('not the old one'), wrong)
    await assert.rejects(change(goodPassword, 'short'), refusedWith('PASSWORD_WEAK', /12/))
    assert.ok(actors.ofSession(token))
    const { token: next } = await change(goodPassword)
    assert.equal(actors.ofSession(token), undefined)
    assert.ok(actors.ofSession(next))
    await signIn(access, { name: 'Ada', password: 'another good one', address })
  })
})

describe('a session', () => {
  it('ends after an hour without a request, and 12 hours after its sign-in', async () => {
    const { access, userId, actors } = await withAda()
    const idle = startSession(access, userId)
    access.pass(hourMs - 1)
    assert.ok(actors.ofSession(idle.token))
    access.pass(hourMs)
    assert.equal(actors.ofSession(idle.token), undefined)

    const watched = startSession(access, userId)
    for (let hours = 0; hours < 2; hours++) {
      access.pass(hourMs / 2)
      if (hours < 1) assert.ok(actors.ofSession(watched.token, false), 'the server asks, not the user')
    }
    assert.equal(actors.ofSession(watched.token, false), undefined)

    const busy = startSession(access, userId)
    for (let minutes = 0; minutes < 12 * 60; minutes += 30) {
      assert.ok(actors.ofSession(busy.token), `after ${minutes} minutes`)
      access.pass(30 * minuteMs)
    }
    assert.equal(actors.ofSession(busy.token), undefined)
    assert.equal(busy.expiresAt.getTime(), access.now())
  })

  it('lasts as long as the settings say, from now on', async () => {
    const { access, userId, actors } = await withAda()
    const { token } = startSession(access, userId)
    access.pass(30 * minuteMs)
    assert.ok(actors.ofSession(token))
    changeSettings(access, { sessionHours: 0.25 })
    assert.equal(actors.ofSession(token), undefined)
  })

  it('ends when the user signs out', async () => {
    const { access, userId, actors } = await withAda()
    const { token } = startSession(access, userId)
    endSession(access, token)
    assert.equal(actors.ofSession(token), undefined)
    endSession(access, token)
  })

  it('counts at once in another process, and so does its end', async () => {
    const { access, userId, actors } = await withAda()
    const other = openAccess(access.dir, { now: () => access.now() })
    try {
      const { token } = startSession(other, userId)
      assert.ok(actors.ofSession(token))
      changeUser(other, userId, { isDisabled: true })
      assert.equal(actors.ofSession(token), undefined)
    } finally {
      other.close()
    }
  })

  it('has a token against forged requests that belongs to no other session', async () => {
    const { access, userId } = await withAda()
    const [one, two] = [startSession(access, userId), startSession(access, userId)]
    assert.equal(csrfTokenOf(one.token), one.csrfToken)
    assert.ok(isCsrfToken(one.token, one.csrfToken))
    assert.equal(isCsrfToken(one.token, two.csrfToken), false)
    assert.equal(isCsrfToken(one.token, ''), false)
    assert.equal(isCsrfToken(one.token, one.token), false)
  })

  it('is not found by a text that is no token', async () => {
    const { actors } = await withAda()
    for (const token of ['', 'x', "' OR 1=1 --", '\u0000'.repeat(43)])
      assert.equal(actors.ofSession(token), undefined)
  })
})
