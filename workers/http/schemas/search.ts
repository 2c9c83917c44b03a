import { z } from 'zod'
import type { FoundClip, SearchResult } from '../../library/search.js'
import {
  boxSchema,
  clipIdSchema,
  coverageSumSchema,
  damagedSchema,
  faceSchema,
  list,
  rangeSchema,
  thresholdSchema,
  thumbnailUrl,
  unseenSchema,
} from './common.js'

const name = z.string().min(1).max(500)
const faceNumber = z.int().min(1).max(10_000).exactOptional().describe('Which of the faces, from 1.')

/** Whom a search is for. */
export const subjectSchema = z
  .union([
    z.object({ name: name.describe('An enrolled name.') }).strict(),
    z.object({ trackId: z.int().min(1) }).strict(),
    z.object({ personId: z.int().min(1).describe('A person into whom tracks were grouped.') }).strict(),
    z
      .object({
        uploadId: z.string().max(200).describe('A photo or clip that was uploaded.'),
        face: faceNumber,
      })
      .strict(),
    z.object({ clipId: clipIdSchema.describe('The main person of a clip of the archive.') }).strict(),
  ])
  .meta({ id: 'Subject' })
export type SearchSubject = z.infer<typeof subjectSchema>

export const searchBody = z
  .object({
    subject: subjectSchema,
    top: z.int().min(1).max(1000).default(20).describe('How many clips at the most.'),
    minScore: z.number().min(-1).max(1).exactOptional(),
    expectFalse: z.number().min(1e-6).max(1e6).exactOptional().describe('How many false matches to expect.'),
    expectAppearances: z.number().min(1e-6).max(1e9).exactOptional(),
    weak: z.boolean().exactOptional().describe('Also return clips below the threshold.'),
    excludeSelf: z.boolean().exactOptional(),
    with: z.array(name).max(20).exactOptional(),
    without: z.array(name).max(20).exactOptional(),
    together: z.boolean().exactOptional(),
    folder: z.string().max(4096).exactOptional(),
    since: z.iso.datetime({ offset: true }).exactOptional(),
    until: z.iso.datetime({ offset: true }).exactOptional(),
    purpose: z
      .string()
      .max(1000)
      .exactOptional()
      .describe('Why the search is made. It is written to the audit log.'),
    case: z
      .string()
      .max(200)
      .exactOptional()
      .describe('Reference of a case. It is written to the audit log.'),
    approvalId: z.string().max(100).exactOptional(),
  })
  .strict()
  .meta({ id: 'Search' })
export type SearchBody = z.infer<typeof searchBody>

/** Somebody who is seen in a photo or clip. */
export const candidateSchema = z
  .object({
    number: z.int(),
    boxXyxyPx: boxSchema,
    quality: z.number(),
    ranges: list(z.object({ startS: z.number(), endS: z.number() })).optional(),
  })
  .meta({ id: 'Candidate' })

const otherSchema = z.object({ name: z.string(), score: z.number(), ranges: list(rangeSchema) })

export const matchSchema = z
  .object({
    clipId: z.string(),
    path: z.string(),
    isMissing: z.boolean().describe('The file is not there any more.'),
    score: z.number(),
    probability: z.number().optional().describe('0..1, that the clip shows the person.'),
    durationS: z.number().optional(),
    confirmed: z.literal(true).optional(),
    ranges: list(rangeSchema),
    faces: list(faceSchema),
    thumbnail: z.string().optional().describe('Address of a JPEG.'),
    others: list(otherSchema).optional(),
    unseen: unseenSchema.optional(),
  })
  .meta({ id: 'Match' })
export type Match = z.infer<typeof matchSchema>

export const searchAnswerSchema = z
  .object({
    searchId: z.string(),
    query: z.object({
      kind: z.enum(['image', 'clip', 'name', 'track', 'person']),
      value: z.string(),
      face: z.int().optional(),
      people: list(candidateSchema).optional(),
      notices: list(z.string()).optional(),
      quality: z.number(),
    }),
    threshold: thresholdSchema,
    prior: z.object({ appearances: z.number(), tracks: z.number() }).optional(),
    tracksSearched: z.int(),
    coverage: coverageSumSchema,
    damaged: damagedSchema,
    matches: list(matchSchema),
    weak: list(matchSchema),
  })
  .meta({ id: 'SearchAnswer' })
export type SearchAnswerJson = z.infer<typeof searchAnswerSchema>

/** A search result as the API gives it. Pictures are addresses. */
export function searchJson(searchId: string, result: SearchResult): SearchAnswerJson {
  const { matches, weak, ...rest } = result
  return { ...rest, searchId, matches: matches.map(matchJson), weak: weak.map(matchJson) }
}

export function matchJson(found: FoundClip): Match {
  const [best] = [...found.ranges].sort((a, b) => b.score - a.score)
  return { ...found, ...(best === undefined ? {} : { thumbnail: thumbnailUrl(best.trackId) }) }
}
