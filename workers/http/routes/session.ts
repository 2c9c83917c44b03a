import type { FastifyReply } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { anonymousActor, type RequestActor } from '../../../index/access/request-actor.js'
import { roleNames } from '../../../index/access/roles.js'
import { csrfTokenOf, endSession, startSession, type NewSession } from '../../../index/access/sessions.js'
import { readSettings } from '../../../index/access/settings.js'
import { completeSetup, isSetupNeeded } from '../../../index/access/setup.js'
import { changeOwnPassword, signIn } from '../../../index/access/sign-in.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { passwordBody, sessionSchema, setupBody, signInBody } from '../schemas/session.js'
import type { ServerParts } from '../server/parts.js'

const tags = ['session']
const response = { 200: sessionSchema }

/** Signing in and out. */
export const sessionRoutes =
  (parts: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    const { access, audit, cookie } = parts
    app.route({
      method: 'GET',
      url: '/session',
      config: { right: 'anonymous' },
      schema: { summary: 'Who is signed in, and what they may do.', tags, response },
      handler: (request) => Promise.resolve(sessionJson(parts, request.actor, cookie.read(request))),
    })
    app.route({
      method: 'POST',
      url: '/session',
      config: { right: 'anonymous', limit: 'signInsPerMinute' },
      schema: { summary: 'Sign in with a password.', tags, body: signInBody, response },
      handler: async (request, reply) => {
        const { name, password } = request.body
        try {
          const signed = await signIn(access, {
            ...{ name, password, address: request.ip, replaces: cookie.read(request) },
          })
          const { userId: id } = signed.user
          await audit.append({ actor: { kind: 'user', id, name: signed.user.name }, action: 'sign-in', outcome: 'done' }) // prettier-ignore
          return welcome(parts, reply, signed)
        } catch (error) {
          if (error instanceof CameoError && error.code === 'SIGN_IN_FAILED')
            await audit.append({
              ...{ actor: { kind: 'anonymous', id: '', name: '' }, action: 'sign-in-failed' },
              ...{ outcome: 'refused', details: { address: request.ip, name } },
            })
          throw error
        }
      },
    })
    app.route({
      method: 'DELETE',
      url: '/session',
      config: { right: 'signed-in' },
      schema: { summary: 'Sign out.', tags, response },
      handler: async (request, reply) => {
        const token = cookie.read(request)
        if (token !== undefined) endSession(access, token)
        cookie.clear(reply)
        await audit.append({ actor: request.actor, action: 'sign-out', outcome: 'done' })
        return sessionJson(parts, anonymousActor)
      },
    })
    app.route({
      method: 'POST',
      url: '/session/password',
      config: { right: 'signed-in', limit: 'signInsPerMinute', shownOnce: ['csrfToken'] },
      schema: { summary: 'Change your password.', tags, body: passwordBody, response },
      handler: async (request, reply) => {
        if (request.actor.kind !== 'user') throw new CameoError('USAGE', 'only a user has a password')
        const { id } = request.actor
        const session = await changeOwnPassword(access, id, { ...request.body, address: request.ip })
        await audit.append({ actor: request.actor, action: 'user-password', outcome: 'done' })
        return welcome(parts, reply, session)
      },
    })
    app.route({
      method: 'POST',
      url: '/setup',
      config: { right: 'anonymous', limit: 'signInsPerMinute' },
      schema: { summary: 'Make the first administrator, with the link of the first start.', tags, body: setupBody, response }, // prettier-ignore
      handler: async (request, reply) => {
        const user = await completeSetup(access, request.body)
        const actor = { kind: 'user' as const, id: user.userId, name: user.name }
        await audit.append({ actor, action: 'user-setup', outcome: 'done' })
        return welcome(parts, reply, startSession(access, user.userId))
      },
    })
    done()
  }

type SessionJson = z.infer<typeof sessionSchema>

/** Gives the client its new session. */
function welcome(parts: ServerParts, reply: FastifyReply, { token, expiresAt }: NewSession): SessionJson {
  parts.cookie.write(reply, token, expiresAt)
  return sessionJson(parts, parts.door.actorOfSession(token), token)
}

function sessionJson(
  { access, signInMethods }: ServerParts,
  actor: RequestActor,
  token?: string,
): SessionJson {
  const { purposeRequired, approvalRequired } = readSettings(access)
  return {
    ...(actor.kind === 'anonymous'
      ? {}
      : {
          user: {
            ...{ id: actor.id, name: actor.name, kind: actor.kind, roles: actor.roles },
            ...{ rights: [...actor.rights], folders: actor.folders },
          },
          ...(actor.kind === 'user' && token !== undefined ? { csrfToken: csrfTokenOf(token) } : {}),
        }),
    methods: signInMethods,
    policy: { purposeRequired, approvalRequired },
    setupNeeded: isSetupNeeded(access),
    roles: roleNames,
  }
}
