/** Attacks on the server: on its sessions, keys, roles, limits and the parts of the archive that somebody sees. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createConnection } from 'node:net'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createCollection } from '../../index/access/collections.js'
import { changeSettings } from '../../index/access/settings.js'
import { changeUser } from '../../index/access/users.js'
import { forgetName } from '../../index/identities/identities.js'
import { openFilledArchive } from '../../index/archive/open-archive.js'
import { roleTable } from '../../index/access/roles.js'
import { serve } from '../../workers/http/serve.js'
import { createSilentLog } from '../../workers/service/log.js'
import { goodPassword } from '../support/access.js'
import { temporaryDir } from '../support/cameo.js'
import { startAccessServer, type AccessServer, type Answer, type Asker } from '../support/http-access.js'
import { group } from '../support/made-people.js'
import { madeClipId, peopleArchive, type MadeClip } from '../support/people-archive.js'
import { refusedWith } from '../support/refused-with.js'

const dir = temporaryDir()
const at = (name: string) => join(dir, name)

const track = (like: Readonly<Record<string, number>>, startS = 1) => ({
  like,
  spansS: [[startS, startS + 3]] as const,
})
/** Those that a viewer of one folder sees. */
const open: readonly MadeClip[] = [
  { path: 'open/1.mp4', tracks: [track({ Ada: 0.8 }), track({ Cy: 0.7 }, 6)] },
  { path: 'open/2.mp4', tracks: [track({ Ada: 0.75 }), track({}, 5)] },
]
const closed: readonly MadeClip[] = [
  { path: 'closed/3.mp4', tracks: [track({ Ada: 0.95 }), track({ Bob: 0.9 }, 9)], durationS: 40 },
  { path: 'open-not/4.mp4', tracks: [track({ Bob: 0.8 }), track({}, 8)] },
]
/** Bob is seen only where the viewer sees nothing, so that the viewer does not learn of him. */
const names = ['Ada', 'Bob', 'Cy']

function makeArchive(name: string, clips: readonly MadeClip[]): string {
  const archive = peopleArchive(at(name), names, clips)
  if (clips.length === open.length) forgetName(archive.database, 'Bob')
  // A clip that the viewer sees has another file elsewhere.
  else
    archive.files.record(
      archive.files.rootFor('/films').rootId,
      'closed/copy.mp4',
      { device: '1', inode: 'copy', sizeBytes: 9, mtimeNs: `${Date.parse('2020-01-01')}000000` },
      madeClipId(0),
    )
  archive.close()
  return at(name)
}

async function groupPeople(archive: string): Promise<void> {
  const opened = openFilledArchive(archive, () => undefined)
  try {
    await group(opened)
  } finally {
    opened.archive.close()
  }
}

let server: AccessServer
let whole: string
let admin: { readonly userId: string; readonly session: Asker }
let curator: typeof admin
let viewer: typeof admin

before(async () => {
  whole = makeArchive('whole', [...open, ...closed])
  await groupPeople(whole)
  server = await startAccessServer(whole)
  admin = await server.user('admin', ['administrator'], { password: goodPassword })
  curator = await server.user('carl', ['curator', 'auditor'], { password: goodPassword })
  const { collectionId } = createCollection(server.access, { name: 'open', folders: ['/films/open'] })
  viewer = await server.user('vera', ['viewer'], { collections: [collectionId] })
})
after(() => server.close())

const signIn = (name: string, password: string, cookie?: string) =>
  server.ask('/api/v1/session', {
    ...{ method: 'POST', json: { name, password } },
    ...(cookie === undefined ? {} : { headers: { cookie } }),
  })
const cookieOf = ({ headers }: Pick<Answer, 'headers'>) => headers.getSetCookie()[0]?.split(';')[0] ?? ''
const me = async (cookie: string) => (await server.ask('/api/v1/session', { headers: { cookie } })).body

