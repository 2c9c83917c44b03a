import type { Calibration } from '../../../pipeline/models/packs/pack.js'
import type { ComparedPairs, PairScores } from './pair-scores.js'
import { gridStep, rateCurve, scoreAt, tailRate, tailScaleAbove, thresholdAt } from './rate-curve.js'

type Likelihood = NonNullable<Calibration['likelihood']>

/** Range of scores in a table. Below it there is hardly any mated pair, and above it no non-mated pair. */
const firstKnot = -0.2
const knotStep = 0.05
const knots = Array.from({ length: 25 }, (_, i) => firstKnot + i * knotStep)

/**
 * Log-likelihood ratios by score, one table per quality bucket: ln of the density of mated pairs over the density of
 * non-mated pairs, made monotone. Both densities are kernel estimates (Silverman 1986). Above the score that one
 * non-mated pair in a thousand reaches, an exponential tail replaces the estimate. One more person, and one more pair
 * of people, are added with a uniform score, so that a table does not claim more than the number of people can show.
 * @param belowQualities upper ends of the buckets, ascending. The last one must be above all qualities.
 * @param counts as in `rateCurve`
 */
export function fitLikelihood(
  { mated, nonMated }: ComparedPairs,
  belowQualities: readonly number[],
  counts?: Float64Array,
): Likelihood {
  return belowQualities.map((belowQuality, i) => {
    const within = { from: belowQualities[i - 1] ?? 0, below: belowQuality }
    const [own, others] = [pairsWithin(mated, within), pairsWithin(nonMated, within)]
    const ofMated = matedDensity(own, counts)
    const ofNonMated = nonMatedDensity(others, counts, share(others, nonMated))
    const raw = knots.map((score) => Math.log(ofMated(score)) - Math.log(ofNonMated(score)))
    const weights = knots.map((score) => ofMated(score) + ofNonMated(score))
    const logRatios = isotonic(raw, weights).map((ratio, k) => [round(knots[k] ?? 0), round(ratio)] as const)
    return { belowQuality, logRatios: withoutRepeats(logRatios) }
  })
}

/** Upper ends of quality buckets with about the same number of mated pairs. The last bucket has no real upper limit. */
export function qualityBuckets({ qualities }: PairScores, count: number): number[] {
  const sorted = qualities.slice().sort()
  const inner = Array.from({ length: count - 1 }, (_, i) => {
    const quality = sorted[Math.floor(((i + 1) * sorted.length) / count)] ?? 1
    return Math.round(quality * 20) / 20
  })
  return [...new Set(inner.filter((quality) => quality > 0 && quality < 1)), 2]
}

interface Within {
  readonly from: number
  readonly below: number
}

function pairsWithin(pairs: PairScores, { from, below }: Within): PairScores {
  const isIn = (_: unknown, i: number) => {
    const quality = pairs.qualities[i] ?? 0
    return quality >= from && quality < below
  }
  return {
    scores: pairs.scores.filter(isIn),
    qualities: pairs.qualities.filter(isIn),
    a: pairs.a.filter(isIn),
    b: pairs.b.filter(isIn),
    weights: pairs.weights.filter(isIn),
  }
}

const share = (part: PairScores, all: PairScores) => part.scores.length / Math.max(1, all.scores.length)

type Density = (score: number) => number

function matedDensity(pairs: PairScores, counts: Float64Array | undefined): Density {
  const people = peopleOf(pairs, counts)
  return withOneMore(kernelDensity(pairs, counts, people), people)
}

function nonMatedDensity(pairs: PairScores, counts: Float64Array | undefined, part: number): Density {
  const people = peopleOf(pairs, counts)
  const peoplePairs = (part * people * (people - 1)) / 2
  const body = kernelDensity(pairs, counts, peoplePairs)
  const curve = rateCurve(pairs, counts)
  const from = thresholdAt(curve, tailRate)
  const scale = tailScaleAbove(curve, from)
  const density: Density = (score) =>
    score <= from ? body(score) : (tailRate / scale) * Math.exp(-(score - from) / scale)
  return withOneMore(density, peoplePairs)
}

/** Mixes in one of `count + 1` samples with a uniform density from −1 to 1. */
const withOneMore =
  (density: Density, count: number): Density =>
  (score) =>
    (count * density(score) + 0.5) / (count + 1)

function peopleOf({ a, b }: PairScores, counts: Float64Array | undefined): number {
  const people = new Set<number>()
  for (const column of [a, b])
    for (const person of column) if (counts === undefined || (counts[person] ?? 0) > 0) people.add(person)
  return people.size
}

/**
 * Gaussian kernel density. The width depends on the spread of the scores and on the number of independent people or
 * pairs.
 */
function kernelDensity(pairs: PairScores, counts: Float64Array | undefined, independent: number): Density {
  const curve = rateCurve(pairs, counts)
  const masses = curve.map((rate, at) => rate - (curve[at + 1] ?? 0))
  const middleOf = (at: number) => scoreAt(at) + gridStep / 2
  let [sum, squares] = [0, 0]
  for (const [at, mass] of masses.entries()) {
    sum += mass * middleOf(at)
    squares += mass * middleOf(at) ** 2
  }
  const deviation = Math.sqrt(Math.max(gridStep ** 2, squares - sum ** 2))
  const width = Math.max(gridStep, 0.9 * deviation * Math.max(1, independent) ** -0.2)
  return (score) => {
    let density = 0
    for (const [at, mass] of masses.entries())
      if (mass !== 0) density += mass * Math.exp(-0.5 * ((score - middleOf(at)) / width) ** 2)
    return density / (width * Math.sqrt(2 * Math.PI))
  }
}

/** The closest non-decreasing values, by weighted least squares: pool adjacent violators (Ayer et al. 1955). */
export function isotonic(values: readonly number[], weights: readonly number[]): number[] {
  const blocks: { mean: number; weight: number; length: number }[] = []
  for (const [i, value] of values.entries()) {
    let block = { mean: value, weight: weights[i] ?? 1, length: 1 }
    for (let last = blocks.at(-1); last !== undefined && last.mean > block.mean; last = blocks.at(-1)) {
      blocks.pop()
      const weight = last.weight + block.weight
      const mean = (last.mean * last.weight + block.mean * block.weight) / weight
      block = { mean, weight, length: last.length + block.length }
    }
    blocks.push(block)
  }
  return blocks.flatMap(({ mean, length }) => Array.from({ length }, () => mean))
}

const round = (value: number) => Math.round(value * 100) / 100

/**
 * Removes redundant points: the inner ones of a run of equal values, and all except the innermost one of a run at an
 * end.
 */
function withoutRepeats(table: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const kept = table.filter(([, ratio], i) => {
    const [before, after] = [table[i - 1]?.[1] ?? ratio, table[i + 1]?.[1] ?? ratio]
    return before !== ratio || after !== ratio
  })
  return kept.length === 0 ? table.slice(0, 1) : kept
}
