import type { FastifyBaseLogger } from 'fastify'
import type { Access } from '../../../index/access/access.js'
import type { AuditLog } from '../../../index/audit/audit-log.js'
import type { AuditAppender } from '../audit/audit-writer.js'
import type { Door, SignInMethods } from '../door/door.js'
import type { OidcProvider } from '../door/oidc.js'
import type { FlowCookie, SessionCookie } from '../door/session-cookie.js'
import type { ArchiveHost } from '../hosts/archive-host.js'
import type { JobDesk } from '../jobs/job-desk.js'
import type { ClipQueue } from '../jobs/queue-work.js'
import type { KeptReports } from '../jobs/kept-reports.js'
import type { MediaDesk } from '../media/media-desk.js'
import type { UploadDesk } from '../uploads/upload-desk.js'
import type { ServerMetrics } from './metrics.js'
import type { Readiness } from './readiness.js'

/** What routes are made of. */
export interface ServerParts {
  /** Folder of the archive. */
  readonly archive: string
  readonly door: Door
  /** Users, keys, collections and settings. */
  readonly access: Access
  /** Writes to the audit log. */
  readonly audit: AuditAppender
  /** Reads the audit log, and takes the steps of approvals. */
  readonly auditLog: AuditLog
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
  /** Runs jobs, and remembers them. */
  readonly desk: JobDesk
  /** Reports of evaluations. */
  readonly reports: KeptReports
  /** Folders from which clips may be ingested, in addition to folders that were ingested before. */
  readonly ingestRoots: readonly string[]
  /** Where workers take their jobs from. Without it, the server itself processes clips. */
  readonly queue: ClipQueue | undefined
  readonly readiness: Readiness
  readonly metrics: ServerMetrics
  readonly log: FastifyBaseLogger
}
