import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ActorReader } from '../../../../index/access/actor-reader.js'
import { createCollection, deleteCollection } from '../../../../index/access/collections.js'
import { startSession } from '../../../../index/access/sessions.js'
import {
  changeUser,
  createUser,
  deleteUser,
  listUsers,
  setPassword,
  userNamed,
} from '../../../../index/access/users.js'
import { goodPassword, testAccess } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

const lastAdministrator = refusedWith('LAST_ADMINISTRATOR', /last administrator/)

describe('users', () => {
  it('are listed by name, with what they may see at first: all for curators, nothing for viewers', async () => {
    const access = testAccess()
    await createUser(access, { name: 'Zoë', roles: ['viewer'] })
    await createUser(access, { name: 'ada', roles: ['curator', 'auditor'], password: goodPassword })
    assert.deepEqual(
      listUsers(access).map((user) => ({ ...user, userId: '' })),
      [
        {
          ...{ userId: '', name: 'ada', roles: ['curator', 'auditor'], isDisabled: false, hasPassword: true },
          ...{ collections: 'all', createdAt: new Date(access.now()) },
        },
        {
          ...{ userId: '', name: 'Zoë', roles: ['viewer'], isDisabled: false, hasPassword: false },
          ...{ collections: [], createdAt: new Date(access.now()) },
        },
      ],
    )
  })

  it('have names that differ in more than case and encoding', async () => {
    const access = testAccess()
    await createUser(access, { name: 'Zoë', roles: ['viewer'] })
    const again = (name: string) => createUser(access, { name, roles: ['viewer'] })
    await assert.rejects(again(' zoë '.normalize('NFD')), refusedWith('USER_TAKEN', /already/))
    const { userId } = await again('Ada')
    assert.throws(() => changeUser(access, userId, { name: 'ZOË' }), refusedWith('USER_TAKEN', /already/))
    assert.equal(changeUser(access, userId, { name: 'ADA' }).name, 'ADA')
    assert.equal(userNamed(access, 'ada').userId, userId)
  })

  it('have names without characters that cannot be seen', async () => {
    const access = testAccess()
    for (const name of ['', '  ', 'a\u0000b', 'a\u202Eb', 'a\nb', 'x'.repeat(101)])
      await assert.rejects(createUser(access, { name, roles: ['viewer'] }), refusedWith('USAGE', /name/))
    assert.deepEqual(listUsers(access), [])
  })

  it('are not made with a weak password or an unknown collection', async () => {
    const access = testAccess()
    await assert.rejects(
      createUser(access, { name: 'Ada', roles: ['viewer'], password: 'short' }),
      refusedWith('PASSWORD_WEAK', /12/),
    )
    await assert.rejects(
      createUser(access, { name: 'Ada', roles: ['viewer'], collections: ['none'] }),
      refusedWith('COLLECTION_UNKNOWN', /"none"/),
    )
    assert.deepEqual(listUsers(access), [])
  })

  it('always leave an administrator who is not disabled', async () => {
    const access = testAccess()
    const viewer = await createUser(access, { name: 'Viewer', roles: ['viewer'] })
    changeUser(access, viewer.userId, { name: 'Renamed' }) // there is no administrator yet
    const { userId } = await createUser(access, { name: 'Ada', roles: ['administrator'] })
    assert.throws(() => deleteUser(access, userId), lastAdministrator)
    assert.throws(() => changeUser(access, userId, { isDisabled: true }), lastAdministrator)
    assert.throws(() => changeUser(access, userId, { roles: ['curator'] }), lastAdministrator)
    assert.deepEqual(userNamed(access, 'Ada').roles, ['administrator'])
    const other = await createUser(access, { name: 'Zoë', roles: ['administrator'] })
    changeUser(access, other.userId, { isDisabled: true })
    assert.throws(() => deleteUser(access, userId), lastAdministrator)
    changeUser(access, other.userId, { isDisabled: false })
    deleteUser(access, userId)
    assert.throws(() => userNamed(access, 'Ada'), refusedWith('USER_UNKNOWN', /"Ada"/))
  })

  it('lose their sessions with new roles, a new password, when disabled and when deleted', async () => {
    const access = testAccess()
    const actors = new ActorReader(access)
    const { userId } = await createUser(access, { name: 'Ada', roles: ['viewer'] })
    const newSession = () => {
      const { token } = startSession(access, userId)
      assert.equal(actors.ofSession(token)?.name, 'Ada')
      return token
    }
    const kept = newSession()
    changeUser(access, userId, { name: 'Ada L.' })
    assert.equal(actors.ofSession(kept)?.name, 'Ada L.')
    changeUser(access, userId, { name: 'Ada', roles: ['viewer'] })
    assert.ok(actors.ofSession(kept) !== undefined)

    const changes: readonly [string, () => unknown][] = [
      ['new roles', () => changeUser(access, userId, { roles: ['curator'] })],
      ['a new password', () => setPassword(access, userId, goodPassword)],
      ['disabled', () => changeUser(access, userId, { isDisabled: true })],
    ]
    for (const [what, change] of changes) {
      const token = newSession()
      await change()
      assert.equal(actors.ofSession(token), undefined, what)
    }
    changeUser(access, userId, { isDisabled: false })
    assert.equal(actors.ofSession(kept), undefined, 'an enabled user has to sign in again')
    const token = newSession()
    deleteUser(access, userId)
    assert.equal(actors.ofSession(token), undefined, 'deleted')
  })

  it('see nothing any more when their only collection is deleted', async () => {
    const access = testAccess()
    const actors = new ActorReader(access)
    const { collectionId } = createCollection(access, { name: 'Family', folders: ['/films/family'] })
    const { userId } = await createUser(access, {
      ...{ name: 'Ada', roles: ['viewer'], collections: [collectionId] },
    })
    const { token } = startSession(access, userId)
    assert.deepEqual(actors.ofSession(token)?.folders, ['/films/family'])
    deleteCollection(access, collectionId)
    assert.deepEqual(actors.ofSession(token)?.folders, [])
  })
})
