/** What of a report is shown as a figure. */
export interface Figures {
  /** MAP@100, 0..1. */
  readonly map?: number
  readonly ci95?: readonly number[]
  readonly scores: readonly IdentityFigures[]
}

export interface IdentityFigures {
  readonly identity: string
  readonly ap: number
  readonly relevant: number | undefined
}

type Json = Readonly<Record<string, unknown>>
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null

/** The part of a report that has a figure `map`: the report itself, or something in it. */
function partWithMap(report: unknown): Json | undefined {
  if (!isJson(report)) return undefined
  if (typeof report['map'] === 'number') return report
  for (const inner of Object.values(report)) {
    if (Array.isArray(inner)) continue
    const found = partWithMap(inner)
    if (found !== undefined) return found
  }
  return undefined
}

export function mapOf(report: unknown): Figures {
  const part = partWithMap(report)
  if (part === undefined) return { scores: [] }
  const { map, ci95, scores } = part
  const [low, high] = isJson(ci95) ? [ci95['0'] ?? ci95['low'], ci95['1'] ?? ci95['high']] : []
  return {
    ...(typeof map === 'number' ? { map } : {}),
    ...(typeof low === 'number' && typeof high === 'number' ? { ci95: [low, high] } : {}),
    scores: Array.isArray(scores) ? scores.flatMap(identityOf) : [],
  }
}

function identityOf(score: unknown): readonly IdentityFigures[] {
  if (!isJson(score)) return []
  const {
    identity = score['id'] ?? score['name'],
    ap = score['averagePrecision'],
    relevant = score['positives'],
  } = score
  if (typeof ap !== 'number' || (typeof identity !== 'string' && typeof identity !== 'number')) return []
  return [{ identity: String(identity), ap, relevant: typeof relevant === 'number' ? relevant : undefined }]
}

export const textOfMap = ({ map }: Figures): string => (map === undefined ? '–' : map.toFixed(3))
