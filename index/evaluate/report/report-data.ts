import { z } from 'zod'

/** Increased when a reader of older reports would misread a newer one. */
export const reportVersion = 1

export const reportFiles = { json: 'report.json', csv: 'per-identity.csv', html: 'report.html' } as const

/** Maximum length of lists for people. The CSV and the JSON contain every identity. */
export const shownAtMost = 20

const rate = z.number().min(0).max(1)
const count = z.int().min(0)
const interval = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low <= high, 'an interval must start at its lower end')

const step = z.object({
  name: z.string().min(1),
  map: rate,
  /** 95 % confidence interval of MAP. */
  ci95: interval,
  /** MAP minus the MAP of the previous step, with the 95 % confidence interval of the paired difference. */
  gain: z.object({ value: z.number().min(-1).max(1), ci95: interval }).optional(),
  note: z.string().optional(),
})

const identity = z.object({
  identity: z.string(),
  name: z.string().optional(),
  /** Number of all positives, including those that are not in the archive. */
  positives: z.int().min(1),
  /** [steps] number of positives among the counted ranks. */
  found: z.array(count),
  /** [steps] average precision. */
  ap: z.array(rate),
})

const rankedClip = z.object({
  clip: z.string(),
  /** Rank, from 1. */
  rank: z.int().min(1),
  /** Cosine similarity, or the score of the head. */
  score: z.number().optional(),
  /** Owner of the clip in the ground truth. Absent if it belongs to no identity. */
  belongsTo: z.string().optional(),
})

const worstIdentity = z.object({
  identity: z.string(),
  name: z.string().optional(),
  ap: rate,
  positives: z.int().min(1),
  found: count,
  /** Number of wrong clips that reduce precision: those above the last positive, or all if a positive was not found. */
  wrongAbove: count,
  /** Owners of the wrong clips, most clips first. */
  confusedWith: z.array(z.object({ belongsTo: z.string().optional(), clips: z.int().min(1) })),
  /** The first of the wrong clips. */
  wrong: z.array(rankedClip),
  /** The first of the positives that were not found. */
  missed: z.array(z.string()),
})

const rates = z.object({ threshold: z.number(), far: rate, frr: rate, falseAccepts: count })

const scores = z.object({
  /** Unit of the scores as an axis label: "cosine similarity". */
  unit: z.string().min(1),
  mated: count,
  nonMated: count,
  /** Bins of equal width from `from` to `to`, with counts of scores, [bins]. Absent if there are no scores. */
  histogram: z
    .object({ from: z.number(), to: z.number(), mated: z.array(count), nonMated: z.array(count) })
    .refine(({ from, to }) => from < to, 'bins must have a width')
    .refine((bins) => bins.mated.length === bins.nonMated.length, 'both histograms must have the same bins')
    .optional(),
  /** Rates at ascending thresholds. Null if there are no scores. */
  curve: z.array(z.object({ threshold: z.number(), far: rate.nullable(), frr: rate.nullable() })),
  points: z.array(rates.extend({ targetFar: rate, measurable: z.boolean() })),
  equalError: rates.extend({ eer: rate }).optional(),
})

const warning = z.object({
  message: z.string(),
  /** Number of things that the warning is about. */
  count: count.optional(),
  /** Examples of these things. */
  examples: z.array(z.string()).optional(),
})

export const evaluationReport = z
  .object({
    version: z.literal(reportVersion),
    title: z.string().min(1),
    startedAt: z.iso.datetime(),
    durationS: z.number().min(0).optional(),
    /** Number of counted ranks: 100 for MAP@100. */
    depth: z.int().min(1),
    /** Settings of the run, shown as nested keys and values. */
    settings: z.record(z.string(), z.json()),
    warnings: z.array(warning),
    /** The ladder, from the first step to the last. */
    steps: z.array(step).min(1),
    /** The step of the histograms, the scores and the worst identities. */
    chosenStep: z.string(),
    identities: z.array(identity).min(1),
    /** Interpolated precision at `recallLevels`, averaged over identities. */
    precisionRecall: z.array(z.object({ step: z.string(), precision: z.array(rate) })),
    scores: scores.optional(),
    /** Worst first. */
    worst: z.array(worstIdentity),
  })
  .superRefine((report, context) => {
    for (const [message, path] of contradictions(report))
      context.addIssue({ code: 'custom', message, path: [...path] })
  })

export type EvaluationReport = z.infer<typeof evaluationReport>
export type ReportStep = z.infer<typeof step>
export type ReportIdentity = z.infer<typeof identity>
export type ReportScores = z.infer<typeof scores>
export type ReportWarning = z.infer<typeof warning>
export type WorstIdentity = z.infer<typeof worstIdentity>
export type RankedClip = z.infer<typeof rankedClip>
export type ReportSettings = EvaluationReport['settings']

interface Contradictable {
  readonly depth: number
  readonly steps: readonly ReportStep[]
  readonly chosenStep: string
  readonly identities: readonly ReportIdentity[]
  readonly precisionRecall: readonly { readonly step: string }[]
}

/** Contradictions between fields that are valid individually. */
function* contradictions(report: Contradictable): Generator<[message: string, path: (string | number)[]]> {
  const names = new Set(report.steps.map(({ name }) => name))
  if (names.size < report.steps.length) yield ['two steps have the same name', ['steps']]
  if (!names.has(report.chosenStep)) yield [`no step is called "${report.chosenStep}"`, ['chosenStep']]
  for (const [i, { step }] of report.precisionRecall.entries())
    if (!names.has(step)) yield [`no step is called "${step}"`, ['precisionRecall', i, 'step']]
  const seen = new Set<string>()
  for (const [i, { identity, positives, found, ap }] of report.identities.entries()) {
    if (seen.has(identity)) yield [`identity "${identity}" appears twice`, ['identities', i]]
    seen.add(identity)
    if (ap.length !== report.steps.length || found.length !== report.steps.length)
      yield ['an identity must have one AP and one count per step', ['identities', i]]
    if (found.some((clips) => clips > Math.min(positives, report.depth)))
      yield ['more positives were found than exist', ['identities', i, 'found']]
  }
  for (const [i, { name, map, gain }] of report.steps.entries()) {
    const before = report.steps[i - 1]
    if (gain !== undefined && (before === undefined || Math.abs(map - before.map - gain.value) > 1e-6))
      yield [`the gain of "${name}" is not the difference to the previous step`, ['steps', i, 'gain']]
    const sum = report.identities.reduce((total, { ap }) => total + (ap[i] ?? 0), 0)
    if (Math.abs(sum / report.identities.length - map) > 1e-6)
      yield [`MAP of "${name}" is not the mean of its identities' AP`, ['steps', i, 'map']]
  }
}

/** Index of the chosen step in the ladder. */
export function chosenIndex(report: Pick<EvaluationReport, 'steps' | 'chosenStep'>): number {
  return report.steps.findIndex(({ name }) => name === report.chosenStep)
}

export type Verdict = 'gains' | 'gains nothing' | 'loses'

/** The verdict of a paired difference: a gain or a loss only if its 95 % confidence interval excludes 0. */
export function verdictOf({ ci95: [low, high] }: { readonly ci95: readonly [number, number] }): Verdict {
  return low > 0 ? 'gains' : high < 0 ? 'loses' : 'gains nothing'
}

/** The first problem of a report, with its position. */
export function whatIsWrong(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return error.message
  return `${issue.message}${issue.path.length === 0 ? '' : ` (at ${z.core.toDotPath(issue.path)})`}`
}
