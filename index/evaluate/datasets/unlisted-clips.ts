import type { EvaluationSet } from './evaluation-set.js'
import type { LabelledHalf } from './labelled-halves.js'
import type { RankedClips } from '../data/rankings.js'

/** An unlisted clip and an identity that it may show. */
export interface SuspectClip {
  readonly identity: string
  readonly clip: string
}

/**
 * Unlisted clips that may show a listed person, so that they would wrongly count as errors. These clips score at
 * least as high for an identity as the median of its own found clips. Each clip appears once, with the first such
 * identity.
 * @param ranked in the order of the set's identities
 */
export function suspectClips(
  set: Pick<EvaluationSet, 'identities' | 'features'>,
  half: LabelledHalf,
  ranked: readonly RankedClips[],
): SuspectClip[] {
  const listed = new Set([...half.clips.values()].flat())
  const suspects = new Map<number, SuspectClip>()
  for (const [at, identity] of set.identities.entries()) {
    const own = new Set(half.clips.get(identity) ?? [])
    const clips = ranked[at] ?? []
    const found = clips.filter(({ clip }) => own.has(clip))
    const middle = found[Math.floor(found.length / 2)]
    if (middle === undefined) continue
    for (const { clip, score } of clips)
      if (score >= middle.score && !listed.has(clip) && !suspects.has(clip))
        suspects.set(clip, { identity, clip: set.features.clipNames[clip] ?? '' })
  }
  return [...suspects.values()]
}
