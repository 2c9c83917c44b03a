import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { foldersOfActor, type RequestActor } from '../../../index/access/request-actor.js'
import type { ShownPerson } from '../../../index/clips/show-clip.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { checkPolicy } from '../audit/approved-search.js'
import { searchEntry } from '../audit/use-entries.js'
import type { SearchQuery, SearchResult, Whom } from '../../library/search.js'
import {
  searchAnswerSchema,
  searchBody,
  searchJson,
  type SearchAnswerJson,
  type SearchBody,
} from '../schemas/search.js'
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
      handler: async ({ body, actor, headers }, reply) => {
        const { searchId, result } = await search(parts, actor, body)
        const answer = searchJson(searchId, result)
        if (headers.accept?.includes(linesMime) !== true) return answer
        return sendLines(reply, linesOf(answer))
      },
    })
    done()
  }

const sendLines = (reply: FastifyReply, lines: Iterable<string>): FastifyReply =>
  reply.type(linesMime).send(Readable.from(lines))

const linesMime = 'application/x-ndjson'

/** An answer as lines of JSON, so that the first clips can be shown before the last ones have arrived. */
function* linesOf(answer: SearchAnswerJson): Generator<string> {
  const { matches, weak, ...head } = searchAnswerSchema.parse(answer)
  yield `${JSON.stringify({ kind: 'query', ...head })}\n`
  for (const match of matches) yield `${JSON.stringify({ kind: 'match', ...match })}\n`
  for (const match of weak) yield `${JSON.stringify({ kind: 'weak', ...match })}\n`
  yield `${JSON.stringify({ kind: 'end' })}\n`
}

/**
 * Searches, and writes to the audit log who searched for whom, why, and what was found. Nobody gets an answer that is not in the
 * log.
 * @throws PURPOSE_MISSING, APPROVAL_*; as `Cameo.search` does
 */
export async function search(
  parts: ServerParts,
  actor: RequestActor,
  body: SearchBody,
): Promise<{ readonly searchId: string; readonly result: SearchResult }> {
  const { reader, audit, auditLog, uploads } = parts
  checkPolicy(parts, actor, body)
  const { subject } = body
  const whom = await whomOf(parts, actor, subject)
  const digest =
    'uploadId' in subject
      ? auditLog.digestOfQuery(uploads.find(actor, subject.uploadId).contentSha256)
      : undefined
  const result = await reader.call('search', { ...searchQueryOf(whom, body), ...foldersOfActor(actor) })
  const searchId = randomUUID()
  await audit.append(searchEntry(actor, body, searchId, result, digest))
  parts.metrics.searched()
  return { searchId, result }
}

/** A search as the library takes it. */
export function searchQueryOf(
  whom: Whom,
  { since, until, ...rest }: Omit<SearchBody, 'subject'>,
): SearchQuery {
  return {
    ...rest,
    ...whom,
    // Clients fetch those that they show.
    thumbnails: false,
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
