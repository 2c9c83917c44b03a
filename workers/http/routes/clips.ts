import { z } from 'zod'
import { foldersOfActor } from '../../../index/access/request-actor.js'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import {
  clipEntryJson,
  clipListSchema,
  clipsQuery,
  clipWishOf,
  shownClipJson,
  shownClipSchema,
} from '../schemas/clips.js'
import { clipIdSchema } from '../schemas/common.js'
import { forgottenSchema } from '../schemas/names.js'
import { askedBy, clipSubject, subjectEntry } from '../audit/use-entries.js'
import type { ServerParts } from '../server/parts.js'
import { requireWholeArchive } from '../server/visible.js'
import { fieldsThatName, forgottenJson } from './names.js'

export const clipRoutes =
  ({ reader, jobs, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/clips',
      config: { right: 'view' },
      schema: {
        summary: 'The clips of the archive, in order of their paths, with the people in them.',
        tags: ['clips'],
        querystring: clipsQuery,
        response: { 200: clipListSchema },
      },
      handler: async ({ query, actor }) => {
        const { clips, ...rest } = await reader.call('listClips', {
          ...clipWishOf(query),
          ...foldersOfActor(actor),
        })
        return { ...rest, clips: clips.map(clipEntryJson) }
      },
    })
    app.route({
      method: 'GET',
      url: '/clips/:clipId',
      config: { right: 'view' },
      schema: {
        summary: 'Who is seen in a clip, and when.',
        tags: ['clips'],
        params: z.object({ clipId: clipIdSchema }),
        response: { 200: shownClipSchema },
      },
      handler: async ({ params: { clipId }, actor }) => {
        const clip = await reader.call('showClip', { clip: clipId, ...foldersOfActor(actor) })
        await audit.append(subjectEntry(actor, 'view-clip', clipSubject(clip.clipId)))
        return shownClipJson(clip)
      },
    })
    app.route({
      method: 'DELETE',
      url: '/clips/:clipId',
      config: { right: 'erase', shownOnce: fieldsThatName },
      schema: {
        summary: 'Erase what the archive knows of a clip. Its files stay.',
        tags: ['clips'],
        params: z.object({ clipId: clipIdSchema }),
        response: { 200: forgottenSchema },
      },
      handler: async ({ params, actor }) => {
        requireWholeArchive(actor)
        return forgottenJson(await jobs.call('forget', { clip: params.clipId, order: askedBy(actor) }))
      },
    })
    done()
  }
