import fastifyCookie from '@fastify/cookie'
import fastifyHelmet from '@fastify/helmet'
import fastify, { LogController, type FastifyInstance } from 'fastify'
import {
  serializerCompiler,
  validatorCompiler,
  type FastifyPluginAsyncZod,
  type FastifyPluginCallbackZod,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { approvalRoutes, auditRoutes } from './routes/audit.js'
import { collectionRoutes, settingRoutes } from './routes/administration.js'
import { keyRoutes } from './routes/keys.js'
import { userRoutes } from './routes/users.js'
import { archiveRoutes } from './routes/archive.js'
import { clipRoutes } from './routes/clips.js'
import { evaluationRoutes } from './routes/evaluations.js'
import { jobRoutes } from './routes/jobs.js'
import { nameFaceRoutes } from './routes/name-faces.js'
import { mediaRoutes } from './routes/media.js'
import { exportRoutes } from './routes/exports.js'
import { nameChangeRoutes, nameRoutes } from './routes/names.js'
import { oidcRoutes } from './routes/oidc.js'
import { operationRoutes } from './routes/operations.js'
import { addPage } from './routes/page.js'
import { peopleChangeRoutes, peopleRoutes } from './routes/people.js'
import { addReference } from './routes/reference.js'
import { searchRoutes } from './routes/searches.js'
import { trackRoutes } from './routes/tracks.js'
import { sessionRoutes } from './routes/session.js'
import { uploadRoutes } from './routes/uploads.js'
import { describeApi } from './server/api-document.js'
import { answerBrokenRequest } from './server/broken-requests.js'
import { limitRequests } from './server/limits.js'
import type { ListenParts } from './door/listen-rules.js'
import type { ServerParts } from './server/parts.js'
import { problemMime, problemOf, problemSchema } from './server/problem.js'
import { keepRepeatedWrites } from './server/repeated-writes.js'
import { guardRoutes, type DeclaredRoute } from './server/route-rights.js'

/** Everything below `/api/v1`. */
const apiRoutes: readonly ((parts: ServerParts) => FastifyPluginCallbackZod | FastifyPluginAsyncZod)[] = [
  sessionRoutes,
  oidcRoutes,
  searchRoutes,
  clipRoutes,
  nameRoutes,
  nameChangeRoutes,
  nameFaceRoutes,
  peopleRoutes,
  peopleChangeRoutes,
  exportRoutes,
  archiveRoutes,
  auditRoutes,
  approvalRoutes,
  uploadRoutes,
  mediaRoutes,
  trackRoutes,
  userRoutes,
  keyRoutes,
  collectionRoutes,
  settingRoutes,
  jobRoutes,
  evaluationRoutes,
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
export async function buildApp(parts: ServerParts, listen: ListenParts): Promise<App> {
  const app = fastify({
    https: listen.https,
    trustProxy: listen.trustProxy,
    loggerInstance: parts.log,
    // Addresses of requests hold names of people; see `logRequests`.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: mostJsonBytes,
    // A client cannot write ids of its own into the log.
    requestIdHeader: false,
    genReqId: () => crypto.randomUUID(),
    routerOptions: { maxParamLength: 2000 },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
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
  await app.register(fastifyHelmet, { ...securityHeaders, strictTransportSecurity: listen.isSecure })
  await app.register(fastifyCookie)
  await describeApi(app)
  logRequests(app)
  parts.metrics.count(app)
  const routes = guardRoutes(app, parts.door)
  await limitRequests(app, parts.access)
  keepRepeatedWrites(app, parts.access)
  describeProblems(app)
  app.register(operationRoutes(parts))
  await addPage(app)
  await addReference(app)
  await app.register(
    (api, _options, done) => {
      for (const plugin of apiRoutes) api.register(plugin(parts))
      done()
    },
    { prefix: '/api/v1' },
  )
  return { fastify: app, routes }
}

/** One line for each request, without what it is about. */
function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions, actor } = request
    request.log.info({
      ...{ method, route: routeOptions.url, status: reply.statusCode, actor: actor.id },
      ms: Math.round(reply.elapsedTime),
    })
    done()
  })
}

/** Every route can answer with a problem document. Some need nobody who is signed in. */
function describeProblems(app: FastifyInstance): void {
  const problem = { description: 'A problem', content: { [problemMime]: { schema: problemSchema } } }
  app.addHook('onRoute', (route) => {
    route.schema ??= {}
    if (route.config?.right === 'anonymous') route.schema.security = []
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
      fontSrc: ["'self'"],
      styleSrc: ["'self'"],
      frameAncestors: ["'none'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      upgradeInsecureRequests: null,
    },
  },
  referrerPolicy: { policy: 'no-referrer' as const },
}
