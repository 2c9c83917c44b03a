import { hash } from '@node-rs/argon2'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkPassword, hashPassword, verifyPassword } from '../../../../index/access/passwords.js'
import { goodPassword } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

describe('a stored password', () => {
  it('is an Argon2id hash with the parameters that OWASP asks for, and a salt of its own', async () => {
    const [one, two] = await Promise.all([hashPassword(goodPassword), hashPassword(goodPassword)])
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.notEqual(one, two)
    assert.ok(!one.includes(goodPassword))
  })

  it('is proved by the same password, in any encoding of its letters, and by no other', async () => {
    const stored = await hashPassword('Zoë likes längere'.normalize('NFC'))
    const check = async (password: string) => (await verifyPassword(stored, password)).isRight
    assert.equal(await check('Zoë likes längere'.normalize('NFD')), true)
    assert.equal(await check('zoë likes längere'), false)
    assert.equal(await check(''), false)
    assert.equal(await check(`Zoë likes längere${'x'.repeat(5000)}`), false)
  })

  it('is outdated if it was hashed with other parameters', async () => {
    const weaker = await hash(goodPassword, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
    assert.deepEqual(await verifyPassword(weaker, goodPassword), { isRight: true, isOutdated: true })
    const current = await hashPassword(goodPassword)
    assert.deepEqual(await verifyPassword(current, goodPassword), { isRight: true, isOutdated: false })
  })
})

describe('without a stored password', () => {
  it('no password is right', async () => {
    for (const password of ['', goodPassword])
      assert.deepEqual(await verifyPassword(undefined, password), { isRight: false, isOutdated: false })
  })

  it('the check hashes, too, so that its time does not tell whether there is a user', async () => {
    const stored = await hashPassword(goodPassword)
    const timeOf = async (hashed: string | undefined) => {
      const started = performance.now()
      await verifyPassword(hashed, 'wrong password')
      return performance.now() - started
    }
    const best = async (hashed: string | undefined) => {
      const times = []
      for (let i = 0; i < 5; i++) times.push(await timeOf(hashed))
      return Math.min(...times)
    }
    // Without the hash it would take microseconds instead of many milliseconds.
    assert.ok((await best(undefined)) > 0.3 * (await best(stored)))
  })
})

describe('a new password', () => {
  const refused = (password: string, said: RegExp, name = 'ada') =>
    assert.throws(() => checkPassword(password, name), refusedWith('PASSWORD_WEAK', said))

  it('needs 12 characters', () => {
    refused('elevenchars', /12 characters/)
    refused('é'.normalize('NFD').repeat(6) + 'abcde', /12 characters/)
    checkPassword('twelve chars', 'ada')
  })

  it('needs some different characters', () => refused('abababababababab', /different/))

  it("needs 12 characters besides the user's name, in any case", () => {
    refused('Lovelace-lovelace1', /besides/, 'lovelace')
    checkPassword('Lovelace and her engine', 'lovelace')
  })

  it('may not be endless', () => refused('abcdefgh'.repeat(200), /longer than 1024 bytes/))
})
