import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Access } from '../../../index/access/access.js'
import { readSettings } from '../../../index/access/settings.js'
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
  await app.register(fastifyRateLimit, {
    global: true,
    timeWindow: 60_000,
    max: (request) => readSettings(access)[limitOf(request)],
    keyGenerator: (request) => `${limitOf(request)} ${askerOf(request)}`,
    errorResponseBuilder: (_request, { ttl }) =>
      new CameoError('TOO_MANY_REQUESTS', `too many requests: wait ${Math.ceil(ttl / 1000)} s`),
  })
}
