import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

/** A provider of OpenID Connect on loopback, with accounts that exist as soon as somebody signs in with them. */
export interface TestProvider {
  readonly issuer: string
  /** What an account says, by its subject. Default: only the subject. */
  readonly claims: Map<string, Readonly<Record<string, unknown>>>
  /** Addresses to which it sends browsers back. */
  allow(callback: string): void
  close(): Promise<void>
}

export const clientId = 'cameo'
export const clientSecret = 'a secret of the client & more: %'

/** The caller closes it. */
export async function startProvider(): Promise<TestProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const claims: TestProvider['claims'] = new Map()
  const callbacks: string[] = []
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: clientId, client_secret: clientSecret, redirect_uris: ['http://127.0.0.1/none'] },
        ...{ grant_types: ['authorization_code'], response_types: ['code'] },
      },
    ],
    pkce: { required: () => true },
    cookies: { keys: ['of the test'] },
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email'] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...claims.get(sub) }) }),
  })
  // The port of the server under test is not known when the client is described.
  provider.Client.prototype.redirectUriAllowed = (uri: string) => callbacks.includes(uri)
  const answer = provider.callback()
  server.on('request', (request, response) => void answer(request, response))
  return {
    ...{ issuer, claims },
    allow: (callback) => void callbacks.push(callback),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** A browser without a window: follows redirects, and keeps the cookies of each server. */
export class Visitor {
  readonly #jars = new Map<string, Map<string, string>>()

  cookie(url: string, name: string): string | undefined {
    return this.#jar(url).get(name)
  }

  setCookie(url: string, name: string, value: string): void {
    this.#jar(url).set(name, value)
  }

  #jar(url: string): Map<string, string> {
    const { origin } = new URL(url)
    const jar = this.#jars.get(origin) ?? new Map<string, string>()
    this.#jars.set(origin, jar)
    return jar
  }

  /** One request, without following. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const jar = this.#jar(url)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const isGone = value === '' || /expires=Thu, 01 Jan 1970/i.test(line)
      if (isGone) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  /** Follows redirects until there is none, or one leads to `until`. @returns where it ended */
  async visit(url: string, init: RequestInit = {}, until?: (url: string) => boolean): Promise<string> {
    let [at, sent] = [url, init]
    for (let steps = 0; steps < 20; steps++) {
      const response = await this.request(at, sent)
      const location = response.headers.get('location')
      await response.text()
      if (location === null) return at
      at = new URL(location, at).href
      sent = {}
      if (until?.(at) === true) return at
    }
    throw new Error(`too many redirects: ${at}`)
  }

  /** Signs in at the provider's own form, from the address at which a server sent the browser there. @returns where it ended */
  async signInAt(start: string, subject: string, until: (url: string) => boolean): Promise<string> {
    let at = await this.visit(start)
    for (const form of [{ prompt: 'login', login: subject, password: 'x' }, { prompt: 'consent' }]) {
      if (!at.includes('/interaction/')) return at
      at = await this.visit(at, { method: 'POST', body: new URLSearchParams(form) }, until)
    }
    return at
  }
}
