/** Every route of the server × everybody who may ask it, from the table of routes itself. */
import assert from 'node:assert/strict'
import { Validator } from '@seriousme/openapi-schema-validator'
import fastify from 'fastify'
import { after, before, describe, it } from 'node:test'
import { revokeApiKey } from '../../index/access/api-keys.js'
import { anonymousActor } from '../../index/access/request-actor.js'
import { rightsOf, roleNames, type Role } from '../../index/access/roles.js'
import type { RouteRight } from '../../workers/http/door/door.js'
import { problemSchema } from '../../workers/http/server/problem.js'
import { guardRoutes, type DeclaredRoute } from '../../workers/http/server/route-rights.js'
import { temporaryDir } from '../support/cameo.js'
import { startAccessServer, type AccessServer, type Answer, type Asker } from '../support/http-access.js'
import { madeClipId, peopleArchive } from '../support/people-archive.js'

const archive = temporaryDir()
let server: AccessServer
/** A user with each role who sees everything. */
const users = new Map<Role, { readonly userId: string; readonly session: Asker }>()

/** Values of parameters that are well formed, and that nothing has. */
const unknownIds: Readonly<Record<string, string>> = {
  clipId: 'f'.repeat(64),
  trackId: '999999',
  personId: '999999',
  changeId: '999999',
  number: '7',
  name: 'Nobody',
  uploadId: '00000000-0000-4000-8000-000000000000',
  jobId: '00000000-0000-4000-8000-000000000000',
  evaluationId: '00000000-0000-4000-8000-000000000000',
}
const unknownUrl = ({ url }: Pick<DeclaredRoute, 'url'>) =>
  url.replaceAll(/:(\w+)/g, (_, name: string) => unknownIds[name] ?? 'unknown').replace('*', 'none')

const isSafe = (method: string) => ['GET', 'HEAD', 'OPTIONS'].includes(method)

const isAllowed = (right: RouteRight, roles: readonly Role[]) =>
  right === 'anonymous' || right === 'signed-in' || rightsOf(roles).has(right)

const nameOf = ({ method, url }: DeclaredRoute) => `${method} ${url}`

/** Sends a request without a body to every route. */
async function askAll(askerOf: () => Asker): Promise<[DeclaredRoute, Answer][]> {
  const asker = askerOf()
  return Promise.all(
    server.routes.map(async (route): Promise<[DeclaredRoute, Answer]> => {
      const as = nameOf(route) === 'DELETE /api/v1/session' ? askerOf() : asker
      return [route, await server.ask(unknownUrl(route), { as, method: route.method })]
    }),
  )
}

/** Refusals all look alike: nothing tells what would be there. */
function assertRefused(
  route: DeclaredRoute,
  { status, text, headers, body }: Answer,
  expected: number,
  code: string,
) {
  assert.equal(status, expected, `${nameOf(route)}: ${text}`)
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/, nameOf(route))
  if (route.method === 'HEAD') return
  assert.deepEqual(Object.keys(body), ['type', 'title', 'status', 'detail', 'code', 'instance', 'retriable'])
  assert.equal(problemSchema.parse(body).code, code, nameOf(route))
}

const isRefusal = ({ status, body }: Answer) =>
  (status === 401 || status === 403) &&
  ['SIGN_IN_REQUIRED', 'RIGHT_MISSING', 'REQUEST_FORGED'].includes(body.code)

function assertLetIn(route: DeclaredRoute, answer: Answer) {
  assert.ok(!isRefusal(answer), `${nameOf(route)}: ${answer.text}`)
  // While the index of vectors is being loaded.
  const isLoading = route.url === '/readyz' && answer.status === 503
  assert.ok(answer.status < 500 || isLoading, `${nameOf(route)}: ${answer.text}`)
}

before(async () => {
  peopleArchive(
    archive,
    ['Ada'],
    [{ path: 'a.mp4', tracks: [{ like: { Ada: 0.9 }, spansS: [[0, 3]] }] }],
  ).close()
  server = await startAccessServer(archive)
  for (const role of roleNames) users.set(role, await server.user(role, [role], { collections: 'all' }))
})
after(() => server.close())

const userOf = (role: Role) => {
  const user = users.get(role)
  assert.ok(user !== undefined)
  return user
}

describe('every route', () => {
  it('declares who may call it; otherwise the server does not start', async () => {
    assert.ok(server.routes.length > 50)
    const app = fastify()
    guardRoutes(app, { identify: () => anonymousActor, actorOfSession: () => anonymousActor })
    app.get('/open', { config: { right: 'anonymous' } }, () => 'x')
    app.get('/secret', () => 'x')
    await assert.rejects(async () => app.listen({ port: 0 }), /GET \/secret does not declare/)
  })

  for (const role of roleNames)
    it(`lets a user with the role ${role} in exactly where the role has the right`, async () => {
      const { userId } = userOf(role)
      for (const [route, answer] of await askAll(() => server.session(userId)))
        if (isAllowed(route.right, [role])) assertLetIn(route, answer)
        else assertRefused(route, answer, 403, 'RIGHT_MISSING')
    })

  it('refuses whoever is not signed in, except where everybody may ask', async () => {
    for (const [route, answer] of await askAll(() => 'anonymous'))
      if (route.right === 'anonymous') assertLetIn(route, answer)
      else assertRefused(route, answer, 401, 'SIGN_IN_REQUIRED')
  })

  it('lets an API key in only where its own roles have the right, even if its owner has more rights', async () => {
    const key = server.key(userOf('administrator').userId, ['ingester'])
    for (const [route, answer] of await askAll(() => key))
      if (isAllowed(route.right, ['ingester'])) assertLetIn(route, answer)
      else assertRefused(route, answer, 403, 'RIGHT_MISSING')
  })

  it('refuses a revoked API key everywhere, even where no key is needed', async () => {
    const key = server.key(userOf('administrator').userId, ['administrator'])
    revokeApiKey(server.access, key.keyId)
    for (const [route, answer] of await askAll(() => key))
      assertRefused(route, answer, 401, 'SIGN_IN_REQUIRED')
  })

  it('refuses a change with the cookie of a session but without its token against forgery', async () => {
    const { token } = server.session(userOf('administrator').userId)
    for (const csrfToken of [undefined, server.session(userOf('viewer').userId).csrfToken])
      for (const [route, answer] of await askAll(() => ({ token, csrfToken })))
        if (isSafe(route.method)) assertLetIn(route, answer)
        else assertRefused(route, answer, 403, 'REQUEST_FORGED')
  })
})

