import type { FastifyRequest } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { anonymousActor, type RequestActor } from '../../../index/access/request-actor.js'
import type { Right } from '../../../index/access/roles.js'
import { isBelowAny } from '../../../index/store/whole-path.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { askedBy } from '../audit/use-entries.js'
import { eventStream } from '../jobs/event-stream.js'
import { allowedIngest } from '../jobs/ingest-paths.js'
import type { Job, JobKind } from '../jobs/job.js'
import type { JobOrder } from '../jobs/job-desk.js'
import { evaluateWork, groupWork, ingestWork } from '../jobs/job-work.js'
import { queueWork } from '../jobs/queue-work.js'
import { eventsAnswer } from '../schemas/common.js'
import { jobListSchema, jobParams, jobSchema, newJobBody } from '../schemas/jobs.js'
import type { ServerParts } from '../server/parts.js'
import { checkRight } from '../server/route-rights.js'
import { requireWholeArchive } from '../server/visible.js'

const tags = ['jobs']

/** Whoever may start a kind of job may see and stop it. */
const rightOf = { ingest: 'ingest', group: 'correct', evaluate: 'evaluate' } as const satisfies Record<
  JobKind,
  Right
>

export const jobRoutes =
  (parts: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    const { desk } = parts
    app.route({
      method: 'GET',
      url: '/jobs',
      config: { right: 'signed-in' },
      schema: {
        ...{ summary: 'The last jobs since the start of the server, newest first.', tags },
        response: { 200: jobListSchema },
      },
      handler: ({ actor }) => Promise.resolve({ jobs: desk.list().filter((job) => isVisible(actor, job)) }),
    })
    app.route({
      method: 'POST',
      url: '/jobs',
      config: { right: 'signed-in' },
      schema: {
        ...{ summary: 'Start an ingest, a grouping of people, or an evaluation.', tags },
        ...{ body: newJobBody, response: { 202: jobSchema } },
      },
      handler: async ({ actor, body }, reply) => {
        checkRight(actor, rightOf[body.kind])
        const job = desk.start({
          kind: body.kind,
          startedBy: askedBy(actor).actor,
          ...(await orderOf(parts, actor, body)),
        })
        await noteStart(parts, actor, job)
        return reply.code(202).send(job)
      },
    })
    app.route({
      method: 'GET',
      url: '/jobs/:jobId',
      config: { right: 'signed-in' },
      schema: { summary: 'State of a job.', tags, params: jobParams, response: { 200: jobSchema } },
      handler: ({ actor, params }) => Promise.resolve(requireJob(parts, actor, params.jobId).job),
    })
    app.route({
      method: 'GET',
      url: '/jobs/:jobId/events',
      exposeHeadRoute: false,
      config: { right: 'signed-in' },
      schema: {
        summary:
          'What happens in a job, as server-sent events. Ends with the job. Send Last-Event-ID to continue after that event.',
        ...{ tags, params: jobParams },
        response: { 200: eventsAnswer('Events, the last of which is the end of the job.') },
      },
      handler: (request, reply) => {
        const { actor, params, headers } = request
        const held = requireJob(parts, actor, params.jobId)
        const maySee = () => isVisible(actorNow(parts, request), held.job)
        return reply
          .type('text/event-stream')
          .header('cache-control', 'no-store')
          .header('x-accel-buffering', 'no')
          .send(eventStream(held, lastOf(headers['last-event-id']), maySee))
      },
    })
    app.route({
      method: 'DELETE',
      url: '/jobs/:jobId',
      config: { right: 'signed-in' },
      schema: {
        ...{ summary: 'Stop a job. What it has finished is kept.', tags },
        ...{ params: jobParams, response: { 202: jobSchema } },
      },
      handler: async ({ actor, params: { jobId } }, reply) => {
        const { job } = requireJob(parts, actor, jobId)
        desk.stop(jobId)
        return reply.code(202).send(job)
      },
    })
    done()
  }

/** @throws CLIP_NOT_ALLOWED, CLIP_GONE about paths; NOT_FOUND about an upload; RIGHT_MISSING */
async function orderOf(
  { jobs, reader, uploads, reports, ingestRoots, queue }: ServerParts,
  actor: RequestActor,
  body: z.infer<typeof newJobBody>,
): Promise<Pick<JobOrder, 'work' | 'paths'>> {
  if (body.kind === 'ingest') {
    const known = await reader.call('roots').catch(ifNoArchive)
    const allowed = await allowedIngest(body.paths, {
      roots: [...ingestRoots, ...known],
      folders: actor.folders,
    })
    const work = queue === undefined ? ingestWork(jobs, allowed) : queueWork(queue, allowed)
    return { paths: allowed.paths, work }
  }
  requireWholeArchive(actor)
  if (body.kind === 'group') return { work: groupWork(jobs, body.again ?? false) }
  const { kind, path } = uploads.find(actor, body.groundTruthUploadId)
  if (kind !== 'list') throw new CameoError('GROUND_TRUTH_INVALID', 'this upload is not a list of labels')
  return { work: evaluateWork(jobs, path, reports) }
}

/** Before the first ingest there is no archive. */
function ifNoArchive(error: unknown): readonly string[] {
  if (error instanceof CameoError && error.code === 'ARCHIVE_MISSING') return []
  throw error
}

/** No ingest goes on that is not in the log. */
async function noteStart({ audit, desk }: ServerParts, actor: RequestActor, job: Job): Promise<void> {
  if (job.kind !== 'ingest') return
  try {
    const details = { jobId: job.jobId, paths: job.paths?.length }
    await audit.append({ ...askedBy(actor), action: 'ingest', outcome: 'done', details })
  } catch (error) {
    desk.stop(job.jobId)
    throw error
  }
}

/** Jobs about what somebody may not see answer as jobs that are not there. */
function isVisible({ rights, folders }: RequestActor, { kind, paths }: Job): boolean {
  if (!rights.has(rightOf[kind])) return false
  if (folders === 'all') return true
  return paths?.every((path) => isBelowAny(folders, path)) ?? false
}

/** Whoever asked, with the rights of this moment. Nobody, if that cannot be found out. */
function actorNow({ door }: ServerParts, request: FastifyRequest): RequestActor {
  try {
    return door.identify(request, false)
  } catch (error) {
    if (!(error instanceof CameoError))
      request.log.warn({ err: error }, 'cannot find out who reads the events of a job')
    return anonymousActor
  }
}

function requireJob({ desk }: ServerParts, actor: RequestActor, jobId: string) {
  const held = desk.find(jobId)
  if (held === undefined || !isVisible(actor, held.job))
    throw new CameoError('NOT_FOUND', 'there is no such job')
  return held
}

function lastOf(header: string | string[] | undefined): number {
  const number = Number(header)
  return Number.isSafeInteger(number) && number > 0 ? number : 0
}
