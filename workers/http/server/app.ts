import fastifyCookie from '@fastify/cookie'
import fastifyHelmet from '@fastify/helmet'
import fastify, { type FastifyInstance } from 'fastify'
import {
  serializerCompiler,
  validatorCompiler,
  type FastifyPluginCallbackZod,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import { clipRoutes } from '../routes/clips.js'
import { exportRoutes } from '../routes/exports.js'
import { nameChangeRoutes, nameRoutes } from '../routes/names.js'
import { operationRoutes } from '../routes/operations.js'
import { addPage } from '../routes/page.js'
import { peopleChangeRoutes, peopleRoutes } from '../routes/people.js'
import { searchRoutes } from '../routes/searches.js'
import { describeApi } from './api-document.js'
import type { ServerParts } from './parts.js'
import { problemMime, problemOf, problemSchema } from './problem.js'
import { guardRoutes, type DeclaredRoute } from './route-rights.js'

/** Everything below `/api/v1`. */
const apiRoutes: readonly ((parts: ServerParts) => FastifyPluginCallbackZod)[] = [
  searchRoutes,
  clipRoutes,
  nameRoutes,
  nameChangeRoutes,
  peopleRoutes,
  peopleChangeRoutes,
  exportRoutes,
]

/** An application, ready to listen. */
export interface App {
  readonly fastify: FastifyInstance
  /** Every route, and who may call it. */
  readonly routes: readonly DeclaredRoute[]
}

/** Most bytes of a request's body that is JSON. */
const mostJsonBytes = 1_000_000

/** Puts the application together. */
export async function buildApp(parts: ServerParts): Promise<App> {
  const app = fastify({
    loggerInstance: parts.log,
    bodyLimit: mostJsonBytes,
    // A client cannot write ids of its own into the log.
    requestIdHeader: false,
    genReqId: () => crypto.randomUUID(),
    routerOptions: { maxParamLength: 2000 },
    forceCloseConnections: 'idle',
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, request.id)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    return reply.code(problem.status).type(problemMime).serializer(JSON.stringify).send(problem)
  })
  app.setNotFoundHandler(() => {
    throw new CameoError('NOT_FOUND', 'there is nothing at this address')
  })
  await app.register(fastifyHelmet, securityHeaders)
  await app.register(fastifyCookie)
  await describeApi(app)
  const routes = guardRoutes(app, parts.door)
  describeProblems(app)
  app.register(operationRoutes())
  await addPage(app)
  await app.register(
    (api, _options, done) => {
      for (const plugin of apiRoutes) api.register(plugin(parts))
      done()
    },
    { prefix: '/api/v1' },
  )
  return { fastify: app, routes }
}

/** Every route can answer with a problem document. */
function describeProblems(app: FastifyInstance): void {
  const problem = { description: 'A problem', content: { [problemMime]: { schema: problemSchema } } }
  app.addHook('onRoute', (route) => {
    route.schema ??= {}
    route.schema.response = {
      '4xx': problem,
      '5xx': problem,
      ...(route.schema.response as object | undefined),
    }
  })
}

/** Only own files; no frames; nothing is cached by proxies. */
const securityHeaders = {
  contentSecurityPolicy: {
    directives: {
      defaultSrc: ["'self'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      mediaSrc: ["'self'", 'blob:'],
      objectSrc: ["'none'"],
      frameAncestors: ["'none'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      upgradeInsecureRequests: null,
    },
  },
  referrerPolicy: { policy: 'no-referrer' as const },
}
