import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { foldersOfActor } from '../../../index/access/request-actor.js'
import {
  coverageQuery,
  coverageSchema,
  failureJson,
  failuresSchema,
  statusSchema,
} from '../schemas/archive.js'
import { pageQuery } from '../schemas/common.js'
import type { ServerParts } from '../server/parts.js'

const tags = ['archive']

/** What is in the archive, and what of it was not looked at. */
export const archiveRoutes =
  ({ reader }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/status',
      config: { right: 'view' },
      schema: { summary: 'How much is in the archive.', tags, response: { 200: statusSchema } },
      handler: async ({ actor }) => {
        const { missing, ...status } = await reader.call('status', foldersOfActor(actor))
        return { ...status, missing: missing.length }
      },
    })
    app.route({
      method: 'GET',
      url: '/coverage',
      config: { right: 'view' },
      schema: {
        ...{
          summary: 'How much of the video was looked at, by folder, and what is missing in each clip.',
          tags,
        },
        ...{ querystring: coverageQuery, response: { 200: coverageSchema } },
      },
      handler: async ({ actor, query: { folder, state, ...page } }) => {
        const { sum, folders, clips } = await reader.call('coverage', {
          ...foldersOfActor(actor),
          ...(folder === undefined ? {} : { folder }),
          ...(state === undefined ? {} : { states: [state] }),
        })
        const { items, next } = pageOf(clips, ({ paths, clipId }) => paths[0] ?? clipId ?? '', page)
        return { sum, folders, clips: items, next }
      },
    })
    app.route({
      method: 'GET',
      url: '/failures',
      config: { right: 'view' },
      schema: {
        ...{ summary: 'The files that could not be read, and why.', tags },
        ...{ querystring: pageQuery, response: { 200: failuresSchema } },
      },
      handler: async ({ actor, query }) => {
        const { failures } = await reader.call('status', foldersOfActor(actor))
        const { items, next } = pageOf(failures, ({ path }) => path, query)
        return { failures: items.map(failureJson), next }
      },
    })
    done()
  }

const usualLimit = 200

/** A page of a list in the order of its keys. */
function pageOf<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  { limit = usualLimit, after }: { readonly limit?: number; readonly after?: string },
): { readonly items: readonly T[]; readonly next: string | undefined } {
  const sorted = [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after)
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  return { items, next: last === undefined || rest.length <= limit ? undefined : keyOf(last) }
}
