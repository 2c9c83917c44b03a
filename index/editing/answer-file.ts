import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { basename } from 'node:path'
import { presentPath } from '../store/present-path.js'
import { namelessText, type EditHit } from './hits.js'

const timeS = z.number().min(0).max(1e9)
const rangeSchema = z
  .object({
    startS: timeS,
    endS: timeS,
    score: z.number().nullable().optional(),
    weak: z.boolean().optional(),
  })
  .refine(({ startS, endS }) => startS <= endS, 'a range ends before it begins')
const lengthSchema = timeS.nullable().optional()

const searchSchema = z.object({
  query: z.object({ kind: z.string(), value: z.string() }),
  results: z.array(
    z.object({
      clipId: z.string(),
      path: z.string().min(1),
      probability: z.number().nullable().optional(),
      durationS: lengthSchema,
      ranges: z.array(rangeSchema),
      with: z.array(z.object({ name: z.string() })).optional(),
    }),
  ),
})

const shownSchema = z.object({
  clipId: z.string(),
  path: z.string().min(1),
  durationS: lengthSchema,
  people: z.array(
    z.object({
      name: z.string().nullable(),
      personId: z.int().nullable().optional(),
      ranges: z.array(rangeSchema),
    }),
  ),
})

/** Thumbnails of a long answer take some. */
const mostBytes = 512e6

/**
 * The hits of an answer of `search`, `show` or `people show` that was kept as JSON; those below the threshold are left out. Whether files are there
 * is asked now.
 * @param file its name, or 0 for standard input
 * @throws USAGE where it cannot be read, or is no such answer
 */
export function readAnswerFile(file: string | 0): EditHit[] {
  const name = file === 0 ? 'standard input' : quoted(file)
  const parsed = z.union([searchSchema, shownSchema]).safeParse(readJson(file, name))
  if (!parsed.success)
    throw new CameoError('USAGE', `${name} is not the JSON of a search or of a clip that was shown`)
  return 'results' in parsed.data ? hitsOfResults(parsed.data) : hitsOfPeople(parsed.data)
}

function readJson(file: string | 0, name: string): unknown {
  try {
    if (file !== 0 && statSync(file).size > mostBytes) throw new Error('it is too large')
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new CameoError('USAGE', `the answer in ${name} cannot be read (${messageOf(cause)})`, { cause })
  }
}

/** Kinds of questions whose value is no file. */
const namedKinds: ReadonlySet<string> = new Set(['name', 'person'])

function hitsOfResults({ query, results }: z.infer<typeof searchSchema>): EditHit[] {
  const own = namedKinds.has(query.kind) ? query.value : basename(query.value)
  return results.flatMap(({ ranges, with: others = [], probability, ...clip }, index) =>
    ranges
      .filter(({ weak }) => weak !== true)
      .map((range) => ({
        ...hitOf(clip, range),
        ...{ number: index + 1, probability: probability ?? undefined },
        person: [own, ...others.map(({ name }) => name)].join(' + '),
      })),
  )
}

const hitsOfPeople = ({ people, ...clip }: z.infer<typeof shownSchema>): EditHit[] =>
  people.flatMap(({ name, personId, ranges }, index) =>
    ranges.map((range) => ({
      ...hitOf(clip, range),
      ...{ number: index + 1, probability: undefined, person: name ?? namelessText(index + 1, personId) },
    })),
  )

function hitOf(
  { clipId, path, durationS }: Omit<z.infer<typeof shownSchema>, 'people'>,
  { startS, endS, score }: z.infer<typeof rangeSchema>,
) {
  return {
    ...{ clipId, path, durationS: durationS ?? undefined, startS, endS, score: score ?? undefined },
    ...{ isWeak: false, isMissing: presentPath([path])?.isMissing ?? true },
  }
}
