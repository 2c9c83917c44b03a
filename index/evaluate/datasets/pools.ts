import { counted } from '../../../pipeline/common/counted.js'
import { commonSeries } from './clip-names.js'
import type { Labels, LabelledHalf, ResolvedLabels } from './labelled-halves.js'
import type { GroundTruth, Pool } from '../data/rankings.js'
import type { ClipNames } from '../data/clip-names.js'

/**
 * The clips that may be retrieved: also unlisted clips, as strangers (the method of iQIYI-VID), or only clips of the
 * ground truth.
 */
export type PoolChoice = 'all' | 'listed'

/** Counts of the ranked clips. Every other clip is omitted for one reason. */
export interface PoolAccount {
  readonly clips: number
  /** Number of ranked clips in the ground truth, and in no list. */
  readonly listed: number
  readonly unlisted: number
  readonly leftOut: readonly { readonly why: string; readonly clips: number }[]
}

export interface Pools {
  readonly valPool: Pool
  readonly testPool: Pool
  /** Clips of strangers for training. */
  readonly noiseClips: readonly number[]
  /** Counts of the test pool. */
  readonly account: PoolAccount
}

export interface PoolInput {
  readonly labels: Labels
  readonly resolved: ResolvedLabels
  readonly names: ClipNames
  readonly clipNames: readonly string[]
  /** Given names of strangers for training. */
  readonly noise: readonly string[] | undefined
  readonly choice: PoolChoice
}

/**
 * The strangers of a half are the unlisted clips of its series (`CLIP_VAL_` of `CLIP_VAL_0000001.mp4`). Of val's
 * strangers, in order of their names, every second one is noise for training, and the others stay in val's pool. If a
 * half has no series of its own, every unlisted clip is a stranger.
 */
export function poolsOf(input: PoolInput): Pools {
  const { labels, resolved, clipNames, choice } = input
  const [ofVal, ofTest] = [clipsOf(resolved.val), clipsOf(resolved.test)]
  const named = new Set([...resolved.seen, ...ofVal, ...ofTest])
  const unnamed = [...clipNames.keys()].filter((clip) => !named.has(clip))
  const [valSeries, testSeries] = [ownSeries(labels, 'val'), ownSeries(labels, 'test')]
  const strangersIn = (series: string) => input.names.inSeries(series).filter((clip) => !named.has(clip))
  const noiseClips =
    input.noise?.flatMap((name) => input.names.find(name)) ??
    (valSeries === undefined ? [] : strangersIn(valSeries))
      .sort((a, b) => ((clipNames[a] ?? '') < (clipNames[b] ?? '') ? -1 : 1))
      .filter((_, at) => at % 2 === 0)
  const isNoise = new Set(noiseClips)
  const poolOf = (series: string | undefined, own: ReadonlySet<number>): Pool => {
    const strangers = choice === 'listed' ? [] : series === undefined ? unnamed : strangersIn(series)
    return new Set([...own, ...strangers.filter((clip) => !isNoise.has(clip))])
  }
  const testPool = poolOf(testSeries, ofTest)
  const account: PoolAccount = {
    clips: testPool.size,
    listed: ofTest.size,
    unlisted: testPool.size - ofTest.size,
    leftOut: countReasons(clipNames, testPool, (clip) => {
      if (resolved.seen.has(clip)) return labels.trainedOn === undefined ? 'in the gallery' : 'trained on'
      if (ofVal.has(clip)) return 'in val'
      if (isNoise.has(clip)) return 'of noise'
      return choice === 'listed' || testSeries === undefined
        ? 'in no list'
        : `in no list and not named ${testSeries}…`
    }),
  }
  return { valPool: poolOf(valSeries, ofVal), testPool, noiseClips, account }
}

const clipsOf = (half: LabelledHalf | undefined) => new Set([...(half?.clips.values() ?? [])].flat())

const seriesOf = (groundTruth: GroundTruth | undefined) =>
  groundTruth === undefined
    ? undefined
    : commonSeries([...groundTruth.values()].flatMap((clips) => [...clips]))

/** The series of a half, unless another list has the same series: then it does not distinguish them. */
function ownSeries({ gallery, trainedOn, val, test }: Labels, half: 'val' | 'test'): string | undefined {
  const [own, other] = half === 'val' ? [val, test] : [test, val]
  const series = seriesOf(own)
  return [gallery, trainedOn, other].some((each) => seriesOf(each) === series) ? undefined : series
}

function countReasons(
  clipNames: readonly string[],
  pool: Pool,
  reasonOf: (clip: number) => string,
): PoolAccount['leftOut'] {
  const counts = new Map<string, number>()
  for (const clip of clipNames.keys()) {
    if (pool.has(clip)) continue
    const why = reasonOf(clip)
    counts.set(why, (counts.get(why) ?? 0) + 1)
  }
  return [...counts].map(([why, clips]) => ({ why, clips }))
}

/** Describes a pool in a sentence, for people and reports. */
export function describePool({ clips, listed, unlisted, leftOut }: PoolAccount): string {
  const parts = leftOut.map(({ why, clips: count }) => `${count} ${why}`)
  return (
    `${counted(clips, 'clip')} ranked: ${listed} of the ground truth, ${unlisted} in no list` +
    (parts.length === 0 ? '; none left out' : `; left out: ${parts.join(', ')}`)
  )
}
