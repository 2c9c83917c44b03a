import { randomUUID } from 'node:crypto'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { foldersOfActor, type RequestActor } from '../../../index/access/request-actor.js'
import { readSettings } from '../../../index/access/settings.js'
import type { ShownPerson } from '../../../index/clips/show-clip.js'
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
  parts: ServerParts,
  actor: RequestActor,
  body: SearchBody,
): Promise<{ readonly searchId: string; readonly result: SearchResult }> {
  const { reader, audit, access } = parts
  if (readSettings(access).purposeRequired && (body.purpose ?? '').trim() === '')
    throw new CameoError('PURPOSE_MISSING', 'say for what purpose the search is made')
  const whom = await whomOf(parts, actor, body.subject)
  const result = await reader.call('search', { ...searchQueryOf(whom, body), ...foldersOfActor(actor) })
  const searchId = randomUUID()
  await audit.append(searchEntry(actor, body, searchId, result))
  parts.metrics.searched()
  return { searchId, result }
}

/** A search as the library takes it. */
export function searchQueryOf(whom: Whom, { subject: _, since, until, ...rest }: SearchBody): SearchQuery {
  return {
    ...whom,
    ...rest,
    ...(since === undefined ? {} : { since: new Date(since) }),
    ...(until === undefined ? {} : { until: new Date(until) }),
  }
}

/**
 * The person to search for.
 * @throws NOT_FOUND, FACE_UNKNOWN, IMAGE_SEVERAL_FACES about an upload; CLIP_UNKNOWN; QUERY_NO_TRACK if nobody is seen in a
 * clip
 */
export async function whomOf(
  { reader, uploads }: Pick<ServerParts, 'reader' | 'uploads'>,
  actor: RequestActor,
  subject: SearchBody['subject'],
): Promise<Whom> {
  if ('name' in subject) return { name: subject.name }
  if ('personId' in subject) return { person: subject.personId }
  if ('uploadId' in subject)
    return { question: uploads.person(actor, subject.uploadId, subject.face).question }
  if ('trackId' in subject) return { track: subject.trackId }
  const { people } = await reader.call('showClip', { clip: subject.clipId, ...foldersOfActor(actor) })
  const track = mainTrackOf(people)
  if (track === undefined) throw new CameoError('QUERY_NO_TRACK', 'nobody is seen in this clip')
  return { track }
}

/** The best track of whoever is seen longest. */
function mainTrackOf(people: readonly ShownPerson[]): number | undefined {
  const [main] = [...people].sort((a, b) => b.seenS - a.seenS)
  return main?.trackIds[0]
}
