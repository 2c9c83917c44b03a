import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ActorReader } from '../../../../index/access/actor-reader.js'
import { createApiKey, listApiKeys, revokeApiKey } from '../../../../index/access/api-keys.js'
import { createCollection } from '../../../../index/access/collections.js'
import type { Role } from '../../../../index/access/roles.js'
import { changeUser, createUser, deleteUser } from '../../../../index/access/users.js'
import { hourMs, minuteMs, testAccess } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

const setUp = async (roles: readonly Role[] = ['curator']) => {
  const access = testAccess()
  const { userId } = await createUser(access, { name: 'Ada', roles })
  const expiresAt = new Date(access.now() + 24 * hourMs)
  const make = (wish: Partial<Parameters<typeof createApiKey>[1]> = {}) =>
    createApiKey(access, { userId, name: 'nightly', roles: ['viewer'], expiresAt, ...wish })
  return { access, userId, make, actors: new ActorReader(access) }
}

describe('an API key', () => {
  it('acts with its own roles, and names its owner and itself', async () => {
    const { make, actors } = await setUp()
    const { keyId, text } = make()
    assert.match(text, /^cameo_[0-9a-f]{16}_[\w-]{43}$/)
    const { kind, id, name, rights, folders } = actors.ofKey(text) ?? {}
    assert.deepEqual(
      { kind, id, name, folders },
      { kind: 'key', id: keyId, name: 'Ada: nightly', folders: 'all' },
    )
    assert.deepEqual([...(rights ?? [])], ['search', 'view', 'export'])
  })

  it('is wrong with any other secret or id', async () => {
    const { make, actors } = await setUp()
    const [one, two] = [make(), make()]
    const secretOf = (text: string) => text.split('_').slice(2).join('_')
    const flipped = one.text.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    for (const text of [
      ...['', 'cameo_', flipped, `${one.text}A`, one.text.slice(0, -1), one.text.toUpperCase()],
      ...[`cameo_${one.keyId}_${secretOf(two.text)}`, `cameo_${'0'.repeat(16)}_${secretOf(one.text)}`],
    ])
      assert.equal(actors.ofKey(text), undefined, text)
    assert.ok(actors.ofKey(one.text))
  })

  it('ends when it expires, when it is revoked, and with its owner', async () => {
    const { access, userId, make, actors } = await setUp()
    const [expiring, revoked] = [make({ expiresAt: new Date(access.now() + minuteMs) }), make()]
    revokeApiKey(access, revoked.keyId)
    assert.equal(actors.ofKey(revoked.text), undefined)
    assert.throws(() => revokeApiKey(access, revoked.keyId), refusedWith('KEY_UNKNOWN', /no key/))
    assert.ok(actors.ofKey(expiring.text))
    access.pass(minuteMs)
    assert.equal(actors.ofKey(expiring.text), undefined)

    const lasting = make()
    changeUser(access, userId, { isDisabled: true })
    assert.equal(actors.ofKey(lasting.text), undefined)
    changeUser(access, userId, { isDisabled: false })
    assert.ok(actors.ofKey(lasting.text))
    deleteUser(access, userId)
    assert.equal(actors.ofKey(lasting.text), undefined)
    assert.deepEqual(listApiKeys(access), [])
  })

  it('never has a right that its owner does not have', async () => {
    const { access, userId, make, actors } = await setUp(['curator', 'ingester'])
    for (const role of ['administrator', 'auditor'] as const)
      assert.throws(() => make({ roles: [role] }), refusedWith('RIGHT_MISSING', /right ".*" is missing/))
    make({ roles: ['viewer', 'ingester'] }) // less than a curator
    const { text } = make({ roles: ['curator'] })
    changeUser(access, userId, { roles: ['ingester'] })
    assert.deepEqual([...(actors.ofKey(text)?.rights ?? [])].sort(), ['ingest', 'view'])
  })

  it('never sees a collection that its owner does not see', async () => {
    const { access, userId, make, actors } = await setUp()
    const [family, work] = ['family', 'work'].map((name) =>
      createCollection(access, { name, folders: [`/films/${name}`, `s3://films/${name}`] }),
    )
    assert.ok(family !== undefined && work !== undefined)
    const [asOwner, one] = [make(), make({ collections: [family.collectionId] })]
    const seen = () => [asOwner, one].map(({ text }) => actors.ofKey(text)?.folders)
    assert.deepEqual(seen(), ['all', ['/films/family', 's3://films/family']])
    changeUser(access, userId, { collections: [work.collectionId] })
    assert.deepEqual(seen(), [['/films/work', 's3://films/work'], []])
  })

  it('expires in the future and within a year', async () => {
    const { access, make } = await setUp()
    for (const days of [-1, 0, 400, Number.NaN])
      assert.throws(
        () => make({ expiresAt: new Date(access.now() + days * 24 * hourMs) }),
        refusedWith('USAGE', /expire/),
      )
  })

  it('is listed without its secret, with its last use', async () => {
    const { access, make, actors } = await setUp()
    const { text, ...made } = make()
    assert.deepEqual(listApiKeys(access), [made])
    access.pass(minuteMs)
    actors.ofKey(text)
    assert.deepEqual(listApiKeys(access), [{ ...made, usedAt: new Date(access.now()) }])
    assert.equal(JSON.stringify(listApiKeys(access)).includes(text.slice(-20)), false)
  })
})
