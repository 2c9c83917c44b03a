import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** The reference of the API, for people. Everybody may read it; it contains nothing of the archive. */
export async function addReference(app: FastifyInstance): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, right: 'anonymous' }
      route.schema = { ...route.schema, hide: true }
    })
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/reference',
      // The page asks nobody else, and has no styles of its own that the policy would refuse.
      uiConfig: { validatorUrl: null, supportedSubmitMethods: ['get'], deepLinking: true },
    })
  })
}
