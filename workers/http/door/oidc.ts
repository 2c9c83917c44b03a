import { readFileSync } from 'node:fs'
import * as client from 'openid-client'
import { z } from 'zod'
import { roleNames, type Role } from '../../../index/access/roles.js'
import { hmacOf, randomSecret } from '../../../index/access/secrets.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { isLoopback } from './loopback.js'

/** A provider of OpenID Connect with whose accounts users sign in. */
export interface OidcOptions {
  /** Its address. It must be https, except on this machine. */
  readonly issuer: string
  readonly clientId: string
  /** A file whose first line is the secret of the client. Absent: the client has none. */
  readonly secretFile?: string
  /** What the provider is called. Default: its host. */
  readonly label?: string
  /** A claim that lists the roles of a user. Others than those of Cameo are ignored. Default: the archive's administrators give roles. */
  readonly roleClaim?: string
  /** Roles of a user who signs in for the first time. Default: none. */
  readonly newUserRoles?: readonly Role[]
}

/** A sign-in that began. */
export interface BegunSignIn {
  /** Where the browser goes. */
  readonly url: string
  /** Only the browser that began may finish: it keeps this until then. */
  readonly secret: string
}

/** What the provider says of somebody. */
export interface ProvenAccount {
  readonly issuer: string
  readonly subject: string
  readonly name: string
  readonly roles: readonly Role[] | undefined
}

const requestTimeoutS = 10

const claimsSchema = z.looseObject({
  preferred_username: z.string().optional().catch(undefined),
  email: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
})
const rolesSchema = z.union([z.string().transform((role) => [role]), z.array(z.unknown())])

/**
 * Signs users in at a provider: authorization code with PKCE, state and nonce (RFC 9700). These three are made from one secret that
 * the browser keeps in a cookie, so that the server remembers nothing of sign-ins that nobody finishes.
 */
export class OidcProvider {
  readonly label: string
  readonly newUserRoles: readonly Role[]
  readonly #issuer: URL
  readonly #clientId: string
  readonly #secret: string | undefined
  readonly #roleClaim: string | undefined
  #found: Promise<client.Configuration> | undefined

  /** @throws USAGE if the address is not allowed or the file cannot be read */
  constructor({ issuer, clientId, secretFile, label, roleClaim, newUserRoles = [] }: OidcOptions) {
    this.#issuer = issuerUrl(issuer)
    this.#clientId = clientId
    this.#secret = secretFile === undefined ? undefined : readSecret(secretFile)
    this.#roleClaim = roleClaim
    this.label = label ?? this.#issuer.host
    this.newUserRoles = newUserRoles
  }

  /** @param callback where the provider sends the browser afterwards @throws SIGN_IN_UNAVAILABLE */
  async begin(callback: URL): Promise<BegunSignIn> {
    const configuration = await this.#configuration()
    const secret = randomSecret()
    const { state, nonce, verifier } = checksOf(secret)
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: callback.href,
      scope: 'openid profile email',
      ...{ state, nonce, code_challenge_method: 'S256' },
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
    })
    return { url: url.href, secret }
  }

  /**
   * @param address of the request with which the browser comes back
   * @throws SIGN_IN_FAILED if the provider refused, or the browser is not the one that began; SIGN_IN_UNAVAILABLE
   */
  async finish(address: URL, secret: string): Promise<ProvenAccount> {
    const configuration = await this.#configuration()
    const { state, nonce, verifier } = checksOf(secret)
    try {
      const tokens = await client.authorizationCodeGrant(configuration, address, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
      })
      const own = tokens.claims()
      if (own === undefined) throw failed()
      const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined
      const more = hasMore ? await client.fetchUserInfo(configuration, tokens.access_token, own.sub) : {}
      return this.#accountOf(own.iss, own.sub, { ...more, ...own })
    } catch (error) {
      throw isUnreachable(error) ? this.#unavailable(error) : failed(error)
    }
  }

  #accountOf(issuer: string, subject: string, given: Readonly<Record<string, unknown>>): ProvenAccount {
    const claims = claimsSchema.parse(given)
    const named = this.#roleClaim === undefined ? undefined : rolesSchema.safeParse(claims[this.#roleClaim])
    const roles =
      this.#roleClaim === undefined ? undefined : roleNames.filter((role) => named?.data?.includes(role))
    return { issuer, subject, name: claims.preferred_username ?? claims.email ?? claims.name ?? '', roles }
  }

  /** Reads once what the provider offers; after a failure, tries again with the next sign-in. */
  #configuration(): Promise<client.Configuration> {
    this.#found ??= this.#discover().catch((error: unknown) => {
      this.#found = undefined
      throw this.#unavailable(error)
    })
    return this.#found
  }

  async #discover(): Promise<client.Configuration> {
    // Only of this machine: see `issuerUrl`.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is marked so that nobody uses it without care
    const execute = this.#issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []
    const find = (auth: client.ClientAuth) =>
      client.discovery(this.#issuer, this.#clientId, undefined, auth, { execute, timeout: requestTimeoutS })
    if (this.#secret === undefined) return find(client.None())
    const found = await find(client.ClientSecretBasic(this.#secret))
    // OpenID Connect Discovery 1.0: a provider that does not say takes this one.
    const { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] } =
      found.serverMetadata()
    return methods.includes('client_secret_basic') ? found : find(client.ClientSecretPost(this.#secret))
  }

  #unavailable(cause: unknown): CameoError {
    return new CameoError('SIGN_IN_UNAVAILABLE', `${this.label} does not answer`, { cause })
  }
}

const checksOf = (secret: string) => ({
  state: hmacOf(secret, 'state'),
  nonce: hmacOf(secret, 'nonce'),
  verifier: hmacOf(secret, 'verifier'),
})

const failed = (cause?: unknown) =>
  new CameoError('SIGN_IN_FAILED', 'the sign-in failed; try it again', { cause })

/** A failed connection, or a time limit; not an answer that is refused. */
const isUnreachable = (error: unknown): boolean =>
  (error instanceof TypeError && error.message === 'fetch failed') ||
  (error instanceof Error && 'code' in error && error.code === 'OAUTH_TIMEOUT')

/** @throws USAGE */
function issuerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isAllowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (url !== undefined && isAllowed) return url
  throw new CameoError('USAGE', `the address of the sign-in provider must begin with https: ${text}`)
}

/** @throws USAGE */
function readSecret(file: string): string {
  try {
    const [secret = ''] = readFileSync(file, 'utf8').split(/\r?\n/)
    if (secret !== '') return secret
  } catch (error) {
    throw new CameoError('USAGE', `the file of the client's secret cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
  throw new CameoError('USAGE', `the file ${file} is empty: its first line must be the client's secret`)
}
