import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** The digest of the one style that Swagger UI adds to its page. */
const ownStyle = 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='

/** The reference of the API, for people. Everybody may read it; it contains nothing of the archive. */
export async function addReference(app: FastifyInstance): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, right: 'anonymous' }
      route.schema = { ...route.schema, hide: true }
    })
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/reference',
      // The page asks nobody else.
      uiConfig: { validatorUrl: null, supportedSubmitMethods: ['get'], deepLinking: true },
      transformStaticCSP: (policy) => policy.replace("style-src 'self'", `style-src 'self' '${ownStyle}'`),
    })
  })
}
