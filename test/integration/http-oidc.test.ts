/** Signing in with accounts of a provider of OpenID Connect, which runs here. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openAccess, type Access } from '../../index/access/access.js'
import { changeSettings } from '../../index/access/settings.js'
import { changeUser, createUser, listUsers, userNamed } from '../../index/access/users.js'
import { AuditLog } from '../../index/audit/audit-log.js'
import { listAudit } from '../../index/audit/list-audit.js'
import { OidcProvider } from '../../workers/http/door/oidc.js'
import { serve, type RunningServer } from '../../workers/http/serve.js'
import { createSilentLog } from '../../workers/service/log.js'
import { goodPassword } from '../support/access.js'
import { temporaryDir } from '../support/cameo.js'
import { clientId, clientSecret, startProvider, Visitor, type TestProvider } from '../support/oidc.js'
import { peopleArchive } from '../support/people-archive.js'
import { refusedWith } from '../support/refused-with.js'

const dir = temporaryDir()
const archive = join(dir, 'archive')
const secretFile = join(dir, 'secret')

let provider: TestProvider
let server: RunningServer
/** Takes roles from the provider. */
let strict: RunningServer
let access: Access

const api = (path: string, own = server) => `${own.url}/api/v1${path}`
const isBack = (url: string) => new URL(url).pathname === '/api/v1/oidc/callback'

const sessionOf = async (visitor: Visitor, own = server) => {
  const response = await visitor.request(api('/session', own))
  return (await response.json()) as { user?: { name: string; roles: string[]; rights: string[] } }
}

/** Signs in up to the address at which the server takes over again. */
const comeBack = (visitor: Visitor, subject: string, own = server) =>
  visitor.signInAt(api('/oidc/start', own), subject, isBack)

async function signIn(subject: string, own = server): Promise<Visitor> {
  const visitor = new Visitor()
  const ended = await visitor.visit(await comeBack(visitor, subject, own), {}, (url) => !isBack(url))
  assert.equal(ended, `${own.url}/`)
  return visitor
}

const lastEntries = (limit: number) => {
  const log = AuditLog.open(archive)
  try {
    return listAudit(log, { limit }).entries
  } finally {
    log.close()
  }
}

before(async () => {
  peopleArchive(
    archive,
    ['Ada'],
    [{ path: 'a.mp4', tracks: [{ like: { Ada: 0.9 }, spansS: [[0, 3]] }] }],
  ).close()
  writeFileSync(secretFile, `${clientSecret}\n`)
  provider = await startProvider()
  const start = (oidc: object) =>
    serve({
      ...{ archive, port: 0, log: createSilentLog(), temporaryDir: join(dir, 'temporary') },
      oidc: { issuer: provider.issuer, clientId, secretFile, label: 'the office', ...oidc },
    })
  access = openAccess(archive)
  changeSettings(access, { signInsPerMinute: 1000 })
  await createUser(access, { name: 'admin', roles: ['administrator'], password: goodPassword })
  server = await start({})
  strict = await start({ roleClaim: 'groups' })
  for (const own of [server, strict]) provider.allow(api('/oidc/callback', own))
})
after(async () => {
  await Promise.all([server.close(), strict.close()])
  access.close()
  await provider.close()
})

