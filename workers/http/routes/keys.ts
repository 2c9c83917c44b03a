import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from '../../../index/access/access.js'
import { createApiKey, listApiKeys, revokeApiKey, type ApiKey } from '../../../index/access/api-keys.js'
import type { RequestActor } from '../../../index/access/request-actor.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { accessEntry } from '../audit/use-entries.js'
import { keyJson, keyParams, keysSchema, madeKeySchema, newKeyBody } from '../schemas/administration.js'
import type { ServerParts } from '../server/parts.js'

const tags = ['administration']

/** API keys: everybody manages their own, administrators see and revoke all. */
export const keyRoutes =
  ({ access, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/keys',
      config: { right: 'signed-in' },
      schema: {
        summary: 'Your API keys, the oldest first; for administrators those of all users.',
        ...{ tags, response: { 200: keysSchema } },
      },
      handler: ({ actor }) => Promise.resolve({ keys: keysOf(access, actor).map(keyJson) }),
    })
    app.route({
      method: 'POST',
      url: '/keys',
      config: { right: 'signed-in', shownOnce: ['text'] },
      schema: {
        summary: 'Make an API key for yourself. It is shown once.',
        ...{ tags, body: newKeyBody, response: { 201: madeKeySchema } },
      },
      handler: async ({ body, actor }, reply) => {
        // A key that makes keys would outlive its own end.
        if (actor.kind !== 'user')
          throw new CameoError('RIGHT_MISSING', 'only a user who has signed in can make an API key')
        const { text, ...key } = createApiKey(access, {
          ...{ ...body, userId: actor.id, expiresAt: new Date(body.expiresAt) },
        })
        await audit.append(accessEntry(actor, { kind: 'key-create', key }))
        return reply.code(201).send({ ...keyJson(key), text })
      },
    })
    app.route({
      method: 'DELETE',
      url: '/keys/:keyId',
      config: { right: 'signed-in' },
      schema: {
        summary: 'Revoke an API key: your own, or as an administrator that of anybody.',
        ...{ tags, params: keyParams, response: { 204: z.null() } },
      },
      handler: async ({ params: { keyId }, actor }, reply) => {
        const key = keysOf(access, actor).find((each) => each.keyId === keyId)
        // A key of somebody else answers as one that does not exist.
        revokeApiKey(access, key?.keyId ?? '')
        await audit.append(accessEntry(actor, { kind: 'key-revoke', keyId }))
        return reply.code(204).send(null)
      },
    })
    done()
  }

/** The keys that somebody may see and revoke. A key without the right to administer sees only itself. */
function keysOf(access: Access, { kind, id, rights }: RequestActor): ApiKey[] {
  if (rights.has('administer')) return listApiKeys(access)
  if (kind === 'key') return listApiKeys(access).filter(({ keyId }) => keyId === id)
  return listApiKeys(access, id)
}
