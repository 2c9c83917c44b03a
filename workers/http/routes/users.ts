import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { changeUserAndPassword, createUser, deleteUser, listUsers } from '../../../index/access/users.js'
import { accessEntry } from '../audit/use-entries.js'
import { newUserBody, userChange, userJson, userParams, userSchema, usersSchema } from '../schemas/administration.js' // prettier-ignore
import type { ServerParts } from '../server/parts.js'
import { requireWholeKey } from '../server/visible.js'

const tags = ['administration']

/** Users, for administrators. */
export const userRoutes =
  ({ access, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/users',
      config: { right: 'administer' },
      schema: { summary: 'All users, in order of their names.', tags, response: { 200: usersSchema } },
      handler: () => Promise.resolve({ users: listUsers(access).map(userJson) }),
    })
    app.route({
      method: 'POST',
      url: '/users',
      config: { right: 'administer' },
      schema: { summary: 'Make a user.', tags, body: newUserBody, response: { 201: userSchema } },
      handler: async ({ body, actor }, reply) => {
        requireWholeKey(actor)
        const user = await createUser(access, body)
        await audit.append(accessEntry(actor, { kind: 'user-create', user }))
        return reply.code(201).send(userJson(user))
      },
    })
    app.route({
      method: 'PATCH',
      url: '/users/:userId',
      config: { right: 'administer' },
      schema: {
        summary: 'Change a user. New roles, a new password and disabling end the sessions of the user.',
        ...{ tags, params: userParams, body: userChange, response: { 200: userSchema } },
      },
      handler: async ({ params: { userId }, body, actor }) => {
        requireWholeKey(actor)
        const user = await changeUserAndPassword(access, userId, body)
        await audit.append(accessEntry(actor, { kind: 'user-change', user, changed: Object.keys(body) }))
        return userJson(user)
      },
    })
    app.route({
      method: 'DELETE',
      url: '/users/:userId',
      config: { right: 'administer' },
      schema: {
        summary: 'Delete a user with all sessions and API keys.',
        ...{ tags, params: userParams, response: { 204: z.null() } },
      },
      handler: async ({ params: { userId }, actor }, reply) => {
        requireWholeKey(actor)
        deleteUser(access, userId)
        await audit.append(accessEntry(actor, { kind: 'user-delete', userId }))
        return reply.code(204).send(null)
      },
    })
    done()
  }
