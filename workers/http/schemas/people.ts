import { z } from 'zod'
import type { PersonSummary } from '../../../index/people/list-groups.js'
import type { ShownGroup } from '../../../index/people/show-person.js'
import type { ClipMatch } from '../../../index/search/clip-match.js'
import { damagedSchema, flag, list, nextSchema, pageQuery, thumbnailUrl } from './common.js'
import { matchSchema } from './search.js'

export const personParams = z.object({ personId: z.coerce.number().int().min(1) })

export const peopleQuery = pageQuery
  .extend({
    hidden: z.enum(['without', 'with', 'only']).exactOptional(),
    named: flag.exactOptional().describe('Only people with a name, or only those without.'),
    minTracks: z.coerce.number().int().min(1).exactOptional(),
  })
  .strict()

export const personSchema = z
  .object({
    personId: z.int(),
    name: z.string().optional(),
    isHidden: z.boolean(),
    tracks: z.int(),
    clips: z.int(),
    seenS: z.number(),
    firstSeen: z.string().optional(),
    lastSeen: z.string().optional(),
    thumbnail: z.string().optional().describe('Address of a JPEG.'),
  })
  .meta({ id: 'Person', description: 'Tracks that show the same face, with a name or without.' })

export const peoplePageSchema = z
  .object({ people: list(personSchema), next: nextSchema })
  .meta({ id: 'People' })

export const shownPersonSchema = z
  .object({ person: personSchema, clips: list(matchSchema), damaged: damagedSchema })
  .meta({ id: 'ShownPerson' })

export const personJson = ({ firstSeen, lastSeen, thumbnailJpeg, ...rest }: PersonSummary) => ({
  ...rest,
  ...(firstSeen === undefined ? {} : { firstSeen: firstSeen.toISOString() }),
  ...(lastSeen === undefined ? {} : { lastSeen: lastSeen.toISOString() }),
  ...(thumbnailJpeg === undefined ? {} : { thumbnail: `/api/v1/people/${rest.personId}/thumbnail` }),
})

export const shownPersonJson = ({ person, clips, damaged }: ShownGroup) => ({
  ...{ person: personJson(person), clips: clips.map(clipJson), damaged },
})

function clipJson(clip: ClipMatch) {
  const [best] = [...clip.ranges].sort((a, b) => b.score - a.score)
  return { ...clip, ...(best === undefined ? {} : { thumbnail: thumbnailUrl(best.trackId) }) }
}

export const personChange = z
  .object({
    name: z.string().min(1).max(500).exactOptional(),
    force: z.boolean().exactOptional().describe('Also if the name has faces that do not match.'),
    hidden: z.boolean().exactOptional(),
  })
  .strict()
  .meta({ id: 'PersonChange' })

export const mergeBody = z
  .object({ ids: z.array(z.int().min(1)).min(1).max(1000) })
  .strict()
  .meta({ id: 'PeopleToMerge' })

export const splitBody = z
  .object({ trackIds: z.array(z.int().min(1)).min(1).max(10_000) })
  .strict()
  .meta({ id: 'TracksToSplit' })

export const correctedSchema = z
  .object({ changeId: z.int(), personId: z.int(), tracks: z.int() })
  .meta({ id: 'PeopleCorrected' })

export const namedSchema = z
  .object({
    personId: z.int(),
    changeId: z.int().optional(),
    name: z.string().optional(),
    faces: z.int().optional(),
    added: z.int().optional(),
    others: list(z.int()).optional().describe('Other people with this name: they may be one person.'),
  })
  .meta({ id: 'PersonChanged' })

export const changesSchema = z
  .object({
    changes: list(
      z.object({
        changeId: z.int(),
        at: z.string(),
        action: z.string(),
        isUndone: z.boolean(),
        people: list(z.int()),
        tracks: z.int(),
      }),
    ),
  })
  .meta({ id: 'PeopleChanges' })
