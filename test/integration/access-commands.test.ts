import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openAccess } from '../../index/access/access.js'
import { ActorReader } from '../../index/access/actor-reader.js'
import { listAudit } from '../../index/audit/list-audit.js'
import { systemActor } from '../../index/audit/system-actor.js'
import { signIn } from '../../index/access/sign-in.js'
import { createUser } from '../../index/access/users.js'
import { goodPassword } from '../support/access.js'
import { withLog } from '../support/audit.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { peopleArchive } from '../support/people-archive.js'

const archive = temporaryDir()

/** Runs a subcommand of `access` with --json. */
async function access(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await cameo(['access', ...args, '--archive', archive, '--json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

async function refused(code: string, ...args: string[]): Promise<void> {
  const { code: exit, stdout } = await cameo(['access', ...args, '--archive', archive, '--json'])
  assert.equal(exit, 2)
  assert.equal((JSON.parse(stdout) as { code: string }).code, code)
}

const program = fileURLToPath(new URL('../../scripts/cameo.js', import.meta.url))
const withInput = (input: string, ...args: string[]) =>
  spawnSync(process.execPath, [program, 'access', ...args, '--archive', archive], { input, encoding: 'utf8' })

const addressAndName = { address: '127.0.0.1', name: 'Ada' }

describe('the commands for access', () => {
  before(async () => {
    peopleArchive(archive, [], []).close()
    const own = openAccess(archive)
    await createUser(own, { name: 'Owner', roles: ['administrator'], password: goodPassword })
    own.close()
  })

  it('add a user with a password from standard input, and set another one', async () => {
    const own = openAccess(archive)
    try {
      const added = withInput(`${goodPassword}\nnot this line`, 'users', 'add', 'Ada', '--role', 'viewer')
      assert.equal(added.stdout, '"Ada": viewer; sees nothing\n', added.stderr)
      await signIn(own, { ...addressAndName, password: goodPassword })
      const set = withInput('another good one\r\n', 'users', 'password', 'ADA')
      assert.equal(set.stdout, 'the password of "Ada" is set\n', set.stderr)
      await signIn(own, { ...addressAndName, password: 'another good one' })
      assert.equal(withInput('', 'users', 'password', 'Ada').status, 2)
    } finally {
      own.close()
    }
  })

  it('make collections, and grant and revoke them', async () => {
    await access('collections', 'add', 'Family', '/films/family', 's3://films/family')
    await access('collections', 'add', 'Work', '/films/work')
    const seenBy = async (...args: string[]) =>
      ((await access('collections', ...args)) as { collections: unknown }).collections
    assert.deepEqual(await seenBy('grant', 'Ada', 'family'), ['Family'])
    assert.deepEqual(await seenBy('grant', 'Ada', 'Work'), ['Family', 'Work'])
    assert.deepEqual(await seenBy('revoke', 'Ada', 'Family'), ['Work'])
    assert.equal(await seenBy('grant', 'Ada', '--all'), 'all')
    await refused('USAGE', 'collections', 'revoke', 'Ada', 'Work')
    assert.deepEqual(await seenBy('revoke', 'Ada', '--all'), [])
    await refused('USAGE', 'collections', 'grant', 'Ada')
    await refused('COLLECTION_UNKNOWN', 'collections', 'grant', 'Ada', 'Friends')
    assert.deepEqual(await access('collections', 'remove', 'WORK'), { removed: 'Work' })
    const { collections } = (await access('collections', 'list')) as { collections: { folders: string[] }[] }
    assert.deepEqual(collections.map(({ folders }) => folders), [['/films/family', 's3://films/family']]) // prettier-ignore
  })

  it('change roles, disable, enable and delete users', async () => {
    const changed = async (...args: string[]) =>
      (await access('users', ...args)) as { roles: string[]; disabled: boolean }
    assert.deepEqual((await changed('roles', 'Ada', 'auditor', 'ingester')).roles, ['ingester', 'auditor'])
    assert.equal((await changed('disable', 'Ada')).disabled, true)
    assert.equal((await changed('disable', 'Ada', '--undo')).disabled, false)
    await refused('LAST_ADMINISTRATOR', 'users', 'delete', 'Owner')
    await refused('USER_UNKNOWN', 'users', 'delete', 'Eve')
    assert.deepEqual(await access('users', 'delete', 'ada'), { deleted: 'Ada' })
    const { users } = (await access('users', 'list')) as { users: { name: string; password: boolean }[] }
    assert.deepEqual(users.map(({ name, password }) => [name, password]), [['Owner', true]]) // prettier-ignore
  })

  it('make a key that works until it is revoked, and never list its text', async () => {
    const made = (await access(
      ...['keys', 'create', 'Owner', '--name', 'nightly', '--role', 'viewer', '--role', 'ingester'],
    )) as { key: string; keyId: string; roles: string[] }
    assert.deepEqual(made.roles, ['viewer', 'ingester'])
    const own = openAccess(archive)
    try {
      const actors = new ActorReader(own)
      assert.equal(actors.ofKey(made.key)?.id, made.keyId)
      const listed = JSON.stringify(await access('keys', 'list', '--user', 'owner'))
      assert.ok(listed.includes(made.keyId) && !listed.includes(made.key.slice(-43)))
      await access('keys', 'revoke', made.keyId)
      assert.equal(actors.ofKey(made.key), undefined)
    } finally {
      own.close()
    }
    await refused('KEY_UNKNOWN', 'keys', 'revoke', made.keyId)
    await refused('USAGE', 'keys', 'create', 'Owner', '--name', 'x', '--role', 'king')
  })

  it('show and change settings', async () => {
    const settings = async (...args: string[]) =>
      (await access('settings', ...args)) as { purposeRequired: boolean; sessionHours: number }
    assert.equal((await settings('show')).purposeRequired, false)
    assert.equal((await settings('set', 'purposeRequired', 'true')).purposeRequired, true)
    assert.equal((await settings('set', 'sessionHours', '8')).sessionHours, 8)
    await refused('USAGE', 'settings', 'set', 'sessionHours', 'long')
    await refused('USAGE', 'settings', 'set', 'unknown', '1')
    assert.equal((await settings('show')).sessionHours, 8)
  })

  it('write every change to the audit log as the server does, in the name of this user, and name nobody in it', async () => {
    await withLog(archive, (log) => {
      const { entries } = listAudit(log, { order: 'oldest' })
      assert.deepEqual(
        entries.map(({ action }) => action),
        [
          ...['user-create', 'user-change', 'collection-create', 'collection-create'],
          // Five grants; then roles, and twice whether the user is disabled.
          ...Array.from({ length: 5 }, () => 'user-change'),
          'collection-delete',
          ...Array.from({ length: 3 }, () => 'user-change'),
          ...['user-delete', 'key-create', 'key-revoke', 'settings', 'settings'],
        ],
      )
      assert.ok(entries.every(({ actor }) => actor.kind === 'system' && actor.name === systemActor().name))
      assert.deepEqual(entries.at(-1)?.details, { sessionHours: 8 })
      const details = JSON.stringify(entries.map((entry) => entry.details))
      assert.doesNotMatch(details, /Ada|Owner|Family|Work|nightly|films|cameo_/)
    })
  })

  it('refuse a folder without an archive', async () => {
    const { code, stdout } = await cameo(['access', 'users', 'list', '--archive', '/nowhere', '--json'])
    assert.equal(code, 2)
    assert.equal((JSON.parse(stdout) as { code: string }).code, 'ARCHIVE_MISSING')
  })
})
