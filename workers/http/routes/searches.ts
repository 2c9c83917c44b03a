import { randomUUID } from 'node:crypto'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { RequestActor } from '../../../index/access/request-actor.js'
import { readSettings } from '../../../index/access/settings.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { searchEntry } from '../audit/use-entries.js'
import type { SearchQuery, SearchResult, Whom } from '../../library/search.js'
import { searchAnswerSchema, searchBody, searchJson, type SearchBody } from '../schemas/search.js'
import type { ServerParts } from '../server/parts.js'

export const searchRoutes =
  (parts: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'POST',
      url: '/searches',
      config: { right: 'search', limit: 'searchesPerMinute' },
      schema: {
        summary: 'Find the clips in which a person appears, best first.',
        tags: ['search'],
        body: searchBody,
        response: { 200: searchAnswerSchema },
      },
      handler: async ({ body, actor }) => {
        const { searchId, result } = await search(parts, actor, body)
        return searchJson(searchId, result)
      },
    })
    done()
  }

/**
 * Searches, and writes to the audit log who searched for whom, why, and what was found. Nobody gets an answer that is not in the
 * log.
 * @throws PURPOSE_MISSING; as `Cameo.search` does
 */
export async function search(
  { reader, audit, access }: ServerParts,
  actor: RequestActor,
  body: SearchBody,
): Promise<{ readonly searchId: string; readonly result: SearchResult }> {
  if (readSettings(access).purposeRequired && (body.purpose ?? '').trim() === '')
    throw new CameoError('PURPOSE_MISSING', 'say for what purpose the search is made')
  const result = await reader.call('search', searchQueryOf(body))
  const searchId = randomUUID()
  await audit.append(searchEntry(actor, body, searchId, result))
  return { searchId, result }
}

/** A search as the library takes it. */
export function searchQueryOf({ subject, since, until, ...rest }: SearchBody): SearchQuery {
  return {
    ...whomOf(subject),
    ...rest,
    ...(since === undefined ? {} : { since: new Date(since) }),
    ...(until === undefined ? {} : { until: new Date(until) }),
  }
}

function whomOf(subject: SearchBody['subject']): Whom {
  if ('name' in subject) return { name: subject.name }
  if ('trackId' in subject) return { track: subject.trackId }
  if ('personId' in subject) return { person: subject.personId }
  throw new CameoError('USAGE', 'not yet')
}
