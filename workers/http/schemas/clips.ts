import { z } from 'zod'
import type { ClipEntry } from '../../../index/clips/list-clips.js'
import type { ShownClip, ShownPerson } from '../../../index/clips/show-clip.js'
import {
  damagedSchema,
  faceSchema,
  flag,
  list,
  nextSchema,
  pageQuery,
  rangeSchema,
  thresholdSchema,
  thumbnailUrl,
  unseenSchema,
} from './common.js'

export const clipsQuery = pageQuery
  .extend({
    folder: z.string().max(4096).exactOptional(),
    since: z.iso.datetime({ offset: true }).exactOptional(),
    until: z.iso.datetime({ offset: true }).exactOptional(),
    minDurationS: z.coerce.number().min(0).exactOptional(),
    maxDurationS: z.coerce.number().min(0).exactOptional(),
    person: z.string().max(500).exactOptional(),
    unnamed: flag.exactOptional(),
    unfinished: flag.exactOptional(),
  })
  .strict()
export type ClipsQuery = z.infer<typeof clipsQuery>

/** The filter of a query string, as the library takes it. */
export function clipWishOf({ since, until, ...rest }: ClipsQuery) {
  return {
    ...rest,
    ...(since === undefined ? {} : { since: new Date(since) }),
    ...(until === undefined ? {} : { until: new Date(until) }),
  }
}

const personInClip = z.object({
  name: z.string().optional(),
  personId: z.int().optional(),
  score: z.number().optional(),
  trackIds: list(z.int()),
  ranges: list(rangeSchema),
  seenS: z.number(),
  thumbnail: z.string().optional().describe('Address of a JPEG.'),
})

export const clipEntrySchema = z
  .object({
    clipId: z.string(),
    path: z.string(),
    isMissing: z.boolean(),
    durationS: z.number().optional(),
    date: z.string(),
    people: list(personInClip),
    coverage: unseenSchema,
  })
  .meta({ id: 'ClipEntry' })

export const clipListSchema = z
  .object({
    clips: list(clipEntrySchema),
    next: nextSchema,
    threshold: thresholdSchema,
    damaged: damagedSchema,
  })
  .meta({ id: 'ClipList' })

export const shownClipSchema = z
  .object({
    clipId: z.string(),
    path: z.string(),
    isMissing: z.boolean(),
    paths: list(z.string()),
    date: z.string().optional(),
    durationS: z.number().optional(),
    people: list(personInClip.extend({ faces: list(faceSchema) })),
    threshold: thresholdSchema,
    coverage: unseenSchema,
    damaged: damagedSchema,
  })
  .meta({ id: 'Clip' })

const thumbnailOf = ([best]: readonly number[]) =>
  best === undefined ? {} : { thumbnail: thumbnailUrl(best) }

export const clipEntryJson = ({ date, people, ...rest }: ClipEntry) => ({
  ...rest,
  date: date.toISOString(),
  people: people.map((person) => ({ ...person, ...thumbnailOf(person.trackIds) })),
})

export const shownClipJson = ({ date, people, ...rest }: ShownClip) => ({
  ...rest,
  ...(date === undefined ? {} : { date: date.toISOString() }),
  durationS: rest.coverage.durationS,
  people: people.map((person: ShownPerson) => ({ ...person, ...thumbnailOf(person.trackIds) })),
})
