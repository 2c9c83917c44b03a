import type { RankedClip, WorstIdentity } from './report-data.js'
import { shownAtMost } from './report-data.js'

/** The evaluated answer of one identity. */
export interface RankedIdentity {
  readonly identity: string
  readonly name?: string | undefined
  readonly ap: number
  /** Distinct clips, best first, limited to the counted ranks. */
  readonly ranking: readonly string[]
  /** [ranking], if the scores are known. */
  readonly scores?: ArrayLike<number> | undefined
  readonly positives: ReadonlySet<string>
}

/** Number of clips of each kind that are shown per identity. */
const clipsShown = 5
const confusionsShown = 3

/**
 * The identities with the lowest AP and the clips that caused it. With equal AP, the identities with more positives
 * come first.
 * @param ownerOf returns the owner of a clip in the ground truth; undefined for clips of strangers
 */
export function worstIdentities(
  identities: readonly RankedIdentity[],
  ownerOf: (clip: string) => string | undefined,
  limit: number = shownAtMost,
): WorstIdentity[] {
  return [...identities]
    .sort((a, b) => a.ap - b.ap || b.positives.size - a.positives.size)
    .slice(0, limit)
    .map((identity) => describeIdentity(identity, ownerOf))
}

function describeIdentity(
  { identity, name, ap, ranking, scores, positives }: RankedIdentity,
  ownerOf: (clip: string) => string | undefined,
): WorstIdentity {
  const found = ranking.filter((clip) => positives.has(clip))
  const lastHit = found.length < positives.size ? ranking.length : ranking.lastIndexOf(found.at(-1) ?? '')
  const wrong: RankedClip[] = []
  for (const [i, clip] of ranking.slice(0, Math.max(0, lastHit)).entries()) {
    if (positives.has(clip)) continue
    const score = scores?.[i]
    const belongsTo = ownerOf(clip)
    wrong.push({
      clip,
      rank: i + 1,
      ...(score === undefined ? {} : { score }),
      ...(belongsTo === undefined ? {} : { belongsTo }),
    })
  }
  const foundClips = new Set(found)
  return {
    identity,
    ...(name === undefined ? {} : { name }),
    ap,
    positives: positives.size,
    found: found.length,
    wrongAbove: wrong.length,
    confusedWith: countOwners(wrong).slice(0, confusionsShown),
    wrong: wrong.slice(0, clipsShown),
    missed: [...positives].filter((clip) => !foundClips.has(clip)).slice(0, clipsShown),
  }
}

function countOwners(clips: readonly RankedClip[]): WorstIdentity['confusedWith'] {
  const counts = new Map<string | undefined, number>()
  for (const { belongsTo } of clips) counts.set(belongsTo, (counts.get(belongsTo) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([belongsTo, clips]) => (belongsTo === undefined ? { clips } : { belongsTo, clips }))
}
