import { fileAnswer } from '../schemas/common.js'
import { z } from 'zod'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { ServerParts } from '../server/parts.js'

const readySchema = z
  .object({ status: z.enum(['ready', 'loading', 'failed']), code: z.string().optional() })
  .meta({ id: 'Ready' })

export const operationRoutes =
  ({ readiness, metrics }: Pick<ServerParts, 'readiness' | 'metrics'>): FastifyPluginCallbackZod =>
  (app, _options, done) => {
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
      url: '/readyz',
      config: { right: 'anonymous' },
      schema: {
        summary: 'Searches are answered at once: 200; 503 while the index of vectors is being loaded.',
        tags: ['operations'],
        response: { 200: readySchema, 503: readySchema },
      },
      handler: async (_request, reply) => {
        const { state } = readiness
        return reply.code(state.status === 'ready' ? 200 : 503).send(state)
      },
    })
    app.route({
      method: 'GET',
      url: '/metrics',
      config: { right: 'metrics' },
      schema: {
        ...{ summary: 'Figures for Prometheus.', tags: ['operations'] },
        response: { 200: fileAnswer('Lines of figures.', 'text/plain') },
      },
      handler: async (_request, reply) =>
        reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
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
