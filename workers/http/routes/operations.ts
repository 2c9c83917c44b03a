import { fileAnswer } from '../schemas/common.js'
import { z } from 'zod'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { ServerMetrics } from '../server/server-metrics.js'
import type { Readiness } from '../server/readiness.js'

const tags = ['operations']

/** For whoever runs the server. */
export const operationRoutes =
  (metrics: ServerMetrics, readiness: Readiness): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/healthz',
      config: { right: 'anonymous' },
      schema: {
        summary: 'The process answers.',
        tags,
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
      handler: () => Promise.resolve({ status: 'ok' as const }),
    })
    app.route({
      method: 'GET',
      url: '/readyz',
      config: { right: 'anonymous' },
      schema: {
        summary: 'The index of vectors is loaded, so that searches are fast.',
        tags,
        response: { 200: z.object({ status: z.literal('ready') }) },
      },
      handler: () => {
        if (!readiness.isReady) throw new CameoError('SERVER_BUSY', 'the index of vectors is being loaded')
        return Promise.resolve({ status: 'ready' as const })
      },
    })
    app.route({
      method: 'GET',
      url: '/metrics',
      config: { right: 'metrics' },
      schema: {
        ...{ summary: 'Figures for Prometheus.', tags },
        response: { 200: fileAnswer('Lines of figures.', 'text/plain') },
      },
      handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
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
