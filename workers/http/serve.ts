import type { FastifyBaseLogger } from 'fastify'
import type { HostOptions } from './hosts/call-messages.js'
import { ArchiveHost } from './hosts/archive-host.js'
import { buildApp } from './server/app.js'
import type { Door } from './server/parts.js'

/** How a server runs. */
export interface ServeOptions extends HostOptions {
  /** Default: 127.0.0.1, so that only this machine reaches it. */
  readonly host?: string
  /** 0 chooses a free port. Default: 8080. */
  readonly port?: number
  readonly log: FastifyBaseLogger
  readonly door: Door
}

/** A server that listens. */
export interface RunningServer {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  /** Stops to accept requests, finishes those that run, and releases the archive. */
  close(): Promise<void>
}

/** Starts to serve an archive. Answers at once; the index of vectors is loaded meanwhile. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 8080, log, door, ...hosted } = options
  const own = (name: string) => new ArchiveHost(hosted, (text) => log.info({ thread: name }, text))
  const hosts = { reader: own('reader'), looks: own('looks'), jobs: own('jobs') }
  const { fastify } = await buildApp({ archive: options.archive, door, log, ...hosts })
  const url = await fastify.listen({ host, port })
  return {
    url,
    async close() {
      await fastify.close()
      await Promise.all(Object.values(hosts).map((each) => each.close()))
    },
  }
}
