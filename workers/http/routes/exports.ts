import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { foldersOfActor, type RequestActor } from '../../../index/access/request-actor.js'
import type { AuditEntry, AuditSubject } from '../../../index/audit/audit-entry.js'
import { hitsOfClip, hitsOfPerson, hitsOfSearch } from '../../../index/editing/hits.js'
import { writeEdit, type Edit } from '../../../index/editing/write-format.js'
import { askedBy, clipSubject, groupSubject } from '../audit/use-entries.js'
import type { FoundClip } from '../../library/search.js'
import { shownClipJson } from '../schemas/clips.js'
import { exportBody, mimeOf, type ExportBody } from '../schemas/exports.js'
import { shownPersonJson } from '../schemas/people.js'
import { searchJson } from '../schemas/search.js'
import { fileAnswer } from '../schemas/common.js'
import type { ServerParts } from '../server/parts.js'
import { requireWholeArchive } from '../server/visible.js'
import { search } from './searches.js'

const tags = ['exports']

export const exportRoutes =
  (parts: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'POST',
      url: '/exports',
      config: { right: 'export' },
      schema: {
        summary: 'A search, the people of a clip or the clips of a person, for editors and programs.',
        ...{ tags, body: exportBody },
        response: { 200: fileAnswer('A file.', ...new Set(Object.values(mimeOf))) },
      },
      handler: async ({ body, actor, log }, reply) => {
        const { edit, json, subjects } = await answerOf(parts, actor, body)
        await parts.audit.append(exportEntry(actor, body, subjects))
        const { format, rate } = body
        const text =
          format === 'json'
            ? JSON.stringify(json)
            : await writeEdit({ ...edit, rate }, format, (notice) => log.info(notice))
        return reply
          .type(mimeOf[format])
          .header('content-disposition', `attachment; filename="cameo.${format}"`)
          .serializer((own: string) => own)
          .send(text)
      },
    })
    app.route({
      method: 'GET',
      url: '/names/export',
      config: { right: 'administer' },
      schema: {
        ...{ summary: 'All names with their faces, as one file that another archive can import.', tags },
        response: { 200: fileAnswer('Lines of JSON.', 'application/jsonl') },
      },
      handler: async ({ actor }, reply) => {
        requireWholeArchive(actor)
        await parts.audit.append({
          ...askedBy(actor),
          action: 'export',
          outcome: 'done',
          details: { of: 'names' },
        })
        const dir = await mkdtemp(join(tmpdir(), 'cameo-export-'))
        try {
          const file = join(dir, 'cameo-names.jsonl')
          await parts.reader.call('exportNames', file)
          const opened = await open(file)
          return await reply
            .type('application/jsonl')
            .header('content-disposition', 'attachment; filename="cameo-names.jsonl"')
            .send(opened.createReadStream())
        } finally {
          // The stream holds the file open.
          await rm(dir, { recursive: true, force: true })
        }
      },
    })
    done()
  }

/** An answer as an editor's list and as JSON, and whom or what it is about. */
interface ExportedAnswer {
  readonly edit: Edit
  readonly json: unknown
  readonly subjects: readonly AuditSubject[]
}

const exportEntry = (
  actor: RequestActor,
  { format, ...reason }: ExportBody,
  subjects: readonly AuditSubject[],
): AuditEntry => ({
  ...{ ...askedBy(actor, reason), action: 'export', outcome: 'done' },
  details: { format, subjects: subjects.length },
  parts: subjects.map((subject) => ({ subject, content: { [subject.kind]: subject.label } })),
})

async function answerOf(
  parts: ServerParts,
  actor: RequestActor,
  { of }: ExportBody,
): Promise<ExportedAnswer> {
  const { reader } = parts
  if ('clipId' in of) {
    const clip = await reader.call('showClip', { clip: of.clipId, ...foldersOfActor(actor) })
    return {
      edit: { hits: hitsOfClip(clip), title: `people of ${clip.clipId.slice(0, 12)}`, isOfOneClip: true },
      json: shownClipJson(clip),
      subjects: [clipSubject(clip.clipId)],
    }
  }
  if ('personId' in of) {
    const person = await reader.call('showPerson', { personId: of.personId, ...foldersOfActor(actor) })
    return {
      edit: { hits: hitsOfPerson(person), title: `person ${of.personId}`, isOfOneClip: false },
      json: shownPersonJson(person),
      subjects: [groupSubject(of.personId)],
    }
  }
  const { searchId, result } = await search(parts, actor, of.search)
  const hitOf = (match: FoundClip) => ({ match, probability: match.probability })
  const hits = { matches: result.matches.map(hitOf), weak: result.weak.map(hitOf) }
  return {
    edit: {
      hits: hitsOfSearch({ query: result.query, hits }),
      title: `search for ${result.query.value}`,
      isOfOneClip: false,
    },
    json: searchJson(searchId, result),
    subjects: result.matches.map(({ clipId }) => clipSubject(clipId)),
  }
}
