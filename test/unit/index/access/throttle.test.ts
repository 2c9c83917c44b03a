import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openAccess } from '../../../../index/access/access.js'
import { SignInThrottle } from '../../../../index/access/throttle.js'
import { createUser, setPassword } from '../../../../index/access/users.js'
import { goodPassword, hourMs, minuteMs, secondMs, testAccess } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

const throttled = refusedWith('SIGN_IN_THROTTLED', /too many sign-ins failed/)

const setUp = async () => {
  const access = testAccess()
  const { userId } = await createUser(access, { name: 'Ada', roles: ['viewer'], password: goodPassword })
  const from = (address: string, nameKey = 'ada') =>
    new SignInThrottle(access, { nameKey, userId: nameKey === 'ada' ? userId : undefined, address })
  const failFrom = (address: string, times: number, nameKey?: string) => {
    for (let i = 0; i < times; i++) from(address, nameKey).begin()
  }
  return { access, userId, from, failFrom }
}

describe('failed sign-ins', () => {
  it('make the user wait 1 s after the fifth, and twice as long after each further one', async () => {
    const { access, from, failFrom } = await setUp()
    failFrom('a', 5)
    for (const waitS of [1, 2, 4, 8]) {
      access.pass(waitS * secondMs - 1)
      assert.throws(() => from('a').begin(), throttled, `before ${waitS} s`)
      access.pass(1)
      from('a').begin()
    }
  })

  it('tell how long to wait', async () => {
    const { access, from, failFrom } = await setUp()
    failFrom('a', 5)
    access.pass(300)
    assert.throws(
      () => from('a').begin(),
      (error: Error & { details?: object }) => {
        assert.deepEqual(error.details, { remedy: 'wait', seconds: 1 })
        return throttled(error)
      },
    )
  })

  it('never make anybody wait longer than 15 minutes', async () => {
    const { access, from } = await setUp()
    for (let i = 0; i < 60; i++) {
      from(`address ${i}`).begin()
      access.pass(15 * minuteMs)
    }
    from('a').begin()
  })

  it('of a user count from whatever address they come', async () => {
    const { from, failFrom } = await setUp()
    for (let i = 0; i < 5; i++) failFrom(`address ${i}`, 1)
    assert.throws(() => from('another').begin(), throttled)
    from('another', 'zoë').begin()
  })

  it('of an address count for whatever user they are', async () => {
    const { from, failFrom } = await setUp()
    for (let i = 0; i < 20; i++) failFrom('a', 1, `name ${i}`)
    assert.throws(() => from('a', 'one more').begin(), throttled)
    from('b', 'one more').begin()
  })

  it('of strangers do not keep a user out of an address that the user has signed in from', async () => {
    const { access, from, failFrom } = await setUp()
    from('home').succeed()
    for (let i = 0; i < 30; i++) {
      failFrom(`address ${i}`, 1)
      access.pass(15 * minuteMs)
    }
    assert.throws(() => {
      failFrom('x', 2)
    }, throttled)
    const own = from('home')
    own.begin()
    own.succeed()
    failFrom('home', 5)
    assert.throws(() => from('home').begin(), throttled, 'failures from there count, too')
  })

  it('are counted before the password is checked, so that parallel guesses count', async () => {
    const { from } = await setUp()
    const guesses = Array.from({ length: 10 }, () => from('a'))
    const refused = guesses.filter((guess) => {
      try {
        guess.begin()
        return false
      } catch {
        return true
      }
    })
    assert.equal(refused.length, 5)
  })

  it('no longer count after a success, a new password, or a day', async () => {
    const { access, userId, from, failFrom } = await setUp()
    failFrom('a', 4)
    const right = from('a')
    right.begin()
    right.succeed()
    failFrom('b', 5)
    await setPassword(access, userId, 'another good one')
    failFrom('b', 5)
    access.pass(25 * hourMs)
    failFrom('b', 5)
    assert.throws(() => from('b').begin(), throttled)
  })

  it('still count after a restart', async () => {
    const { access, failFrom } = await setUp()
    failFrom('a', 5)
    access.close()
    const again = openAccess(access.dir, { now: () => access.now() })
    try {
      const attempt = new SignInThrottle(again, { nameKey: 'ada', userId: undefined, address: 'a' })
      assert.throws(() => attempt.begin(), throttled)
    } finally {
      again.close()
    }
  })
})
