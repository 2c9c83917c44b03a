import type { CameoError } from '../../../pipeline/common/errors.js'
import type { FastifyRequest } from 'fastify'
import type { RequestActor } from '../../../index/access/request-actor.js'
import type { Right } from '../../../index/access/roles.js'
import type { AccessSettings } from '../../../index/access/settings.js'

/** Who may call a route: everybody, whoever is signed in, or whoever has a right. */
export type RouteRight = Right | 'anonymous' | 'signed-in'

/** Limits of requests per minute, by their settings. */
export type Limit = Extract<keyof AccessSettings, `${string}PerMinute`>

/** Finds out who asks. */
export interface Door {
  /**
   * @param isUse false: the server asks again while it answers, which does not keep a session alive
   * @throws SIGN_IN_REQUIRED if a key is given that is not valid; REQUEST_FORGED
   */
  identify(request: FastifyRequest, isUse?: boolean): RequestActor
  /** The user of a session; anonymous if there is none. */
  actorOfSession(token: string): RequestActor
}

/** How users can sign in. */
export interface SignInMethods {
  readonly password: boolean
  /** A provider of OpenID Connect, and where signing in with it begins. */
  readonly oidc?: { readonly label: string; readonly url: string }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route declares it; the server does not start with a route that does not. */
    right?: RouteRight
    /** Which limit counts its requests. Default: that of all requests. */
    limit?: Limit
    /**
     * Fields that only the first answer has. A repeated request with the same idempotency key gets the answer without them,
     * because the server keeps neither secrets nor the names of what was erased.
     */
    shownOnce?: readonly string[]
  }
  interface FastifyRequest {
    /** Who asks. Set before every handler. */
    actor: RequestActor
    /** Why the request is refused: its key is wrong, or it may be forged. */
    refusal: CameoError | undefined
  }
}