describe('sessions', () => {
  it('get a new token at sign-in, whatever cookie was sent, and the old session ends', async () => {
    const planted = await signIn('admin', goodPassword, 'cameo_session=planted')
    const first = cookieOf(planted)
    assert.notEqual(first, 'cameo_session=planted')
    assert.equal((await me('cameo_session=planted')).user, undefined)
    const { csrfToken, user } = await me(first)
    assert.equal(user?.name, 'admin')
    const again = await server.ask('/api/v1/session', {
      ...{ method: 'POST', json: { name: 'carl', password: goodPassword } },
      headers: { cookie: first, 'x-csrf-token': csrfToken },
    })
    assert.notEqual(cookieOf(again), first)
    assert.equal((await me(first)).user, undefined)
    assert.equal((await me(cookieOf(again))).user?.name, 'carl')
  })

  it('end when the password, the roles or the state of the user change', async () => {
    const { userId } = await server.user('tom', ['viewer'], { password: goodPassword })
    const path = `/api/v1/users/${userId}`
    for (const json of [
      { password: 'another good password' },
      { roles: ['ingester'] },
      { isDisabled: true },
    ]) {
      const cookie = `cameo_session=${server.session(userId).token}`
      assert.equal((await me(cookie)).user?.name, 'tom')
      assert.equal((await server.ask(path, { as: admin.session, method: 'PATCH', json })).status, 200)
      assert.equal((await me(cookie)).user, undefined)
    }
    assert.equal((await signIn('tom', 'another good password')).status, 401)
  })

  it('have cookies that scripts cannot read and other sites cannot send', async () => {
    const [cookie = ''] = (await signIn('admin', goodPassword)).headers.getSetCookie()
    assert.match(cookie, /^cameo_session=[\w-]{43}; /)
    for (const part of ['Path=/', 'HttpOnly', 'SameSite=Strict', 'Expires='])
      assert.ok(cookie.includes(part), part)
    assert.doesNotMatch(cookie, /Secure|Domain/)
  })

  it('have secure cookies with a prefix, and HSTS, if the server has a certificate', async () => {
    const tls = { certFile: at('cert.pem'), keyFile: at('key.pem') }
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', tls.keyFile, '-out', tls.certFile], { stdio: 'ignore' }) // prettier-ignore
    const own = await startAccessServer(at('empty'), { tls })
    try {
      await own.user('ada', ['viewer'], { password: goodPassword })
      const { headers, status } = await new Promise<{
        status: number | undefined
        headers: NodeJS.Dict<string | string[]>
      }>((resolve, reject) => {
        const sent = httpsRequest(
          `${own.url}/api/v1/session`,
          { method: 'POST', rejectUnauthorized: false, headers: { 'content-type': 'application/json' } },
          (answer) => {
            answer.resume()
            resolve({ status: answer.statusCode, headers: answer.headers })
          },
        )
        sent.on('error', reject)
        sent.end(JSON.stringify({ name: 'ada', password: goodPassword }))
      })
      assert.equal(status, 200)
      assert.match(
        String(headers['set-cookie']),
        /^__Host-cameo_session=[\w-]{43}; .*Path=\/; .*HttpOnly; Secure; SameSite=Strict/,
      )
      assert.match(String(headers['strict-transport-security']), /max-age=\d+/)
    } finally {
      await own.close()
    }
  })
})

