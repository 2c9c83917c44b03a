import { openAccess, type Access } from '../../index/access/access.js'
import { createApiKey } from '../../index/access/api-keys.js'
import type { Grants } from '../../index/access/grants.js'
import type { Role } from '../../index/access/roles.js'
import { startSession } from '../../index/access/sessions.js'
import { changeSettings } from '../../index/access/settings.js'
import { createUser } from '../../index/access/users.js'
import { serve, type RunningServer, type ServeOptions } from '../../workers/http/serve.js'
import { createSilentLog } from '../../workers/service/log.js'
import { temporaryDir } from './cameo.js'

/** Somebody who sends requests: with the cookie of a session, or with an API key. */
export type Asker =
  { readonly token: string; readonly csrfToken: string | undefined } | { readonly key: string } | 'anonymous'

export interface Question {
  readonly as?: Asker
  readonly method?: string
  /** Sent as JSON. */
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What tests look at in answers that are JSON. Each answer has some of it. */
export interface AnswerBody {
  readonly code: string
  readonly detail: string
  readonly retriable: boolean
  readonly user?: { readonly name: string }
  readonly csrfToken: string
  readonly userId: string
  readonly keyId: string
  /** Of a new key. */
  readonly text: string
  readonly collectionId: string
  readonly approvalId: string
  readonly keys: readonly { readonly keyId: string }[]
  readonly collections: readonly { readonly collectionId: string }[]
  readonly entries: readonly { readonly action: string }[]
  readonly clips: readonly unknown[]
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly isJson: boolean
  /** Empty of an answer that is no JSON. */
  readonly body: AnswerBody
}

/** A server that finds out itself who asks, by keys and sessions of real users. */
export interface AccessServer extends RunningServer {
  readonly access: Access
  ask(path: string, question?: Question): Promise<Answer>
  /** Makes a user. @returns the user with a session */
  user(
    name: string,
    roles: readonly Role[],
    wish?: { readonly collections?: Grants; readonly password?: string },
  ): Promise<{ readonly userId: string; readonly session: Asker }>
  /** A further session of a user. */
  session(userId: string): { readonly token: string; readonly csrfToken: string }
  key(
    userId: string,
    roles: readonly Role[],
    collections?: Grants,
  ): { readonly keyId: string; readonly key: string }
}

const hourMs = 3600_000

/** The caller closes it. Requests are not limited unless the test changes the settings. */
export async function startAccessServer(
  archive: string,
  options: Partial<ServeOptions> = {},
): Promise<AccessServer> {
  const access = openAccess(archive, { create: true })
  const many = 1e6
  changeSettings(access, {
    ...{ requestsPerMinute: many, searchesPerMinute: many, uploadsPerMinute: many, signInsPerMinute: many },
  })
  const server = await serve({
    ...{ archive, port: 0, log: createSilentLog(), temporaryDir: temporaryDir() },
    ...options,
  })
  return {
    ...server,
    access,
    ask: (path, question) => ask(`${server.url}${path}`, question),
    async user(name, roles, wish = {}) {
      const { userId } = await createUser(access, { name, roles, ...wish })
      return { userId, session: startSession(access, userId) }
    },
    session: (userId) => startSession(access, userId),
    key(userId, roles, collections = 'all') {
      const expiresAt = new Date(Date.now() + hourMs)
      const { keyId, text } = createApiKey(access, { userId, name: 'key', roles, collections, expiresAt })
      return { keyId, key: text }
    },
    async close() {
      await server.close()
      access.close()
    },
  }
}

async function ask(url: string, { as = 'anonymous', method = 'GET', json, headers, body }: Question = {}) {
  const content = json === undefined ? body : JSON.stringify(json)
  const response = await fetch(url, {
    ...{ method, redirect: 'manual' },
    headers: {
      ...headersOf(as),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(content === undefined ? {} : { body: content }),
  })
  const text = await response.text()
  const isJson =
    text !== '' && /^application\/(problem\+)?json(;|$)/.test(response.headers.get('content-type') ?? '')
  const given = (isJson ? JSON.parse(text) : {}) as AnswerBody
  return { status: response.status, headers: response.headers, text, isJson, body: given }
}

function headersOf(asker: Asker): Record<string, string> {
  if (asker === 'anonymous') return {}
  if ('key' in asker) return { authorization: `Bearer ${asker.key}` }
  return {
    cookie: `cameo_session=${asker.token}`,
    ...(asker.csrfToken === undefined ? {} : { 'x-csrf-token': asker.csrfToken }),
  }
}
