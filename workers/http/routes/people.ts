import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { foldersOfActor } from '../../../index/access/request-actor.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import {
  changesSchema,
  correctedSchema,
  mergeBody,
  namedSchema,
  peoplePageSchema,
  peopleQuery,
  personChange,
  personJson,
  personParams,
  shownPersonJson,
  shownPersonSchema,
  splitBody,
} from '../schemas/people.js'
import { askedBy, groupSubject, nameSubject, subjectEntry } from '../audit/use-entries.js'
import { fileAnswer } from '../schemas/common.js'
import type { ServerParts } from '../server/parts.js'
import { requireWholeArchive } from '../server/visible.js'

const tags = ['people']

/** Reads of the people into whom tracks were grouped. */
export const peopleRoutes =
  ({ reader, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/people',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'The people into whom tracks were grouped, those with most tracks first.', tags },
        ...{ querystring: peopleQuery, response: { 200: peoplePageSchema } },
      },
      handler: async ({ query, actor }) => {
        const { people, next } = await reader.call('people', { ...query, ...foldersOfActor(actor) })
        return { people: people.map(personJson), next }
      },
    })
    app.route({
      method: 'GET',
      url: '/people/changes',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'The log of changes of people, the newest first.', tags },
        response: { 200: changesSchema },
      },
      handler: async ({ actor }) => {
        requireWholeArchive(actor)
        return { changes: await reader.call('peopleChanges') }
      },
    })
    app.route({
      method: 'GET',
      url: '/people/:personId',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'Where a person is seen.', tags, params: personParams },
        querystring: z.object({ top: z.coerce.number().int().min(1).max(10_000).exactOptional() }).strict(),
        response: { 200: shownPersonSchema },
      },
      handler: async ({ params, query, actor }) => {
        const shown = await reader.call('showPerson', { ...params, ...query, ...foldersOfActor(actor) })
        await audit.append(subjectEntry(actor, 'view-person', groupSubject(params.personId)))
        return shownPersonJson(shown)
      },
    })
    app.route({
      method: 'GET',
      url: '/people/:personId/thumbnail',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'The best face of a person.', tags, params: personParams },
        response: { 200: fileAnswer('A JPEG.', 'image/jpeg') },
      },
      handler: async ({ params, actor }, reply) => {
        const { person } = await reader.call('showPerson', {
          ...{ ...params, top: 1 },
          ...foldersOfActor(actor),
        })
        if (person.thumbnailJpeg === undefined) throw new CameoError('NOT_FOUND', 'there is no picture')
        return reply
          .type('image/jpeg')
          .header('cache-control', 'private, max-age=60')
          .send(Buffer.from(person.thumbnailJpeg))
      },
    })
    done()
  }

/** Corrections of people. */
export const peopleChangeRoutes =
  ({ jobs, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'PATCH',
      url: '/people/:personId',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'Name a person, or hide it from lists.', tags, params: personParams },
        ...{ body: personChange, response: { 200: namedSchema } },
      },
      handler: async ({ params: { personId }, body: { name, force, hidden }, actor }) => {
        requireWholeArchive(actor)
        const group = groupSubject(personId)
        if (hidden !== undefined) {
          await jobs.call('hidePeople', [personId], hidden)
          await audit.append(subjectEntry(actor, 'correct', group, { details: { hidden } }))
        }
        if (name === undefined) return { personId }
        const named = await jobs.call('namePerson', {
          personId,
          name,
          ...(force === undefined ? {} : { force }),
        })
        await audit.append(subjectEntry(actor, 'name', nameSubject(named.name), { also: [group] }))
        return named
      },
    })
    app.route({
      method: 'POST',
      url: '/people/:personId/merge',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'Say that others are this person.', tags, params: personParams },
        ...{ body: mergeBody, response: { 200: correctedSchema } },
      },
      handler: async ({ params: { personId }, body: { ids }, actor }) => {
        requireWholeArchive(actor)
        const merged = await jobs.call('mergePeople', [personId, ...ids])
        const also = ids.map(groupSubject)
        const details = { change: 'merge', tracks: merged.tracks }
        await audit.append(subjectEntry(actor, 'correct', groupSubject(personId), { also, details }))
        return merged
      },
    })
    app.route({
      method: 'POST',
      url: '/people/:personId/split',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'Say that some tracks show somebody else.', tags, params: personParams },
        ...{ body: splitBody, response: { 200: correctedSchema } },
      },
      handler: async ({ params: { personId }, body: { trackIds }, actor }) => {
        requireWholeArchive(actor)
        const split = await jobs.call('splitPerson', { personId, trackIds })
        const details = { change: 'split', tracks: split.tracks }
        await audit.append(subjectEntry(actor, 'correct', groupSubject(personId), { details }))
        return split
      },
    })
    app.route({
      method: 'POST',
      url: '/people/changes/:changeId/undo',
      config: { right: 'correct' },
      schema: {
        ...{ summary: 'Undo a change of people.', tags },
        params: z.object({ changeId: z.coerce.number().int().min(1) }),
        response: { 200: changesSchema },
      },
      handler: async ({ params: { changeId }, actor }) => {
        requireWholeArchive(actor)
        const change = await jobs.call('undoPeople', changeId, askedBy(actor))
        const [first, ...rest] = change.people.map(groupSubject)
        const more = { also: rest, details: { change: 'undo', changeId } }
        if (first !== undefined) await audit.append(subjectEntry(actor, 'correct', first, more))
        return { changes: [change] }
      },
    })
    done()
  }
