import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Access } from '../../../index/access/access.js'
import { readSettings, type AccessSettings } from '../../../index/access/settings.js'
import { createChangeReader } from '../../../index/store/change-reader.js'
import { CameoError } from '../../../pipeline/common/errors.js'

/** Whoever sends wrong keys may guess: that is limited as guesses of passwords are. */
const limitOf = ({ routeOptions, refusal }: FastifyRequest) =>
  refusal === undefined ? (routeOptions.config.limit ?? 'requestsPerMinute') : 'signInsPerMinute'

/**
 * Requests are counted by user or key; of those who are not signed in, by address. Refused ones are counted separately, so that a
 * program with an old key does not keep others at its address from signing in.
 */
function askerOf({ actor, ip, refusal }: FastifyRequest): string {
  if (refusal !== undefined) return `refused ${ip}`
  return actor.kind === 'anonymous' ? `address ${ip}` : `${actor.kind} ${actor.id}`
}

/** Limits the requests of each user, key and address per minute, as the settings of the archive say. */
export async function limitRequests(app: FastifyInstance, access: Access): Promise<void> {
  const settings = settingsReader(access)
  await app.register(fastifyRateLimit, {
    global: true,
    timeWindow: 60_000,
    max: (request) => settings()[limitOf(request)],
    keyGenerator: (request) => `${limitOf(request)} ${askerOf(request)}`,
    errorResponseBuilder: (_request, { ttl }) =>
      new CameoError('TOO_MANY_REQUESTS', `too many requests: wait ${Math.ceil(ttl / 1000)} s`),
  })
}

/** Reads the settings again only after a change of their file. */
export function settingsReader(access: Access): () => AccessSettings {
  const readChange = createChangeReader(access.database)
  let known: { readonly change: string; readonly settings: AccessSettings } | undefined
  return () => {
    const change = readChange()
    if (known?.change !== change) known = { change, settings: readSettings(access) }
    return known.settings
  }
}
