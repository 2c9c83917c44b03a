import type { FastifyBaseLogger } from 'fastify'
import type { HostOptions } from './hosts/call-messages.js'
import { ArchiveHost } from './hosts/archive-host.js'
import { MediaDesk, type MediaOptions } from './media/media-desk.js'
import { buildApp } from './server/app.js'
import type { Door } from './server/parts.js'
import { ServerFolder } from './server/server-folder.js'
import { UploadDesk, type UploadLimits } from './uploads/upload-desk.js'

/** How a server runs. */
export interface ServeOptions extends HostOptions {
  /** Default: 127.0.0.1, so that only this machine reaches it. */
  readonly host?: string
  /** 0 chooses a free port. Default: 8080. */
  readonly port?: number
  readonly log: FastifyBaseLogger
  readonly door: Door
  /** Folder for temporary files. Default: the system's. */
  readonly temporaryDir?: string
  readonly uploads?: UploadLimits
  readonly media?: MediaOptions
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
  const { host = '127.0.0.1', port = 8080, log, door } = options
  const { archive, models, device, pack, threads } = options
  const hosted = {
    archive,
    ...(models === undefined ? {} : { models }),
    ...(device === undefined ? {} : { device }),
    ...(pack === undefined ? {} : { pack }),
    ...(threads === undefined ? {} : { threads }),
  }
  const own = (name: string) => new ArchiveHost(hosted, (text) => log.info({ thread: name }, text))
  const hosts = { reader: own('reader'), looks: own('looks'), jobs: own('jobs') }
  const folder = new ServerFolder(options.temporaryDir)
  const uploads = new UploadDesk({
    looks: hosts.looks,
    folder: folder.folder('uploads'),
    ...(options.uploads === undefined ? {} : { limits: options.uploads }),
  })
  const media = new MediaDesk(folder.folder('media'), options.media)
  const { fastify } = await buildApp({ archive, door, log, uploads, media, ...hosts })
  const url = await fastify.listen({ host, port })
  return {
    url,
    async close() {
      media.close()
      await fastify.close()
      uploads.close()
      await Promise.all(Object.values(hosts).map((each) => each.close()))
      folder.remove()
    },
  }
}
