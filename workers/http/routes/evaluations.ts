import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { evaluationParams, reportListSchema, reportSchema } from '../schemas/jobs.js'
import type { ServerParts } from '../server/parts.js'
import { requireWholeArchive } from '../server/visible.js'

export const evaluationRoutes =
  ({ reports }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/evaluations',
      config: { right: 'evaluate' },
      schema: {
        summary: 'The reports of evaluations, newest first.',
        tags: ['jobs'],
        response: { 200: reportListSchema },
      },
      handler: ({ actor }) => {
        requireWholeArchive(actor)
        return Promise.resolve({ evaluations: reports.list() })
      },
    })
    app.route({
      method: 'GET',
      url: '/evaluations/:evaluationId',
      config: { right: 'evaluate' },
      schema: {
        summary: 'A report with all its figures.',
        tags: ['jobs'],
        params: evaluationParams,
        response: { 200: reportSchema },
      },
      handler: ({ actor, params: { evaluationId } }) => {
        requireWholeArchive(actor)
        return Promise.resolve(reports.find(evaluationId))
      },
    })
    done()
  }
