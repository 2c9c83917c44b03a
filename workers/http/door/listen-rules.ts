import { readFileSync } from 'node:fs'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { isLoopback } from './loopback.js'

/** How the server is reached. */
export interface ListenOptions {
  /** Default: 127.0.0.1, so that only this machine reaches it. */
  readonly host?: string
  /** 0 chooses a free port. Default: 8080. */
  readonly port?: number
  /** PEM files of the certificate, with its chain, and of its key. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /**
   * Addresses or networks of proxies that end TLS in front of the server, and that say where a request comes from
   * (`X-Forwarded-For`).
   */
  readonly trustedProxies?: readonly string[]
}

/** What Fastify takes of it. */
export interface ListenParts {
  readonly host: string
  readonly port: number
  readonly https: { readonly cert: Buffer; readonly key: Buffer } | null
  readonly trustProxy: string[] | false
  /** Browsers reach the server by https. */
  readonly isSecure: boolean
}

/**
 * Checks how the server is reached: passwords and faces must not travel in the open.
 * @throws USAGE if other machines could reach it without TLS, or a file cannot be read
 */
export function listenParts({
  host = '127.0.0.1',
  port = 8080,
  tls,
  trustedProxies = [],
}: ListenOptions): ListenParts {
  const isSecure = tls !== undefined || trustedProxies.length > 0
  if (!isSecure && !isLoopback(host))
    throw new CameoError(
      'USAGE',
      `other machines reach ${host}: give the files of a TLS certificate, or name the proxy in front of the server that has one`,
    )
  return {
    ...{ host, port, isSecure },
    https: tls === undefined ? null : { cert: read(tls.certFile), key: read(tls.keyFile) },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new CameoError('USAGE', `the TLS file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there: choose another port',
  EACCES: 'this user may not listen there: choose a port from 1024 on',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no such address',
}

/** Why a server cannot listen, in words, if it is about its address. */
export function listenError(error: unknown, { host, port }: Pick<ListenParts, 'host' | 'port'>): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = reasons[code]
  if (reason === undefined) return error
  return new CameoError('USAGE', `the server cannot listen on ${host}, port ${port}: ${reason}`, {
    cause: error,
  })
}
