import type { FastifyRequest } from 'fastify'
import type { Access } from '../../../index/access/access.js'
import { ActorReader } from '../../../index/access/actor-reader.js'
import { anonymousActor, type RequestActor } from '../../../index/access/request-actor.js'
import { isCsrfToken } from '../../../index/access/sessions.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { Door } from './door.js'
import type { SessionCookie } from './session-cookie.js'

/** Requests that change nothing. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export const csrfHeader = 'x-csrf-token'

/** Finds out who asks, by an API key or by the cookie of a session. */
export class AccessDoor implements Door {
  readonly #actors: ActorReader
  readonly #cookie: SessionCookie

  constructor(access: Access, cookie: SessionCookie) {
    this.#actors = new ActorReader(access)
    this.#cookie = cookie
  }

  identify(request: FastifyRequest, isUse = true): RequestActor {
    const key = keyOf(request)
    if (key !== undefined) {
      const actor = this.#actors.ofKey(key, isUse)
      if (actor !== undefined) return actor
      throw new CameoError('SIGN_IN_REQUIRED', 'this API key is wrong, expired or revoked')
    }
    const token = this.#cookie.read(request)
    const actor = token === undefined ? undefined : this.#actors.ofSession(token, isUse)
    if (token === undefined || actor === undefined) {
      refuseOtherSites(request)
      return anonymousActor
    }
    if (!safeMethods.has(request.method)) {
      refuseOtherSites(request)
      const given = request.headers[csrfHeader]
      if (typeof given !== 'string' || !isCsrfToken(token, given))
        throw new CameoError('REQUEST_FORGED', `the header ${csrfHeader} is missing or wrong`)
    }
    return actor
  }

  actorOfSession(token: string): RequestActor {
    return this.#actors.ofSession(token) ?? anonymousActor
  }
}

/** An API key of the header `Authorization`. */
function keyOf({ headers: { authorization } }: FastifyRequest): string | undefined {
  if (authorization === undefined) return undefined
  const [scheme = '', key = '', ...rest] = authorization.split(' ')
  if (scheme.toLowerCase() === 'bearer' && key !== '' && rest.length === 0) return key
  throw new CameoError('SIGN_IN_REQUIRED', 'the header Authorization must be "Bearer" and an API key')
}

/** Browsers say where a request comes from. Programs do not, and need not. */
function refuseOtherSites({ method, headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site']
  if (safeMethods.has(method) || site === undefined || site === 'same-origin' || site === 'none') return
  throw new CameoError('REQUEST_FORGED', 'the request comes from a page of another site')
}
