import { randomUUID } from 'node:crypto'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { SearchQuery, Whom } from '../../library/search.js'
import { searchAnswerSchema, searchBody, searchJson, type SearchBody } from '../schemas/search.js'
import type { ServerParts } from '../server/parts.js'

export const searchRoutes =
  ({ reader }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'POST',
      url: '/searches',
      config: { right: 'search' },
      schema: {
        summary: 'Find the clips in which a person appears, best first.',
        tags: ['search'],
        body: searchBody,
        response: { 200: searchAnswerSchema },
      },
      handler: async ({ body }) => {
        const result = await reader.call('search', searchQueryOf(body))
        return searchJson(randomUUID(), result)
      },
    })
    done()
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
