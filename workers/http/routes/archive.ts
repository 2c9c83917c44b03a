import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { foldersOfActor } from '../../../index/access/request-actor.js'
import { coverageSchema, failuresSchema, statusSchema } from '../schemas/archive.js'
import type { ServerParts } from '../server/parts.js'

const tags = ['archive']

/** What the archive holds, as far as the asker sees it. */
export const archiveRoutes =
  ({ reader }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/status',
      config: { right: 'view' },
      schema: { summary: 'What the archive holds.', tags, response: { 200: statusSchema } },
      handler: ({ actor }) => reader.call('status', foldersOfActor(actor)),
    })
    app.route({
      method: 'GET',
      url: '/coverage',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'How much of the video was looked at, by folder.', tags },
        querystring: z.object({ folder: z.string().max(4096).exactOptional() }).strict(),
        response: { 200: coverageSchema },
      },
      handler: ({ actor, query }) => reader.call('coverage', { ...query, ...foldersOfActor(actor) }),
    })
    app.route({
      method: 'GET',
      url: '/failures',
      config: { right: 'view' },
      schema: { summary: 'Files that could not be read, and why.', tags, response: { 200: failuresSchema } },
      handler: async ({ actor }) => {
        const { failures } = await reader.call('status', foldersOfActor(actor))
        return { failures }
      },
    })
    done()
  }
