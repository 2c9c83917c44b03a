import { openAccess, type Access } from '../../index/access/access.js'
import { createSetupToken, isSetupNeeded } from '../../index/access/setup.js'
import { AuditLog } from '../../index/audit/audit-log.js'
import { AuditWriter } from './audit/audit-writer.js'
import { jobEndEntry } from './audit/job-entry.js'
import { AccessDoor } from './door/access-door.js'
import { OidcProvider, type OidcOptions } from './door/oidc.js'
import { FlowCookie, SessionCookie } from './door/session-cookie.js'
import type { HostOptions } from './hosts/call-messages.js'
import { ArchiveHost } from './hosts/archive-host.js'
import type { KafkaConnection } from '../kafka/broker/connection.js'
import { JobDesk } from './jobs/job-desk.js'
import { KeptReports } from './jobs/kept-reports.js'
import { MediaDesk, type MediaOptions } from './media/media-desk.js'
import { buildApp } from './app.js'
import { listenError, listenParts, type ListenOptions } from './door/listen-rules.js'
import type { Door } from './door/door.js'
import type { Logger } from '../service/log.js'
import { OpenConnections } from './server/open-connections.js'
import { Readiness } from './server/readiness.js'
import { startPath } from './routes/oidc.js'
import type { DeclaredRoute } from './server/route-rights.js'
import { ServerMetrics } from './server/metrics.js'
import { ServerFolder } from './server/server-folder.js'
import { UploadDesk, type UploadLimits } from './uploads/upload-desk.js'

/** How a server runs. */
export interface ServeOptions extends HostOptions, ListenOptions {
  readonly log: Logger
  /** Finds out who asks. Default: by API keys and sessions. */
  readonly door?: Door
  /** Folder for temporary files. Default: the system's. */
  readonly temporaryDir?: string
  readonly uploads?: UploadLimits
  /** Users can also sign in with accounts of this provider. */
  readonly oidc?: OidcOptions
  readonly media?: MediaOptions
  /** Folders from which clips may be ingested. Folders that were ingested before are always allowed. */
  readonly ingestRoots?: readonly string[]
  /** Brokers whose workers process the clips of an ingest, for this archive. Default: the server itself does. */
  readonly kafka?: KafkaConnection
}

/** A link that works once. */
export interface SetupLink {
  readonly url: string
  readonly expiresAt: Date
}

/** A server that listens. */
export interface RunningServer {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  /** Every route, and who may call it. */
  readonly routes: readonly DeclaredRoute[]
  /** Makes the first administrator. Present if there is none. */
  readonly setup?: SetupLink
  /** Stops accepting requests, finishes those that run, and releases the archive. */
  close(): Promise<void>
}

/** Starts to serve an archive. Answers at once; the index of vectors is loaded meanwhile. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { archive, models, device, pack, threads, log, kafka } = options
  const listen = listenParts(options)
  const oidc = options.oidc === undefined ? undefined : new OidcProvider(options.oidc)
  const access = openAccess(archive, { create: true })
  const auditLog = AuditLog.open(archive)
  const audit = new AuditWriter(archive)
  const cookie = new SessionCookie(listen.isSecure)
  const hosted: HostOptions = {
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
  const desk = new JobDesk({
    onEnd: (job) =>
      audit
        .append(jobEndEntry(job))
        .catch((error: unknown) => log.error({ err: error }, 'the end of a job is not in the audit log')),
  })
  const readiness = new Readiness(hosts.reader, (text) =>
    log.warn(`the index of vectors cannot be loaded: ${text}`),
  )
  const { fastify, routes } = await buildApp(
    {
      ...{ archive, access, audit, auditLog, cookie, log, uploads, media, ...hosts },
      ...{ desk, readiness, metrics: new ServerMetrics({ uploads, media, desk, readiness }) },
      ...{ reports: new KeptReports(archive), ingestRoots: options.ingestRoots ?? [] },
      queue: kafka === undefined ? undefined : { archive, connection: kafka, log, pack },
      door: options.door ?? new AccessDoor(access, cookie),
      ...{ oidc, flowCookie: new FlowCookie(listen.isSecure) },
      signInMethods: {
        password: true,
        ...(oidc === undefined ? {} : { oidc: { label: oidc.label, url: `/api/v1${startPath}` } }),
      },
    },
    listen,
  )
  const connections = new OpenConnections(fastify)
  const close = async () => {
    readiness.close()
    media.close()
    // Their readers see their ends; a connection that waits for events would keep the server from closing.
    await desk.close()
    await connections.close()
    uploads.close()
    await Promise.all(Object.values(hosts).map((each) => each.close()))
    await audit.close()
    auditLog.close()
    access.close()
    folder.remove()
  }
  const url = await fastify.listen({ host: listen.host, port: listen.port }).catch(async (error: unknown) => {
    await close()
    throw listenError(error, listen)
  })
  void readiness.load()
  return { ...{ url, routes, close }, ...(isSetupNeeded(access) ? { setup: setupLink(access, url) } : {}) }
}

/** The token is in the fragment, which browsers do not send, so that it is in no log. */
function setupLink(access: Access, url: string): SetupLink {
  const { token, expiresAt } = createSetupToken(access)
  return { url: `${url}/setup#${token}`, expiresAt }
}