describe('forged requests', () => {
  const change = (headers: Record<string, string>) =>
    server.ask('/api/v1/names/Ada', { method: 'PATCH', json: { note: 'forged' }, headers })

  it('are refused without the token of the same session, from other sites, and as forms', async () => {
    const own = server.session(curator.userId)
    const other = server.session(admin.userId)
    const cookie = `cameo_session=${own.token}`
    for (const headers of [
      { cookie },
      { cookie, 'x-csrf-token': other.csrfToken },
      { cookie, 'x-csrf-token': own.token },
      { cookie, 'x-csrf-token': own.csrfToken, 'sec-fetch-site': 'cross-site' },
      { cookie, 'x-csrf-token': own.csrfToken, 'sec-fetch-site': 'same-site' },
    ]) {
      const { status, body } = await change(headers)
      assert.deepEqual([status, body.code], [403, 'REQUEST_FORGED'], JSON.stringify(headers))
    }
    assert.equal((await change({ cookie, 'x-csrf-token': own.csrfToken })).status, 200)
    const json = { note: '' }
    await server.ask('/api/v1/names/Ada', { as: admin.session, method: 'PATCH', json })
    // A page elsewhere could otherwise sign the visitor in as somebody else.
    const planted = await server.ask('/api/v1/session', {
      ...{ method: 'POST', json: { name: 'admin', password: goodPassword } },
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    assert.equal(planted.body.code, 'REQUEST_FORGED')
    const form = await server.ask('/api/v1/session', {
      ...{ method: 'POST', body: 'name=admin&password=x' },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    assert.equal(form.status, 415)
  })

  it('are not allowed from other origins', async () => {
    const { headers } = await server.ask('/api/v1/session', { headers: { origin: 'https://evil.example' } })
    assert.equal(headers.get('access-control-allow-origin'), null)
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'self'/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  })
})

describe('rights', () => {
  const ask = (as: Asker, method: string, path: string, json?: unknown) =>
    server.ask(`/api/v1${path}`, { as, method, json })
  const soon = () => new Date(Date.now() + 60_000).toISOString()

  it('a user cannot gain rights by changing users, roles, keys, collections or settings', async () => {
    for (const { session, userId } of [curator, viewer]) {
      for (const [method, path, json] of [
        ['POST', '/users', { name: 'x', roles: ['administrator'], password: goodPassword }],
        ['PATCH', `/users/${userId}`, { roles: ['administrator'] }],
        ['DELETE', `/users/${admin.userId}`, undefined],
        ['POST', '/collections', { name: 'x', folders: ['/'] }],
        ['PUT', '/settings', { purposeRequired: false }],
      ] as const)
        assert.equal((await ask(session, method, path, json)).body.code, 'RIGHT_MISSING', `${method} ${path}`)
      const key = await ask(session, 'POST', '/keys', {
        name: 'x',
        roles: ['administrator'],
        expiresAt: soon(),
      })
      assert.equal(key.body.code, 'RIGHT_MISSING')
    }
  })

  it('a user cannot gain rights by adding fields to a body', async () => {
    const json = { oldPassword: goodPassword, newPassword: 'another good password', roles: ['administrator'] }
    assert.equal((await ask(curator.session, 'POST', '/session/password', json)).status, 400)
    const body = '{"name":"x","roles":["viewer"],"__proto__":{"roles":["administrator"]}}'
    const headers = { 'content-type': 'application/json' }
    const polluted = await server.ask('/api/v1/users', { as: admin.session, method: 'POST', body, headers })
    assert.equal(polluted.status, 400)
  })

  it('a key has only those of its roles that its owner still has, and cannot make keys', async () => {
    const made = await ask(curator.session, 'POST', '/keys', {
      name: 'k',
      roles: ['curator'],
      expiresAt: soon(),
    })
    assert.equal(made.status, 201)
    const key = { key: made.body.text }
    assert.equal((await ask(key, 'GET', '/names')).status, 200)
    assert.equal((await ask(key, 'GET', '/audit')).body.code, 'RIGHT_MISSING')
    const further = await ask(key, 'POST', '/keys', { name: 'k', roles: ['curator'], expiresAt: soon() })
    assert.equal(further.body.code, 'RIGHT_MISSING')
    changeUser(server.access, curator.userId, { roles: ['auditor'] })
    assert.equal((await ask(key, 'GET', '/names')).body.code, 'RIGHT_MISSING')
    changeUser(server.access, curator.userId, { roles: ['curator', 'auditor'] })
    curator = { ...curator, session: server.session(curator.userId) }
    assert.equal((await ask(key, 'GET', '/names')).status, 200)
  })

  it('an administrator’s key that sees only some folders cannot add users', async () => {
    const [id] = (await ask(admin.session, 'GET', '/collections')).body.collections
    const key = server.key(admin.userId, ['administrator'], [id?.collectionId ?? ''])
    const { body } = await ask(key, 'POST', '/users', { name: 'x', roles: ['administrator'] })
    assert.equal(body.code, 'RIGHT_MISSING')
  })

  it('a user sees and revokes only their own keys; an administrator can revoke all', async () => {
    const key = server.key(curator.userId, ['curator'])
    const keys = async (as: Asker) => (await ask(as, 'GET', '/keys')).body.keys.map(({ keyId }) => keyId)
    assert.ok((await keys(curator.session)).includes(key.keyId))
    assert.deepEqual(await keys(viewer.session), [])
    assert.deepEqual(await keys(key), [key.keyId])
    const foreign = await ask(viewer.session, 'DELETE', `/keys/${key.keyId}`)
    const none = await ask(viewer.session, 'DELETE', '/keys/0000000000000000')
    assert.deepEqual([foreign.status, foreign.body.code], [none.status, none.body.code])
    assert.equal((await ask(admin.session, 'DELETE', `/keys/${key.keyId}`)).status, 204)
    assert.equal((await ask(key, 'GET', '/names')).status, 401)
  })

  it('the last administrator cannot be removed', async () => {
    for (const [method, json] of [
      ['PATCH', { roles: ['viewer'] }],
      ['PATCH', { isDisabled: true }],
      ['DELETE', undefined],
    ] as const) {
      const { status, body } = await ask(admin.session, method, `/users/${admin.userId}`, json)
      assert.deepEqual([status, body.code], [409, 'LAST_ADMINISTRATOR'])
    }
    // The password is not changed by a change that is refused.
    const json = { password: 'another good password', roles: ['viewer'] }
    assert.equal((await ask(admin.session, 'PATCH', `/users/${admin.userId}`, json)).status, 409)
    assert.equal((await signIn('admin', goodPassword)).status, 200)
  })

  it('nobody can approve their own search with their key, or a search of their key', async () => {
    const key = server.key(curator.userId, ['curator', 'auditor'])
    const search = { subject: { name: 'Ada' }, purpose: 'x' }
    for (const [asks, decides] of [
      [curator.session, key],
      [key, curator.session],
      [key, key],
    ] as const) {
      const { approvalId } = (await ask(asks, 'POST', '/approvals', { search })).body
      const path = `/approvals/${approvalId}/decision`
      const own = await ask(decides, 'POST', path, { approved: true, reason: 'x' })
      assert.deepEqual([own.status, own.body.code], [403, 'APPROVAL_NOT_ALLOWED'])
      assert.equal((await ask(admin.session, 'POST', path, { approved: true, reason: 'x' })).status, 200)
    }
  })

  it('a repeated request does not show a new key again', async () => {
    const json = { name: 'k', roles: ['viewer'], expiresAt: soon() }
    const headers = { 'idempotency-key': 'once' }
    const send = () => server.ask('/api/v1/keys', { as: viewer.session, method: 'POST', json, headers })
    const [first, second] = [await send(), await send()]
    const { text, ...rest } = first.body
    assert.match(text, /^cameo_/)
    assert.deepEqual(second.body, rest)
  })

  it('every change of users, keys, collections and settings is in the audit log', async () => {
    const user = (await ask(admin.session, 'POST', '/users', { name: 'una', roles: ['viewer'] })).body
    await ask(admin.session, 'PATCH', `/users/${user.userId}`, { roles: ['ingester'] })
    await ask(admin.session, 'DELETE', `/users/${user.userId}`)
    const { collectionId } = (
      await ask(admin.session, 'POST', '/collections', { name: 'c', folders: ['/c'] })
    ).body
    await ask(admin.session, 'PATCH', `/collections/${collectionId}`, { name: 'd' })
    await ask(admin.session, 'DELETE', `/collections/${collectionId}`)
    await ask(admin.session, 'PUT', '/settings', { purposeRequired: false })
    const { keyId } = (
      await ask(admin.session, 'POST', '/keys', { name: 'k', roles: ['viewer'], expiresAt: soon() })
    ).body
    await ask(admin.session, 'DELETE', `/keys/${keyId}`)
    const { entries } = (await ask(admin.session, 'GET', '/audit?limit=9')).body
    assert.deepEqual(
      entries.map(({ action }) => action).reverse(),
      ['user-create', 'user-change', 'user-delete', 'collection-create', 'collection-change', 'collection-delete', 'settings', 'key-create', 'key-revoke'], // prettier-ignore
    )
  })
})

describe('answers that are kept for repeated writes', () => {
  it('name nobody after an erasure, not even the answer of the erasure itself', async () => {
    const own = await startAccessServer(makeArchive('forgetting', open))
    const { key } = own.key((await own.user('boss', ['administrator'])).userId, ['administrator'])
    const send = (method: string, path: string, json?: object) =>
      own.ask(`/api/v1${path}`, {
        ...{ as: { key }, method, json },
        headers: { 'idempotency-key': `${method} ${path}` },
      })
    const kept = () =>
      own.access.database
        .prepare<[], string>('SELECT body FROM kept_answers WHERE body IS NOT NULL')
        .pluck()
        .all()
        .join()
    await send('PATCH', '/names/Ada', { note: 'a mathematician' })
    assert.match(kept(), /mathematician/)
    const clip = await send('DELETE', `/clips/${madeClipId(0)}`)
    assert.match(clip.text, /open\/1\.mp4/)
    assert.doesNotMatch(kept(), /mathematician|1\.mp4/)
    assert.match((await send('DELETE', `/clips/${madeClipId(0)}`)).text, /"erased":\{"rows":\{.*"paths":1/)
    await send('DELETE', '/names/Ada/faces/1')
    await send('DELETE', '/names/Cy')
    assert.match(kept(), /cameo-erasure-receipt/)
    assert.doesNotMatch(kept(), /Ada|Cy"|\/photos/)
    await own.close()
  })
})

describe('guesses and limits', () => {
  /** Sends until it is too much. @param most how many requests may pass at the most */
  async function assertLimited(
    limits: Readonly<Record<string, number>>,
    most: number,
    send: () => Promise<Answer>,
  ): Promise<void> {
    changeSettings(server.access, limits)
    try {
      let [answer, passed] = [await send(), 0]
      while (answer.status !== 429 && passed <= most) [answer, passed] = [await send(), passed + 1]
      assert.ok(passed <= most, `${passed} passed`)
      assert.deepEqual([answer.body.code, answer.body.retriable], ['TOO_MANY_REQUESTS', true])
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d?$/)
    } finally {
      const many = 1e6
      changeSettings(server.access, {
        ...{ requestsPerMinute: many, searchesPerMinute: many, signInsPerMinute: many },
      })
    }
  }

  it('guesses of keys are limited per address; others can still sign in', async () => {
    const { key } = server.key(viewer.userId, ['viewer'])
    const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`
    assert.equal((await server.ask('/api/v1/names', { as: { key: wrong } })).status, 401)
    await assertLimited({ signInsPerMinute: 4 }, 4, () => server.ask('/api/v1/names', { as: { key: wrong } }))
    assert.equal((await signIn('admin', goodPassword)).status, 200)
    assert.equal((await server.ask('/api/v1/names', { as: { key } })).status, 200)
  })

  it('errors do not tell which part of a key is wrong', async () => {
    const { key } = server.key(viewer.userId, ['viewer'])
    const texts = await Promise.all(
      [key.replace(/_[0-9a-f]{16}_/, '_0000000000000000_'), `${key.slice(0, -4)}AAAA`, 'cameo_x', 'x'].map(
        async (given) => {
          const { status, body } = await server.ask('/api/v1/names', { as: { key: given } })
          return `${status} ${body.detail}`
        },
      ),
    )
    assert.equal(new Set(texts).size, 1, texts.join('\n'))
  })

  it('too many requests get 429 and how long to wait', async () => {
    const fresh = await server.user('rita', ['viewer'], { collections: 'all' })
    await assertLimited({ requestsPerMinute: 3 }, 3, () => server.ask('/api/v1/names', { as: fresh.session }))
    const json = { subject: { name: 'Ada' } }
    const other = await server.user('rudi', ['viewer'], { collections: 'all' })
    await assertLimited({ searchesPerMinute: 2 }, 2, () =>
      server.ask('/api/v1/searches', { as: other.session, method: 'POST', json }),
    )
  })

  it('after wrong passwords, attempts must wait; nothing tells which users exist', async () => {
    await server.user('gina', ['viewer'], { password: goodPassword })
    for (const name of ['gina', 'nobody']) {
      const answers = []
      for (let i = 0; i < 7; i++) answers.push(await signIn(name, 'wrong password'))
      assert.deepEqual(
        answers.map(({ body }) => body.code).slice(0, 5),
        Array.from({ length: 5 }, () => 'SIGN_IN_FAILED'),
      )
      assert.equal(answers.at(-1)?.body.code, 'SIGN_IN_THROTTLED')
      assert.equal(answers.at(-1)?.status, 429)
    }
  })
})

describe('addresses', () => {
  it('of other machines are refused without TLS', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org'])
      await assert.rejects(
        serve({ archive: at('empty'), host, port: 0, log: createSilentLog() }),
        refusedWith('USAGE', /TLS/),
      )
  })

  it('cannot lead out of a folder, in any parameter of any route', async () => {
    const hostile = ['..', '../../etc/passwd', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '..%5c..%5cwindows', '%00', 'a%00b', '/etc/passwd', '%ff', '....//'] // prettier-ignore
    for (const { method, url } of server.routes) {
      if (method === 'HEAD' || !/[:*]/.test(url) || /erase|session/.test(url)) continue
      for (const text of hostile) {
        const path = url.replaceAll(/:\w+|\*/g, () => (text.includes('%') ? text : encodeURIComponent(text)))
        const { status, text: answer } = await server.ask(path, { as: admin.session, method })
        assert.ok((status >= 400 && status < 500) || !url.startsWith('/api/'), `${method} ${path}: ${status}`)
        assert.doesNotMatch(answer, /root:|\[extensions\]/, path)
      }
    }
  })

  it('cannot add lines to answers, and headers cannot either', async () => {
    for (const text of ['x%0d%0aset-cookie:%20a=b', '%0aset-cookie:a=b']) {
      const { headers } = await server.ask(`/api/v1/names/${text}`, { as: admin.session })
      assert.equal(headers.get('set-cookie'), null)
    }
    const raw = await new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(server.url)
      const socket = createConnection(Number(port), hostname)
      let text = ''
      socket.on('data', (bytes) => (text += bytes.toString()))
      socket.on('end', () => resolve(text))
      socket.on('error', reject)
      socket.end(
        'GET /api/v1/oidc/start HTTP/1.1\r\nHost: evil.example\r\nX-Request-Id: a\r\n b: c\r\nConnection: close\r\n\r\n',
      )
    })
    assert.doesNotMatch(raw, /evil\.example/)
    const long = await server.ask(`/api/v1/clips?folder=${'a'.repeat(20_000)}`, { as: admin.session })
    assert.deepEqual([long.status, long.body.code], [431, 'USAGE'])
  })
})

describe('somebody who sees one folder', () => {
  let part: AccessServer
  let partAdmin: Asker
  before(async () => {
    const archive = makeArchive('part', open)
    await groupPeople(archive)
    part = await startAccessServer(archive)
    partAdmin = (await part.user('vera', ['viewer'], { collections: 'all' })).session
  })
  after(() => part.close())

  /**
   * Without what differs between any two answers, and without what such a person is told less of: the folders of enrolled
   * photos, and all names that there are.
   */
  const plain = ({ status, body, text, isJson }: Answer): unknown => {
    if (!isJson) return { status, text }
    const less = JSON.stringify(body)
      .replace(/"(instance|searchId)":"[^"]*",?/g, '')
      .replaceAll('"source":"/photos/', '"source":"')
      .replace(/: the known names are [^}]*?(?=","code")/, '')
    return { status, body: less }
  }

  const both = async (path: string, question: object = {}) => {
    const own = await server.ask(path, { ...question, as: viewer.session })
    const expected = await part.ask(path, { ...question, as: partAdmin })
    assert.deepEqual(plain(own), plain(expected), path)
    return own
  }

  const values: Readonly<Record<string, readonly string[]>> = {
    clipId: [0, 1, 2, 3, 4].map(madeClipId),
    trackId: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    personId: ['1', '2', '3', '4', '5', '6', '7'],
    name: [...names, 'Nobody'],
    number: ['1', '2'],
  }

  /** The address with each value of its parameters. */
  function pathsOf(url: string): string[] {
    const [, name] = /:(\w+)/.exec(url) ?? []
    if (name === undefined) return [url]
    return (values[name] ?? ['unknown']).flatMap((value) => pathsOf(url.replace(`:${name}`, value)))
  }

  it('gets the answers of an archive with only that folder, from every route that reads', async () => {
    const seen: readonly string[] = roleTable.viewer
    let asked = 0
    for (const { method, url, right } of server.routes) {
      if (method !== 'GET' || !url.startsWith('/api/v1/') || !seen.includes(right)) continue
      for (const path of pathsOf(url)) {
        await both(`${path}${/stream|playback/.test(url) ? '?startS=0&endS=1' : ''}`)
        asked += 1
      }
    }
    assert.ok(asked > 60, `${asked}`)
    for (const path of [
      '/clips?limit=1',
      '/clips?unnamed=true',
      '/clips?folder=/films/closed',
      '/clips?folder=/films',
      '/names?folder=/films/closed',
      '/people?limit=1',
      '/coverage?folder=/films/closed',
      '/coverage?folder=/films',
    ])
      // prettier-ignore
      await both(`/api/v1${path}`)
  })

  it('does not learn names that only others see', async () => {
    const clips = async (name: string) =>
      (await server.ask(`/api/v1/clips?person=${name}`, { as: viewer.session })).text
    assert.equal(await clips('Bob'), await clips('Nobody'))
    assert.notEqual(await clips('Ada'), await clips('Nobody'))
  })

  it('finds, counts and exports only what an archive with that folder has', async () => {
    const subjects = [
      ...names.map((name) => ({ name })),
      ...[1, 3, 5, 6, 7].map((trackId) => ({ trackId })),
      ...[1, 2, 3, 4, 5].map((personId) => ({ personId })),
      ...[0, 2, 3].map((index) => ({ clipId: madeClipId(index) })),
    ]
    for (const subject of subjects)
      for (const extra of [
        {},
        { weak: true, minScore: -1, top: 1000 },
        { folder: '/films/closed' },
        { with: ['Bob'] },
      ]) {
        const json = { subject, ...extra }
        const { text } = await both('/api/v1/searches', { method: 'POST', json })
        assert.doesNotMatch(text, /closed\/|open-not/)
      }
    for (const of of [
      { clipId: madeClipId(0) },
      { clipId: madeClipId(2) },
      { search: { subject: { name: 'Ada' }, top: 5 } },
    ])
      for (const format of ['csv', 'json', 'edl']) {
        const { text } = await both('/api/v1/exports', { method: 'POST', json: { of, format } })
        assert.doesNotMatch(text, /closed\/|open-not/)
      }
  })

  it('sees nothing without a grant, and sees granted clips from the next request on', async () => {
    const { userId, session } = await server.user('nora', ['viewer'])
    const clips = async () => (await server.ask('/api/v1/clips', { as: session })).body.clips.length
    assert.equal(await clips(), 0)
    changeUser(server.access, userId, { collections: 'all' })
    assert.equal(await clips(), 4)
  })
})