describe('signing in with an account of a provider', () => {
  it('makes a user without roles at first, whom an administrator can give some', async () => {
    provider.claims.set('s-1', { preferred_username: 'grace', email: 'grace@example.org' })
    const visitor = await signIn('s-1')
    const { user } = await sessionOf(visitor)
    assert.deepEqual([user?.name, user?.roles, user?.rights], ['grace', [], []])
    assert.equal((await visitor.request(api('/clips'))).status, 403)
    assert.deepEqual(
      lastEntries(2).map(({ action, actor }) => [action, actor.name]),
      [
        ['sign-in', 'grace'],
        ['user-create', 'grace'],
      ],
    )
    changeUser(access, userNamed(access, 'grace').userId, { roles: ['viewer'] })
    const again = await signIn('s-1')
    assert.deepEqual((await sessionOf(again)).user?.roles, ['viewer'])
    assert.equal((await again.request(api('/clips'))).status, 200)
  })

  it('never becomes another user who has the same name', async () => {
    provider.claims.set('s-2', { preferred_username: 'Admin' })
    const visitor = await signIn('s-2')
    const { user } = await sessionOf(visitor)
    assert.deepEqual([user?.name, user?.roles], ['Admin (2)', []])
    provider.claims.set('s-3', { preferred_username: `\u202Ex${'y'.repeat(200)}\u0000` })
    assert.match((await sessionOf(await signIn('s-3'))).user?.name ?? '', /^xy+$/)
    assert.equal((await sessionOf(await signIn('s-4'))).user?.name, 'user')
  })

  it('starts a session with a new token, in a cookie that no script reads, and removes the cookie of the sign-in', async () => {
    const visitor = new Visitor()
    const back = await comeBack(visitor, 's-5')
    assert.notEqual(visitor.cookie(server.url, 'cameo_oidc'), undefined)
    visitor.setCookie(server.url, 'cameo_session', 'chosen-by-somebody-else')
    const response = await visitor.request(back)
    assert.equal(response.status, 302)
    const cookies = response.headers.getSetCookie()
    const own = cookies.find((cookie) => cookie.startsWith('cameo_session='))
    assert.match(own ?? '', /HttpOnly/)
    assert.match(own ?? '', /SameSite=Strict/)
    assert.notEqual(visitor.cookie(server.url, 'cameo_session'), 'chosen-by-somebody-else')
    assert.equal(visitor.cookie(server.url, 'cameo_oidc'), undefined)
  })

  it('is refused to a browser that did not begin it, with another state, and a second time', async () => {
    const visitor = new Visitor()
    const back = await comeBack(visitor, 's-6')
    const cookie = visitor.cookie(server.url, 'cameo_oidc') ?? ''
    const refused = async (own: Visitor, url: string) => {
      assert.equal(
        await own.visit(url, {}, (at) => !isBack(at)),
        `${server.url}/sign-in?problem=SIGN_IN_FAILED`,
      )
      assert.equal((await sessionOf(own)).user, undefined)
      assert.equal(lastEntries(1)[0]?.action, 'sign-in-failed')
    }
    await refused(new Visitor(), back)
    const other = new Visitor()
    await comeBack(other, 's-7')
    await refused(other, back)
    const altered = new URL(back)
    altered.searchParams.set('state', 'x')
    await refused(visitor, altered.href)
    // The code itself is still good: nothing above reached the provider with it.
    visitor.setCookie(server.url, 'cameo_oidc', cookie)
    assert.equal(await visitor.visit(back, {}, (at) => !isBack(at)), `${server.url}/`)
    const late = new Visitor()
    late.setCookie(server.url, 'cameo_oidc', cookie)
    await refused(late, back)
  })

  it('is refused when the provider refuses', async () => {
    const visitor = new Visitor()
    const back = new URL(await comeBack(visitor, 's-8'))
    back.searchParams.delete('code')
    back.searchParams.set('error', 'access_denied')
    assert.match(await visitor.visit(back.href, {}, (at) => !isBack(at)), /problem=SIGN_IN_FAILED$/)
  })

  it('is refused to a disabled user', async () => {
    provider.claims.set('s-9', { preferred_username: 'dora' })
    await signIn('s-9')
    changeUser(access, userNamed(access, 'dora').userId, { isDisabled: true })
    const visitor = new Visitor()
    const back = await comeBack(visitor, 's-9')
    assert.match(await visitor.visit(back, {}, (at) => !isBack(at)), /problem=SIGN_IN_FAILED$/)
  })

  it('takes roles from a claim with each sign-in, except the last administrator’s', async () => {
    provider.claims.set('r-1', { preferred_username: 'rosa', groups: ['curator', 'staff', 'auditor'] })
    const first = await signIn('r-1', strict)
    assert.deepEqual((await sessionOf(first, strict)).user?.roles, ['curator', 'auditor'])
    provider.claims.set('r-1', { preferred_username: 'rosa', groups: [] })
    const second = await signIn('r-1', strict)
    assert.deepEqual((await sessionOf(second, strict)).user?.roles, [])
    assert.equal((await sessionOf(first, strict)).user, undefined, 'a session with the old roles has ended')
    provider.claims.set('r-1', { groups: 'administrator' })
    await signIn('r-1', strict)
    changeUser(access, userNamed(access, 'admin').userId, { isDisabled: true })
    provider.claims.set('r-1', { groups: [] })
    const last = await signIn('r-1', strict)
    assert.deepEqual((await sessionOf(last, strict)).user?.roles, ['administrator'])
    assert.equal(listUsers(access).filter(({ name }) => name.startsWith('rosa')).length, 1)
  })

  it('is offered by the session, and says so when the provider does not answer', async () => {
    const response = await fetch(api('/session'))
    const { methods } = (await response.json()) as { methods: object }
    assert.deepEqual(methods, { password: true, oidc: { label: 'the office', url: '/api/v1/oidc/start' } })
    const gone = new OidcProvider({ issuer: 'http://127.0.0.1:9', clientId })
    await assert.rejects(
      gone.begin(new URL('http://127.0.0.1/')),
      refusedWith('SIGN_IN_UNAVAILABLE', /answer/),
    )
  })
})

describe('a provider', () => {
  it('is reached by https, except on this machine', () => {
    for (const issuer of ['http://example.org', 'ftp://127.0.0.1', 'nothing', 'http://127.0.0.1.example.org'])
      assert.throws(() => new OidcProvider({ issuer, clientId }), refusedWith('USAGE', /https/))
    assert.equal(new OidcProvider({ issuer: 'https://example.org', clientId }).label, 'example.org')
  })

  it('needs a file with a secret, if one is named', () => {
    const wish = (file: string) => () =>
      new OidcProvider({ issuer: 'https://example.org', clientId, secretFile: file })
    assert.throws(wish(join(dir, 'none')), refusedWith('USAGE', /cannot be read/))
    writeFileSync(join(dir, 'empty'), '\n')
    assert.throws(wish(join(dir, 'empty')), refusedWith('USAGE', /empty/))
  })
})
