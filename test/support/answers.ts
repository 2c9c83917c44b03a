import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { z } from 'zod'
import { cameo, jsonLines, type CommandResult } from './cameo.js'

/** The documented fields of a line of `ingest --json`, and no others. */
const ingestLineSchema = z.strictObject({
  path: z.string(),
  clipId: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  status: z.enum(['done', 'unchanged', 'duplicate', 'partial', 'forgotten', 'failed', 'skipped']),
  tracks: z.int().nonnegative().optional(),
  seconds: z.number().nonnegative().optional(),
  truncated: z.literal(true).optional(),
  damaged: z.literal(true).optional(),
  lostS: z.number().positive().optional(),
  leftOut: z.array(z.string()).min(1).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
})

export type IngestLine = z.infer<typeof ingestLineSchema>

const rangeSchema = z.strictObject({
  startS: z.number().nonnegative(),
  endS: z.number().nonnegative(),
  trackId: z.int(),
  score: z.number(),
  weak: z.literal(true).optional(),
  confirmed: z.literal(true).optional(),
})

/** The `--json` fields about how much of an archive was looked at. */
export const coverageSchema = z.strictObject({
  clips: z.int().nonnegative(),
  incomplete: z.int().nonnegative(),
  unknownLength: z.int().nonnegative(),
  hours: z.number().nonnegative(),
  lookedAtHours: z.number().nonnegative(),
  notLookedAtHours: z.number().nonnegative(),
  states: z.record(z.string(), z.int().nonnegative()),
})

/** The same fields for one clip. */
const clipCoverage = {
  states: z.array(z.string()).min(1),
  durationS: z.number().nullable(),
  lookedAtS: z.number().nonnegative(),
  notLookedAtS: z.number().nonnegative().nullable(),
  notLookedAt: z.array(
    z.strictObject({
      startS: z.number(),
      endS: z.number().nullable(),
      state: z.string(),
      code: z.string().optional(),
      message: z.string().optional(),
    }),
  ),
  leftOut: z.array(z.string()),
}

/** The output of `coverage --json`. */
export const coverageReportSchema = z.strictObject({
  coverage: coverageSchema,
  folders: z.array(z.strictObject({ folder: z.string(), ...coverageSchema.shape })),
  clips: z.array(
    z.strictObject({
      clipId: z.string().nullable(),
      path: z.string().nullable(),
      paths: z.array(z.string()),
      ...clipCoverage,
      code: z.string().optional(),
      message: z.string().optional(),
      missing: z.literal(true).optional(),
    }),
  ),
})

const hitSchema = z.strictObject({
  clipId: z.string(),
  path: z.string(),
  score: z.number(),
  confirmed: z.literal(true).optional(),
  probability: z.number().min(0).max(1).nullable(),
  durationS: z.number().nullable(),
  ranges: z.array(rangeSchema).min(1),
  faces: z.array(
    z.strictObject({ timeS: z.number(), boxXyxyPx: z.array(z.number()).length(4), quality: z.number() }),
  ),
  thumbnail: z.string().startsWith('data:image/jpeg;base64,'),
  missing: z.literal(true).optional(),
  coverage: z.strictObject(clipCoverage).optional(),
})

/** The output of `search --json`. */
const answerSchema = z.strictObject({
  query: z.strictObject({
    kind: z.enum(['image', 'clip', 'name']),
    value: z.string(),
    face: z.int().optional(),
    quality: z.number(),
    people: z
      .array(
        z.strictObject({
          number: z.int().positive(),
          ranges: z.array(z.strictObject({ startS: z.number(), endS: z.number() })).optional(),
          boxXyxyPx: z.array(z.number()).length(4),
          quality: z.number(),
        }),
      )
      .optional(),
    notices: z.array(z.string()).min(1).optional(),
  }),
  threshold: z.number(),
  thresholdReason: z.enum(['given', 'archive size', 'models', 'uncalibrated']),
  confident: z.boolean(),
  falseAcceptRate: z
    .strictObject({
      rate: z.number(),
      estimate: z.boolean(),
      interval: z.tuple([z.number(), z.number()]).optional(),
    })
    .nullable(),
  expectedFalseMatches: z.number().nullable(),
  prior: z.strictObject({ appearances: z.number(), tracks: z.int() }).nullable(),
  tracksSearched: z.int(),
  tracksExamined: z.int(),
  coverage: coverageSchema,
  damaged: z.array(
    z.strictObject({
      clipId: z.string().optional(),
      path: z.string().nullable().optional(),
      name: z.string().optional(),
      what: z.string(),
    }),
  ),
  results: z.array(hitSchema),
  weak: z.array(hitSchema).optional(),
})

