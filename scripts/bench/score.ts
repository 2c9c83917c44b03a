/**
 * Measures scoring at the size of iQIYI-VID-2018's test half: 172,835 clips against 4,934 identities, exact
 * search, the 100 best clips of each identity, and MAP@100, on synthetic vectors. Exit code 1 if a target is
 * missed.
 *
 *   node dist/scripts/bench/score.js [--clips N] [--identities N] [--threads N] [--json]
 */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { meanAveragePrecision, scoreRankings } from '../../index/evaluate/metrics/mean-average-precision.js'
import type { VectorTable } from '../../index/evaluate/metrics/matrix-product.js'
import { productBlocks } from '../../index/evaluate/ladder/score-blocks.js'
import { TopClips } from '../../index/evaluate/metrics/top-clips.js'
import { normaliseAt } from '../../pipeline/training/face-columns.js'
import { gaussian, seededRandom } from '../../pipeline/common/seeded-random.js'
import { ownCpuS } from './measure.js'

const dimension = 512

/**
 * One table of noise is used for all vectors, each from another start: drawing 90 million numbers would take
 * longest of all.
 */
const noiseLength = 2 ** 20

/** Share of the clips that show none of the identities. */
const strangerShare = 0.15

const targets = { seconds: 60, peakRssGb: 2 }

interface Synthetic {
  readonly queries: VectorTable
  readonly rows: VectorTable
  readonly clipNames: readonly string[]
  readonly groundTruth: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Unit vectors: random queries; clips with a cosine of 0.1 to 0.5 to their identity's query; strangers
 * anywhere.
 */
function synthesise(clips: number, identities: number): Synthetic {
  const random = seededRandom(1)
  const noise = Float32Array.from({ length: noiseLength }, () => gaussian(random) / Math.sqrt(dimension))
  const queries = new Float32Array(identities * dimension)
  for (let i = 0; i < queries.length; i++) queries[i] = gaussian(random)
  for (let at = 0; at < queries.length; at += dimension) normaliseAt(queries, at, dimension)
  const vectors = new Float32Array(clips * dimension)
  const clipNames = Array.from({ length: clips }, (_, clip) => `clip_${String(clip).padStart(7, '0')}.mp4`)
  const groundTruth = new Map<string, Set<string>>()
  for (let clip = 0; clip < clips; clip++) {
    const identity =
      clip < identities ? clip : random() < strangerShare ? undefined : Math.floor(random() * identities)
    const share = identity === undefined ? 0 : 0.1 + 0.4 * random()
    const from = Math.floor(random() * (noiseLength - dimension))
    const ofQuery = (identity ?? 0) * dimension
    const at = clip * dimension
    for (let i = 0; i < dimension; i++)
      vectors[at + i] = share * (queries[ofQuery + i] ?? 0) + (noise[from + i] ?? 0)
    normaliseAt(vectors, at, dimension)
    if (identity === undefined) continue
    const own = groundTruth.get(String(identity + 1)) ?? new Set<string>()
    groundTruth.set(String(identity + 1), own.add(clipNames[clip] ?? ''))
  }
  return {
    queries: { dimension, vectors: queries },
    rows: { dimension, vectors },
    clipNames,
    groundTruth,
  }
}

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '172835' },
    identities: { type: 'string', default: '4934' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
})
const [clips, identities, threads] = [values.clips, values.identities, values.threads].map(Number)
if (clips === undefined || identities === undefined || threads === undefined || !(clips >= identities)) {
  console.error('--clips takes a whole number, at least that of --identities')
  process.exit(2)
}

/** Wall-clock and CPU time (all threads), s. On a shared machine the CPU time is more reliable. */
interface Spent {
  readonly s: number
  readonly cpuS: number
}

const now = (): Spent => ({ s: performance.now() / 1000, cpuS: ownCpuS() })
const minus = (a: Spent, b: Spent): Spent => ({ s: a.s - b.s, cpuS: a.cpuS - b.cpuS })
const plus = (a: Spent, b: Spent): Spent => ({ s: a.s + b.s, cpuS: a.cpuS + b.cpuS })

let start = now()
const { queries, rows, clipNames, groundTruth } = synthesise(clips, identities)
const generating = minus(now(), start)

const top = new TopClips(identities, clipNames)
let ranking: Spent = { s: 0, cpuS: 0 }
start = now()
const session = { device: { kind: 'cpu' as const }, intraOpThreads: threads }
for await (const { firstRow, columns, products } of productBlocks(queries, rows, session)) {
  const before = now()
  top.addBlock(products, columns, (column) => firstRow + column)
  ranking = plus(ranking, minus(now(), before))
}
const multiplying = minus(minus(now(), start), ranking)

start = now()
const rankings = new Map(
  Array.from({ length: identities }, (_, i) => [
    String(i + 1),
    top.ranked(i).map(({ clip }) => clipNames[clip] ?? ''),
  ]),
)
const map = meanAveragePrecision(scoreRankings(rankings, groundTruth))
const scoring = minus(now(), start)
const all = plus(plus(multiplying, ranking), scoring)

const figures = {
  clips,
  identities,
  threads,
  loadAverage: loadavg()[0] ?? 0,
  generateS: generating.s,
  productsS: multiplying.s,
  productsCpuS: multiplying.cpuS,
  gflops: (2 * clips * identities * dimension) / multiplying.s / 1e9,
  rankS: ranking.s,
  rankCpuS: ranking.cpuS,
  mapS: scoring.s,
  mapCpuS: scoring.cpuS,
  allS: all.s,
  allCpuS: all.cpuS,
  peakRssGb: (process.resourceUsage().maxRSS * 1024) / 1e9,
  map,
}
const verdicts = [
  {
    target: `products, ranking and MAP in < ${targets.seconds} s`,
    reached: all.s < targets.seconds,
  },
  { target: `peak RSS < ${targets.peakRssGb} GB`, reached: figures.peakRssGb < targets.peakRssGb },
]
if (values.json) console.log(JSON.stringify({ figures, verdicts }))
else {
  for (const [name, value] of Object.entries(figures))
    console.log(`${name.padEnd(12)} ${Number.isInteger(value) ? value : value.toPrecision(4)}`)
  for (const { target, reached } of verdicts) console.log(`${reached ? 'reached' : 'MISSED '}  ${target}`)
}
process.exitCode = verdicts.every(({ reached }) => reached) ? 0 : 1
