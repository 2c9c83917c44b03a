import { z } from 'zod'
import { jobKinds, jobStates } from '../jobs/job.js'
import { list } from './common.js'

export const jobParams = z.object({ jobId: z.uuid() })
export const evaluationParams = z.object({ evaluationId: z.uuid() })

export const newJobBody = z
  .discriminatedUnion('kind', [
    z
      .object({
        kind: z.literal('ingest'),
        paths: z
          .array(z.string().min(1).max(4096))
          .min(1)
          .max(1000)
          .describe('Absolute paths of files and folders on the machine of the server.'),
      })
      .strict(),
    z
      .object({
        kind: z.literal('group'),
        again: z.boolean().exactOptional().describe('All tracks, not only those without a person.'),
      })
      .strict(),
    z
      .object({
        kind: z.literal('evaluate'),
        groundTruthUploadId: z
          .uuid()
          .describe('An upload that is a list: lines "CLIP ID" or "ID CLIP CLIP …".'),
      })
      .strict(),
  ])
  .meta({ id: 'NewJob' })

export const jobSchema = z
  .object({
    jobId: z.string(),
    kind: z.enum(jobKinds),
    state: z
      .enum(jobStates)
      .describe(
        '`stopped`: by a person; `interrupted`: the server stopped. In both cases finished work is kept.',
      ),
    startedBy: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
    paths: list(z.string()).optional(),
    startedAt: z.string(),
    endedAt: z.string().optional(),
    progress: z
      .object({ found: z.int(), isAllFound: z.boolean(), done: z.int(), faces: z.int().optional() })
      .optional()
      .describe('Files of an ingest.'),
    result: z.unknown().optional(),
    error: z.object({ code: z.string(), detail: z.string() }).optional(),
  })
  .meta({ id: 'Job' })

export const jobListSchema = z.object({ jobs: list(jobSchema) }).meta({ id: 'JobList' })

export const reportSchema = z
  .looseObject({ evaluationId: z.string(), at: z.string(), map: z.number() })
  .meta({
    id: 'Evaluation',
    description: 'MAP@100 of the enrolled names, with everything that it is made of.',
  })

export const reportListSchema = z
  .object({
    evaluations: list(
      z.object({
        ...{ evaluationId: z.string(), at: z.string(), map: z.number() },
        ci95: list(z.number()).describe('95 % interval.'),
      }),
    ),
  })
  .meta({ id: 'EvaluationList' })
