/**
 * A typed client of the API of `cameo serve`. Its types are generated from the server's OpenAPI document.
 *
 * @packageDocumentation
 */
import createFetchClient, { type Client } from 'openapi-fetch'
import type { components, paths } from './api-types.js'

/** Where the server is, and who asks. */
export interface ClientOptions {
  /** Address of the server, for example `https://archive.example`. */
  readonly url: string
  /** An API key. */
  readonly key: string
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
}

/** The calls of the API by method and path, with typed parameters and answers. */
export type CameoClient = Client<paths>

/** The types of the API by name, as `Match` or `Problem`. */
export type ApiTypes = components['schemas']

/**
 * Makes a client. Calls return `{data}` or `{error}`, a problem document (RFC 9457) with one of the error codes.
 *
 * @example
 * ```ts
 * const client = createClient({ url: 'http://127.0.0.1:8080', key: 'cameo_…' })
 * const { data, error } = await client.POST('/api/v1/searches', { body: { subject: { name: 'Ada' } } })
 * ```
 */
export const createClient = ({ url, key, fetch }: ClientOptions): CameoClient =>
  createFetchClient<paths>({
    baseUrl: url,
    headers: { authorization: `Bearer ${key}` },
    ...(fetch === undefined ? {} : { fetch }),
  })