export type Answer = z.infer<typeof answerSchema>

/** Without the numbers of tracks, which depend on the order of storing. */
export const comparable = (answer: Answer) => ({
  ...answer,
  results: answer.results.map((result) => ({
    ...result,
    ranges: result.ranges.map((range) => ({ ...range, trackId: 0 })),
  })),
})

/** The `--json` output of a command that cannot run. */
const refusalSchema = z.strictObject({ code: z.string(), message: z.string(), retriable: z.boolean() })

export interface Ingested extends CommandResult {
  readonly lines: readonly IngestLine[]
  /** The line of a file, by its name. */
  readonly of: (name: string) => IngestLine
}

/** `cameo ingest … --json` with two threads. */
export async function ingest(args: readonly string[], launcher: readonly string[] = []): Promise<Ingested> {
  const run = await cameo(['ingest', ...args, '--threads', '2', '--json'], {}, launcher)
  return ingested(run)
}

export function ingested(run: CommandResult): Ingested {
  const lines = jsonLines(run.stdout).flatMap((line) =>
    'path' in line ? [ingestLineSchema.parse(line)] : [],
  )
  return {
    ...run,
    lines,
    of(name) {
      const found = lines.filter(({ path }) => basename(path) === name)
      assert.equal(found.length, 1, `${found.length} lines of ${name}:\n${run.stdout}${run.stderr}`)
      return found[0]!
    },
  }
}

/** `cameo search … --json`; it must succeed. */
export async function search(args: readonly string[], launcher: readonly string[] = []): Promise<Answer> {
  const run = await cameo(['search', ...args, '--json'], {}, launcher)
  assert.equal(run.code, 0, run.stderr)
  return answerSchema.parse(JSON.parse(run.stdout))
}

/** Names of the files found, best first. */
export function foundFiles(answer: Answer): string[] {
  return answer.results.map(({ path }) => basename(path))
}

/**
 * Checks that the command could not run: exit code 2, this code, and the same sentence for a script and for a
 * person.
 */
export function assertRefused(run: CommandResult, code: string, ...named: readonly string[]): string {
  assert.equal(run.code, 2, `exit code ${run.code}: ${run.stdout}${run.stderr}`)
  const refusal = refusalSchema.parse(jsonLines(run.stdout).at(-1))
  assert.equal(refusal.code, code, refusal.message)
  assertSentence(refusal.message, ...named)
  assert.ok(run.stderr.includes(refusal.message), run.stderr)
  assert.doesNotMatch(run.stderr, /should not have happened|\n\s+at /)
  return refusal.message
}

/** Checks that a file failed with this code, and that its message is a sentence that names the file. */
export function assertFailed(line: IngestLine, code: string, named: string = basename(line.path)): void {
  assert.equal(line.status, 'failed', JSON.stringify(line))
  assert.equal(line.code, code, JSON.stringify(line))
  assert.equal(line.tracks, undefined)
  assertSentence(line.message ?? '', named)
}

function assertSentence(message: string, ...named: readonly string[]): void {
  assert.match(message, /^\S+( \S+){3,}/s, 'several words')
  assert.doesNotMatch(message, /undefined|\[object|\n\s+at |Error:/)
  for (const name of named) assert.ok(message.includes(name), `"${message}" names ${name}`)
}
