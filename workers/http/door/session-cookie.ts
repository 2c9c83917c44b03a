import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The cookie of a session. Browsers send it to this server alone, and no script can read it. */
export class SessionCookie {
  readonly #name: string
  readonly #options: CookieSerializeOptions

  /** @param isSecure the server is reached by https; a name with this prefix can then only be set by this server */
  constructor(isSecure: boolean) {
    this.#name = isSecure ? '__Host-cameo_session' : 'cameo_session'
    this.#options = { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure }
  }

  read(request: FastifyRequest): string | undefined {
    return request.cookies[this.#name]
  }

  write(reply: FastifyReply, token: string, expiresAt: Date): void {
    reply.setCookie(this.#name, token, { ...this.#options, expires: expiresAt })
  }

  clear(reply: FastifyReply): void {
    reply.clearCookie(this.#name, this.#options)
  }
}

const flowLastsS = 600

/**
 * The cookie of a sign-in that began and is not finished. Browsers also send it when another site, the provider's, leads back
 * here.
 */
export class FlowCookie {
  readonly #name: string
  readonly #options: CookieSerializeOptions

  constructor(isSecure: boolean) {
    this.#name = isSecure ? '__Host-cameo_oidc' : 'cameo_oidc'
    this.#options = { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure }
  }

  write(reply: FastifyReply, secret: string): void {
    reply.setCookie(this.#name, secret, { ...this.#options, maxAge: flowLastsS })
  }

  /** Reads the cookie, and removes it: it works once. */
  take(request: FastifyRequest, reply: FastifyReply): string | undefined {
    reply.clearCookie(this.#name, this.#options)
    return request.cookies[this.#name]
  }
}
