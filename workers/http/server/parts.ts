import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { RequestActor } from '../../../index/access/request-actor.js'
import type { Right } from '../../../index/access/roles.js'
import type { ArchiveHost } from '../hosts/archive-host.js'

/** Who may call a route: everybody, whoever is signed in, or whoever has a right. */
export type RouteRight = Right | 'anonymous' | 'signed-in'

/** Finds out who asks. */
export interface Door {
  /** @throws SIGN_IN_REQUIRED if a key or session is given that is not valid; REQUEST_FORGED */
  identify(request: FastifyRequest, reply: FastifyReply): Promise<RequestActor>
}

/** What routes are made of. */
export interface ServerParts {
  /** Folder of the archive. */
  readonly archive: string
  readonly door: Door
  /** Searches, lists and everything else that only reads. Runs no models. */
  readonly reader: ArchiveHost
  /** Looks at photos and clips, and writes names. */
  readonly looks: ArchiveHost
  /** Long work: ingest, grouping, evaluation. */
  readonly jobs: ArchiveHost
  readonly log: FastifyBaseLogger
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route declares it; the server does not start with a route that does not. */
    right?: RouteRight
  }
  interface FastifyRequest {
    /** Who asks. Set before every handler. */
    actor: RequestActor
  }
}
