import type { Evaluation } from '../../types.js'

/** What of a report is shown as a figure. */
export interface Figures {
  /** 95 % interval of the MAP. */
  readonly ci95: readonly [low: number, high: number] | undefined
  readonly scores: readonly IdentityFigures[]
}

export interface IdentityFigures {
  readonly identity: string
  /** Average precision, 0..1. */
  readonly ap: number
  /** How many clips show the person. */
  readonly clips: number
}

/** The API describes a report only in part. What is not as expected is left out. */
export function figuresOf(report: Evaluation): Figures {
  const { ci95, scores } = report
  const interval: readonly unknown[] = Array.isArray(ci95) ? ci95 : []
  const [low, high] = interval
  return {
    ci95: typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined,
    scores: Array.isArray(scores) ? scores.flatMap(identityOf) : [],
  }
}

function identityOf(score: unknown): readonly IdentityFigures[] {
  if (typeof score !== 'object' || score === null) return []
  if (!('identity' in score && 'averagePrecision' in score && 'positives' in score)) return []
  const { identity, averagePrecision: ap, positives: clips } = score
  if (typeof identity !== 'string' || typeof ap !== 'number' || typeof clips !== 'number') return []
  return [{ identity, ap, clips }]
}
