import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { RequestActor } from '../../../index/access/request-actor.js'
import type { Access } from '../../../index/access/access.js'
import type { AccessSettings } from '../../../index/access/settings.js'
import type { AuditLog } from '../../../index/audit/audit-log.js'
import type { SessionCookie } from '../door/session-cookie.js'
import type { Right } from '../../../index/access/roles.js'
import type { ArchiveHost } from '../hosts/archive-host.js'
import type { JobDesk } from '../jobs/job-desk.js'
import type { KeptReports } from '../jobs/kept-reports.js'
import type { MediaDesk } from '../media/media-desk.js'
import type { UploadDesk } from '../uploads/upload-desk.js'
import type { ServerMetrics } from './metrics.js'
import type { Readiness } from './readiness.js'

/** Who may call a route: everybody, whoever is signed in, or whoever has a right. */
export type RouteRight = Right | 'anonymous' | 'signed-in'

/** Limits of requests per minute, by their settings. */
export type Limit = Extract<keyof AccessSettings, `${string}PerMinute`>

/** Finds out who asks. */
export interface Door {
  /** @throws SIGN_IN_REQUIRED if a key is given that is not valid; REQUEST_FORGED */
  identify(request: FastifyRequest): RequestActor
  /** The user of a session; anonymous if there is none. */
  actorOfSession(token: string): RequestActor
}

/** How users can sign in. */
export interface SignInMethods {
  readonly password: boolean
  /** A provider of OpenID Connect, and where signing in with it begins. */
  readonly oidc?: { readonly label: string; readonly url: string }
}

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
  /** Folders from which clips may be ingested, besides those of which the archive has some. */
  readonly ingestRoots: readonly string[]
  readonly readiness: Readiness
  readonly metrics: ServerMetrics
  readonly log: FastifyBaseLogger
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route declares it; the server does not start with a route that does not. */
    right?: RouteRight
    /** Which limit counts its requests. Default: that of all requests. */
    limit?: Limit
  }
  interface FastifyRequest {
    /** Who asks. Set before every handler. */
    actor: RequestActor
  }
}
