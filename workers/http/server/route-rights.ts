import type { FastifyInstance, RouteOptions } from 'fastify'
import { anonymousActor, type RequestActor } from '../../../index/access/request-actor.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { Door, RouteRight } from '../door/door.js'

/** A route, and who may call it. */
export interface DeclaredRoute {
  readonly method: string
  readonly url: string
  readonly right: RouteRight
}

/**
 * Makes every route declare who may call it, and checks this before its handler, and before its body is read.
 * A server with a route that does not declare it does not start. @returns all routes, once the app is ready
 */
export function guardRoutes(app: FastifyInstance, door: Door): readonly DeclaredRoute[] {
  const added: RouteOptions[] = []
  const declared: DeclaredRoute[] = []
  app.addHook('onRoute', (route) => void added.push(route))
  // Not before: hooks of a plugin may declare it for routes that are not ours.
  app.addHook('onReady', (done) => {
    for (const { method, url, config } of added) {
      const methods = [method].flat()
      const right = config?.right
      if (right === undefined)
        throw new Error(`the route ${methods.join(',')} ${url} does not declare who may call it`)
      for (const each of methods) declared.push({ method: each, url, right })
    }
    done()
  })
  app.decorateRequest('actor')
  app.decorateRequest('refusal', undefined)
  app.addHook('onRequest', (request, _reply, done) => {
    try {
      request.actor = door.identify(request)
    } catch (error) {
      request.actor = anonymousActor
      if (!(error instanceof CameoError)) throw error
      request.refusal = error
    }
    done()
  })
  // After the limits, which count who is refused, too.
  app.addHook('preParsing', (request, _reply, _payload, done) => {
    if (request.refusal !== undefined) throw request.refusal
    const { right = 'administer' } = request.routeOptions.config
    checkRight(request.actor, request.is404 ? 'anonymous' : right)
    done()
  })
  return declared
}

/** @throws SIGN_IN_REQUIRED, RIGHT_MISSING */
export function checkRight(actor: RequestActor, right: RouteRight): void {
  if (right === 'anonymous') return
  if (actor.kind === 'anonymous') throw new CameoError('SIGN_IN_REQUIRED', 'sign in first')
  if (right === 'signed-in' || actor.rights.has(right)) return
  throw new CameoError('RIGHT_MISSING', `this needs the right "${right}", which ${actor.name} does not have`)
}
