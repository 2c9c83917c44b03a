import { z } from 'zod'

/** Changes when a reader of older reports would misread a newer one. */
export const reportVersion = 1

export const reportFiles = { json: 'report.json', csv: 'per-identity.csv', html: 'report.html' } as const

/** Lists that people read are this long at the most; the CSV and the JSON hold every identity. */
export const shownAtMost = 20

const rate = z.number().min(0).max(1)
const count = z.int().min(0)
const interval = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low <= high, 'an interval starts at its lower end')

const step = z.object({
  name: z.string().min(1),
  map: rate,
  /** 95 % confidence interval of MAP. */
  ci95: interval,
  /** MAP minus that of the step before, with the 95 % confidence interval of the paired difference. */
  gain: z.object({ value: z.number().min(-1).max(1), ci95: interval }).optional(),
  note: z.string().optional(),
})

const identity = z.object({
  identity: z.string(),
  name: z.string().optional(),
  /** All positives, whether or not the archive holds them. */
  positives: z.int().min(1),
  /** [steps] positives among the ranks that count. */
  found: z.array(count),
  /** [steps] average precision. */
  ap: z.array(rate),
})

const rankedClip = z.object({
  clip: z.string(),
  /** From 1. */
  rank: z.int().min(1),
  /** Cosine similarity or the head's score. */
  score: z.number().optional(),
  /** Whose clip it is by the ground truth; absent where no identity claims it. */
  belongsTo: z.string().optional(),
})

const worstIdentity = z.object({
  identity: z.string(),
  name: z.string().optional(),
  ap: rate,
  positives: z.int().min(1),
  found: count,
  /** Wrong clips that cost precision: above the last positive, or any where a positive was not found. */
  wrongAbove: count,
  /** To whom the wrong clips belong, most clips first. */
  confusedWith: z.array(z.object({ belongsTo: z.string().optional(), clips: z.int().min(1) })),
  /** The first of the wrong clips. */
  wrong: z.array(rankedClip),
  /** The first of the positives that were not found. */
  missed: z.array(z.string()),
})

const rates = z.object({ threshold: z.number(), far: rate, frr: rate, falseAccepts: count })

const scores = z.object({
  /** What the scores are, as an axis names it: "cosine similarity". */
  unit: z.string().min(1),
  mated: count,
  nonMated: count,
  /** Bins of one width from `from` to `to`; counts of scores, [bins]. Absent where there are no scores. */
  histogram: z
    .object({ from: z.number(), to: z.number(), mated: z.array(count), nonMated: z.array(count) })
    .refine(({ from, to }) => from < to, 'bins have a width')
    .refine((bins) => bins.mated.length === bins.nonMated.length, 'both histograms have the same bins')
    .optional(),
  /** Rates at ascending thresholds; null where there are no scores to measure. */
  curve: z.array(z.object({ threshold: z.number(), far: rate.nullable(), frr: rate.nullable() })),
  points: z.array(rates.extend({ targetFar: rate, measurable: z.boolean() })),
  equalError: rates.extend({ eer: rate }).optional(),
})

const warning = z.object({
  message: z.string(),
  /** How many things it is about. */
  count: count.optional(),
  /** Some of them. */
  examples: z.array(z.string()).optional(),
})

export const evaluationReport = z
  .object({
    version: z.literal(reportVersion),
    title: z.string().min(1),
    startedAt: z.iso.datetime(),
    durationS: z.number().min(0).optional(),
    /** Ranks that count: 100 for MAP@100. */
    depth: z.int().min(1),
    /** How it was run; shown as nested keys and values. */
    settings: z.record(z.string(), z.json()),
    warnings: z.array(warning),
    /** The ladder, from the first step to the last. */
    steps: z.array(step).min(1),
    /** The step that histograms, scores and the worst identities are of. */
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

/** What is wrong between fields that are right by themselves. */
function* contradictions(report: Contradictable): Generator<[message: string, path: (string | number)[]]> {
  const names = new Set(report.steps.map(({ name }) => name))
  if (names.size < report.steps.length) yield ['two steps have one name', ['steps']]
  if (!names.has(report.chosenStep)) yield [`no step is called "${report.chosenStep}"`, ['chosenStep']]
  for (const [i, { step }] of report.precisionRecall.entries())
    if (!names.has(step)) yield [`no step is called "${step}"`, ['precisionRecall', i, 'step']]
  const seen = new Set<string>()
  for (const [i, { identity, positives, found, ap }] of report.identities.entries()) {
    if (seen.has(identity)) yield [`identity "${identity}" is there twice`, ['identities', i]]
    seen.add(identity)
    if (ap.length !== report.steps.length || found.length !== report.steps.length)
      yield ['an identity has one AP and one count a step', ['identities', i]]
    if (found.some((clips) => clips > Math.min(positives, report.depth)))
      yield ['more was found than there is', ['identities', i, 'found']]
  }
  for (const [i, { name, map, gain }] of report.steps.entries()) {
    const before = report.steps[i - 1]
    if (gain !== undefined && (before === undefined || Math.abs(map - before.map - gain.value) > 1e-6))
      yield [`the gain of "${name}" is not the difference to the step before`, ['steps', i, 'gain']]
    const sum = report.identities.reduce((total, { ap }) => total + (ap[i] ?? 0), 0)
    if (Math.abs(sum / report.identities.length - map) > 1e-6)
      yield [`MAP of "${name}" is not the mean of its identities' AP`, ['steps', i, 'map']]
  }
}

/** Where the chosen step is in the ladder. */
export function chosenIndex(report: Pick<EvaluationReport, 'steps' | 'chosenStep'>): number {
  return report.steps.findIndex(({ name }) => name === report.chosenStep)
}

export type Verdict = 'gains' | 'gains nothing' | 'loses'

/** What a paired difference says: a gain or a loss only where its 95 % confidence interval leaves out 0. */
export function verdictOf({ ci95: [low, high] }: { readonly ci95: readonly [number, number] }): Verdict {
  return low > 0 ? 'gains' : high < 0 ? 'loses' : 'gains nothing'
}

/** The first thing that is wrong with a report, and where it is. */
export function whatIsWrong(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return error.message
  return `${issue.message}${issue.path.length === 0 ? '' : ` (at ${z.core.toDotPath(issue.path)})`}`
}
