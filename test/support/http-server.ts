import { pino } from 'pino'
import type { RequestActor } from '../../index/access/request-actor.js'
import { rights, rightsOf, type Role } from '../../index/access/roles.js'
import { problemSchema, type Problem } from '../../workers/http/server/problem.js'
import { serve, type RunningServer, type ServeOptions } from '../../workers/http/serve.js'
import type { components } from '../../workers/http/client/api-types.js'
import { temporaryDir } from './cameo.js'

/** Bodies of answers, by the names of the API's document. */
export type Bodies = components['schemas']

/** What a refusal says. @throws if the answer is no problem document */
export function problemIn({ body }: { readonly body: unknown }): Problem {
  return problemSchema.parse(body)
}

/** Somebody with a role. @param folders what he sees. Default: all */
export const actorOf = (
  role: Role,
  folders: RequestActor['folders'] = 'all',
  id: string = role,
): RequestActor => ({
  ...{ kind: 'user', id, name: id, roles: [role], folders },
  rights: rightsOf([role]),
})

/** The owner of the machine. */
export const owner: RequestActor = {
  ...{ kind: 'system', id: '0', name: 'root', roles: [], folders: 'all' },
  rights: new Set(rights),
}

/** A server on a free port of loopback, whose requests come from whoever is the actor at the time. */
export interface TestServer {
  readonly url: string
  /** Who asks from now on. */
  as(actor: RequestActor): void
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Sends JSON and reads JSON. */
  json(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>
  close(): Promise<void>
}

/** The caller closes it. */
export async function startServer(
  archive: string,
  options: Omit<Partial<ServeOptions>, 'archive' | 'door' | 'log'> = {},
): Promise<TestServer> {
  let actor = owner
  const server: RunningServer = await serve({
    ...{ archive, port: 0, temporaryDir: temporaryDir() },
    ...options,
    log: pino({ level: process.env['CAMEO_LOG_LEVEL'] ?? 'silent' }),
    door: { identify: () => actor, actorOfSession: () => actor },
  })
  const ask = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init)
  return {
    url: server.url,
    as: (next) => (actor = next),
    fetch: ask,
    async json(method, path, body) {
      const sent =
        body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      const response = await ask(path, { method, ...sent })
      const text = await response.text()
      const answer: unknown = text === '' ? undefined : JSON.parse(text)
      return { status: response.status, body: answer }
    },
    close: () => server.close(),
  }
}

/** A form with one file. */
export function fileForm(bytes: Uint8Array | string, name = 'photo.jpg', type = 'image/jpeg'): FormData {
  const form = new FormData()
  form.append('file', new Blob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)], { type }), name)
  return form
}
