import { z } from 'zod'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'

export const operationRoutes = (): FastifyPluginCallbackZod => (app, _options, done) => {
  app.route({
    method: 'GET',
    url: '/healthz',
    config: { right: 'anonymous' },
    schema: {
      summary: 'The process answers.',
      tags: ['operations'],
      response: { 200: z.object({ status: z.literal('ok') }) },
    },
    handler: () => Promise.resolve({ status: 'ok' as const }),
  })
  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: { right: 'anonymous' },
    schema: { hide: true },
    handler: (_request, reply) =>
      reply.type('application/json').serializer(JSON.stringify).send(app.swagger()),
  })
  done()
}
