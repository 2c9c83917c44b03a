import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { foldersOfActor } from '../../../index/access/request-actor.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { ForgetReport } from '../../archive/forget.js'
import type { ArchiveHost } from '../hosts/archive-host.js'
import { clipsQuery, clipWishOf } from '../schemas/clips.js'
import {
  correctionAnswer,
  correctionBody,
  faceParams,
  forgottenSchema,
  identitySchema,
  nameChange,
  nameListSchema,
  nameParams,
  newFaceBody,
  shownNameJson,
  shownNameSchema,
} from '../schemas/names.js'
import { askedBy, clipSubject, nameSubject, subjectEntry } from '../audit/use-entries.js'
import { fileAnswer } from '../schemas/common.js'
import type { ServerParts } from '../server/parts.js'
import { requireVisibleClip, requireWholeArchive } from '../server/visible.js'

const tags = ['names']

/** Reads of names. */
export const nameRoutes =
  ({ reader, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/names',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'The enrolled names, with how often and how long each is seen.', tags },
        ...{ querystring: clipsQuery, response: { 200: nameListSchema } },
      },
      handler: ({ query, actor }) =>
        reader.call('listPeople', { ...clipWishOf(query), ...foldersOfActor(actor) }),
    })
    app.route({
      method: 'GET',
      url: '/names/:name',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'What a name rests on.', tags },
        ...{ params: nameParams, response: { 200: shownNameSchema } },
      },
      handler: async ({ params: { name }, actor }) => {
        const shown = await reader.call('showName', name, foldersOfActor(actor))
        await audit.append(subjectEntry(actor, 'view-person', nameSubject(shown.name)))
        return shownNameJson(shown)
      },
    })
    app.route({
      method: 'GET',
      url: '/names/:name/faces/:number/picture',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'The kept picture of a face.', tags, params: faceParams },
        response: { 200: fileAnswer('A JPEG.', 'image/jpeg') },
      },
      handler: async ({ params: { name, number }, actor }, reply) => {
        const { faces } = await reader.call('showName', name, foldersOfActor(actor))
        const jpeg = faces.find((face) => face.number === number)?.pictureJpeg
        if (jpeg === undefined) throw new CameoError('NOT_FOUND', 'no picture was kept of this face')
        return reply.type('image/jpeg').header('cache-control', 'private, no-store').send(Buffer.from(jpeg))
      },
    })
    done()
  }

/** Changes of names. */
export const nameChangeRoutes =
  ({ jobs, reader, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'PATCH',
      url: '/names/:name',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'Change the note and the aliases of a name.', tags },
        ...{ params: nameParams, body: nameChange, response: { 200: shownNameSchema } },
      },
      handler: async ({ params: { name }, body, actor }) => {
        requireWholeArchive(actor)
        await changeName(jobs, name, body)
        const shown = await reader.call('showName', name)
        await audit.append(subjectEntry(actor, 'name', nameSubject(shown.name)))
        return shownNameJson(shown)
      },
    })
    app.route({
      method: 'POST',
      url: '/names/:name/tracks',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'Add the best face of a track to a new or known name.', tags },
        ...{ params: nameParams, body: newFaceBody, response: { 200: identitySchema } },
      },
      handler: async ({ params: { name }, body, actor }) => {
        requireWholeArchive(actor)
        const identity = await jobs.call('enrollTrack', { name, ...body })
        await audit.append(subjectEntry(actor, 'enroll', nameSubject(identity.name)))
        return identity
      },
    })
    app.route({
      method: 'POST',
      url: '/names/:name/corrections',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'Say that a clip shows a name, or does not, or take that back.', tags },
        ...{ params: nameParams, body: correctionBody, response: { 200: correctionAnswer } },
      },
      handler: async ({ params: { name }, body: { clipId, verdict, ...options }, actor }) => {
        await requireVisibleClip(reader, { actor }, clipId)
        const report = await jobs.call(verdict === 'confirmed' ? 'confirm' : 'reject', name, clipId, options)
        await audit.append(
          subjectEntry(actor, 'correct', nameSubject(report.name), {
            also: [clipSubject(report.clipId)],
            details: { verdict, undone: report.undone },
          }),
        )
        return report
      },
    })
    app.route({
      method: 'DELETE',
      url: '/names/:name',
      config: { right: 'erase', shownOnce: fieldsThatName },
      schema: {
        ...{ summary: 'Erase a name with all its faces.', tags },
        ...{ params: nameParams, response: { 200: forgottenSchema } },
      },
      handler: async ({ params: { name }, actor }) => {
        requireWholeArchive(actor)
        return forgottenJson(await jobs.call('forget', { name, order: askedBy(actor) }))
      },
    })
    done()
  }

async function changeName(
  archive: ArchiveHost,
  name: string,
  { note, aliases }: z.infer<typeof nameChange>,
): Promise<void> {
  if (note !== undefined) await archive.call('noteName', name, note)
  if (aliases === undefined) return
  const before = (await archive.call('showName', name)).aliases
  for (const alias of aliases) if (!before.includes(alias)) await archive.call('addAlias', name, alias)
  for (const alias of before) if (!aliases.includes(alias)) await archive.call('removeAlias', name, alias)
}

/** Fields of the answer to an erasure that name what was erased: an answer that is kept does not have them. */
export const fieldsThatName = ['name', 'names', 'paths', 'source']

/** What an erasure did. */
export const forgottenJson = ({ forgotten, pending, receipt }: ForgetReport) => ({
  ...forgotten,
  ...(receipt === undefined ? {} : { receipt }),
  ...(pending === undefined ? {} : { pending: pending.message }),
})
