import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { ShownPerson } from '../../../index/clips/show-clip.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { SearchQuery, Whom } from '../../library/search.js'
import { searchAnswerSchema, searchBody, searchJson, type SearchBody } from '../schemas/search.js'
import type { ServerParts } from '../server/parts.js'
import { requireVisibleClip, requireVisibleTrack } from '../server/visible.js'

export const searchRoutes =
  (parts: ServerParts): FastifyPluginCallbackZod =>
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
      handler: async ({ body, actor }) => {
        const whom = await whomOf(parts, { actor }, body.subject)
        const result = await parts.reader.call('search', searchQueryOf(whom, body))
        return searchJson(randomUUID(), result)
      },
    })
    done()
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
 * @throws NOT_FOUND, FACE_UNKNOWN, IMAGE_SEVERAL_FACES about an upload; CLIP_UNKNOWN, TRACK_UNKNOWN; QUERY_NO_TRACK if nobody is seen in a
 * clip
 */
export async function whomOf(
  { reader, uploads }: Pick<ServerParts, 'reader' | 'uploads'>,
  asker: Pick<FastifyRequest, 'actor'>,
  subject: SearchBody['subject'],
): Promise<Whom> {
  if ('name' in subject) return { name: subject.name }
  if ('personId' in subject) return { person: subject.personId }
  if ('uploadId' in subject)
    return { question: uploads.person(asker.actor, subject.uploadId, subject.face).question }
  if ('trackId' in subject)
    return { track: (await requireVisibleTrack(reader, asker, subject.trackId)).trackId }
  const { clipId } = await requireVisibleClip(reader, asker, subject.clipId)
  const { people } = await reader.call('showClip', { clip: clipId })
  const track = mainTrackOf(people)
  if (track === undefined) throw new CameoError('QUERY_NO_TRACK', 'nobody is seen in this clip')
  return { track }
}

/** The best track of whoever is seen longest. */
function mainTrackOf(people: readonly ShownPerson[]): number | undefined {
  const [main] = [...people].sort((a, b) => b.seenS - a.seenS)
  return main?.trackIds[0]
}
