import type { FastifyBaseLogger } from 'fastify'
import type { Access } from '../../../index/access/access.js'
import type { AuditLog } from '../../../index/audit/audit-log.js'
import type { Door, SignInMethods } from '../door/door.js'
import type { OidcProvider } from '../door/oidc.js'
import type { FlowCookie, SessionCookie } from '../door/session-cookie.js'
import type { ArchiveHost } from '../hosts/archive-host.js'
import type { MediaDesk } from '../media/media-desk.js'
import type { Readiness } from './readiness.js'
import type { UploadDesk } from '../uploads/upload-desk.js'

/** What routes are made of. */
export interface ServerParts {
  /** Folder of the archive. */
  readonly archive: string
  readonly door: Door
  /** Users, keys, collections and settings. */
  readonly access: Access
  readonly audit: AuditLog
  readonly cookie: SessionCookie
  readonly signInMethods: SignInMethods
  /** Accounts elsewhere with which users sign in. */
  readonly oidc: OidcProvider | undefined
  readonly flowCookie: FlowCookie
  /** Searches, lists and everything else that only reads. Runs no models. */
  readonly reader: ArchiveHost
  /** Looks at photos and clips, and writes names. */
  readonly looks: ArchiveHost
  /** Long work: ingest, grouping, evaluation. */
  readonly jobs: ArchiveHost
  readonly uploads: UploadDesk
  readonly media: MediaDesk
  readonly readiness: Readiness
  readonly log: FastifyBaseLogger
}