/** Bodies that are valid, for routes about one thing. */
const bodies: Readonly<Record<string, unknown>> = {
  'PATCH /api/v1/names/:name': { note: 'x' },
  'POST /api/v1/names/:name/tracks': { trackId: 999_999 },
  'POST /api/v1/names/:name/faces': { uploadId: unknownIds['uploadId'] },
  'POST /api/v1/names/:name/corrections': { clipId: 'f'.repeat(64), verdict: 'confirmed' },
  'PATCH /api/v1/people/:personId': { hidden: true },
  'POST /api/v1/people/:personId/merge': { ids: [999_998] },
  'POST /api/v1/people/:personId/split': { trackIds: [1] },
  'POST /api/v1/approvals/:id/decision': { approved: true, reason: 'x' },
  'PATCH /api/v1/users/:userId': { isDisabled: false },
  'PATCH /api/v1/collections/:collectionId': { name: 'x' },
}
const queries: Readonly<Record<string, string>> = {
  '/api/v1/clips/:clipId/stream': '?startS=0&endS=1',
  '/api/v1/clips/:clipId/playback': '?startS=0&endS=1',
}

type Described = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>
}
interface DescribedOperation {
  readonly requestBody?: unknown
  readonly parameters?: readonly {
    readonly in: 'path' | 'query' | 'header'
    readonly name: string
    readonly schema: { readonly type?: string }
  }[]
}

describe('the API', () => {
  let document: Described
  before(async () => {
    document = JSON.parse((await server.ask('/openapi.json')).text) as Described
  })

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const url = path.replaceAll(/\{(\w+)\}/g, ':$1')
        return { method: method.toUpperCase(), url, operation }
      }),
    )
  const admin = () => userOf('administrator').session

  it('has a document that is valid OpenAPI 3.1 and describes every route below /api/v1', async () => {
    const { valid, errors } = await new Validator().validate({ ...document })
    assert.ok(valid, JSON.stringify(errors))
    const described = new Set(operations().map(({ method, url }) => `${method} ${url}`))
    for (const route of server.routes)
      if (route.url.startsWith('/api/v1/') && route.method !== 'HEAD')
        assert.ok(described.has(nameOf(route)), nameOf(route))
  })

  it('answers with a problem to bodies, parameters and queries that are not valid', async () => {
    let asked = 0
    const bad = async (method: string, path: string, question: object, expected = 400) => {
      const { status, body, text } = await server.ask(path, { as: admin(), method, ...question })
      assert.equal(status, expected, `${method} ${path} ${JSON.stringify(question)}: ${text}`)
      assert.equal(problemSchema.parse(body).code, 'USAGE')
      asked += 1
    }
    for (const { method, url, operation } of operations()) {
      const path = unknownUrl({ url })
      if (operation.requestBody !== undefined) {
        for (const json of [{ unknownField: 1 }, [], 'text', null]) await bad(method, path, { json })
        const headers = { 'content-type': 'application/json' }
        await bad(method, path, { body: '{"a":', headers })
        await bad(method, path, { body: '{"__proto__":{"right":"administer"}}', headers })
        await bad(method, path, { body: '<x/>', headers: { 'content-type': 'application/xml' } }, 415)
      }
      if (method === 'HEAD') continue
      for (const { name, in: place, schema } of operation.parameters ?? []) {
        const isNumber = schema.type === 'integer' || schema.type === 'number'
        if (place === 'query' && isNumber) await bad(method, `${path}?${name}=many`, {})
        if (place === 'path' && isNumber)
          await bad(method, unknownUrl({ url: url.replace(`:${name}`, 'x') }), {
            json: bodies[`${method} ${url}`],
          })
      }
    }
    assert.ok(asked > 100, `${asked}`)
  })

  it('answers 404 about what does not exist', async () => {
    for (const route of server.routes.filter(({ url }) => url.startsWith('/api/v1/') && url.includes(':'))) {
      const path = `${unknownUrl(route)}${queries[route.url] ?? ''}`
      const json = bodies[nameOf(route)]
      const { status, text } = await server.ask(path, { as: admin(), method: route.method, json })
      assert.equal(status, 404, `${nameOf(route)}: ${text}`)
    }
    assert.equal((await server.ask(`/api/v1/clips/${madeClipId(0)}`, { as: admin() })).status, 200)
  })
})
