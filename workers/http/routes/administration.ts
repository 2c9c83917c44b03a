import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  changeCollection,
  createCollection,
  deleteCollection,
  listCollections,
} from '../../../index/access/collections.js'
import { changeSettings, readSettings } from '../../../index/access/settings.js'
import { accessEntry } from '../audit/use-entries.js'
import {
  collectionChange,
  collectionJson,
  collectionParams,
  collectionSchema,
  collectionsSchema,
  newCollectionBody,
  settingsAnswer,
  settingsChange,
} from '../schemas/administration.js'
import type { ServerParts } from '../server/parts.js'
import { requireWholeKey } from '../server/visible.js'

const tags = ['administration']

/** The parts of the archive that can be granted. */
export const collectionRoutes =
  ({ access, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/collections',
      config: { right: 'administer' },
      schema: {
        summary: 'The parts of the archive that can be granted, in order of their names.',
        ...{ tags, response: { 200: collectionsSchema } },
      },
      handler: () => Promise.resolve({ collections: listCollections(access).map(collectionJson) }),
    })
    app.route({
      method: 'POST',
      url: '/collections',
      config: { right: 'administer' },
      schema: {
        summary: 'Make a collection: clips with a file below one of its folders belong to it.',
        ...{ tags, body: newCollectionBody, response: { 201: collectionSchema } },
      },
      handler: async ({ body, actor }, reply) => {
        requireWholeKey(actor)
        const collection = createCollection(access, body)
        await audit.append(accessEntry(actor, { kind: 'collection-create', collection }))
        return reply.code(201).send(collectionJson(collection))
      },
    })
    app.route({
      method: 'PATCH',
      url: '/collections/:collectionId',
      config: { right: 'administer' },
      schema: {
        summary: 'Rename a collection, or replace its folders.',
        ...{ tags, params: collectionParams, body: collectionChange, response: { 200: collectionSchema } },
      },
      handler: async ({ params: { collectionId }, body, actor }) => {
        requireWholeKey(actor)
        const collection = changeCollection(access, collectionId, body)
        const changed = Object.keys(body)
        await audit.append(accessEntry(actor, { kind: 'collection-change', collection, changed }))
        return collectionJson(collection)
      },
    })
    app.route({
      method: 'DELETE',
      url: '/collections/:collectionId',
      config: { right: 'administer' },
      schema: {
        summary: 'Delete a collection. Its clips stay in the archive; who could see only them sees nothing.',
        ...{ tags, params: collectionParams, response: { 204: z.null() } },
      },
      handler: async ({ params: { collectionId }, actor }, reply) => {
        requireWholeKey(actor)
        deleteCollection(access, collectionId)
        await audit.append(accessEntry(actor, { kind: 'collection-delete', collectionId }))
        return reply.code(204).send(null)
      },
    })
    done()
  }

export const settingRoutes =
  ({ access, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/settings',
      config: { right: 'administer' },
      schema: { summary: 'The settings of the archive.', tags, response: { 200: settingsAnswer } },
      handler: () => Promise.resolve(readSettings(access)),
    })
    app.route({
      method: 'PUT',
      url: '/settings',
      config: { right: 'administer' },
      schema: {
        summary: 'Change settings. Those that are absent stay as they are.',
        ...{ tags, body: settingsChange, response: { 200: settingsAnswer } },
      },
      handler: async ({ body, actor }) => {
        requireWholeKey(actor)
        const settings = changeSettings(access, body)
        await audit.append(accessEntry(actor, { kind: 'settings', changed: body }))
        return settings
      },
    })
    done()
  }
