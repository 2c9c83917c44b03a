/**
 * Measures the training of a head at the size of iQIYI-VID on synthetic embeddings. Compares it with the bare
 * matrix products of its steps, which run in turns with it on as many threads. Exit code 1 if a target is
 * missed.
 *
 *   node dist/scripts/bench/train.js [--full] [--steps N] [--faces N] [--threads N] [--json]
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { FaceColumns } from '../../pipeline/training/face-columns.js'
import { parseLoss } from '../../pipeline/training/losses/parse-loss.js'
import { createNetwork } from '../../pipeline/training/network.js'
import { seededRandom } from '../../pipeline/common/seeded-random.js'
import { createTrainer } from '../../pipeline/training/trainer.js'
import { createBareProducts } from './bare-products.js'
import { cores, machineCpuS, median, mebibyte, ownCpuS, requireProc } from './measure.js'
import { synthesiseFaces } from './train-data.js'
import { networkSchema } from '../../pipeline/describe/head/head-metadata.js'

/**
 * iQIYI-VID's training and validation clips, its identities, and the values of an embedding of the usual
 * embedders.
 */
const size = { clips: 219_677, identities: 4_934, dimension: 512 }
const batch = 1024
const width = 1024

const targets = { share: 0.6, peakMb: 4096 }

/** Steps before the clock counts: the runtime takes memory and prepares its plans. */
const warmUpSteps = 4

/**
 * The bare products run once every this many training steps, so that noise of the machine affects both
 * equally.
 */
const turnSteps = 5

interface Figures {
  /** Number of measured steps, and of all steps in an epoch. */
  readonly steps: number
  readonly epochSteps: number
  readonly isWholeEpoch: boolean
  readonly stepMs: number
  readonly epochS: number
  readonly gflops: number
  readonly bareStepMs: number
  readonly bareGflops: number
  /** Time of the bare products divided by the time of a step. */
  readonly share: number
  readonly firstLoss: number
  readonly peakMb: number
  readonly threads: number
  /** CPU time that other processes took, as a share of the machine. */
  readonly othersShare: number
  readonly load: number
}

interface Options {
  readonly steps: number
  readonly isWholeEpoch: boolean
  readonly faces: number
  readonly threads: number
}

async function measure({ steps, isWholeEpoch, faces, threads }: Options): Promise<Figures> {
  const { clips, identities: classCount, dimension } = size
  const { columns, labels } = synthesiseFaces(size, faces)
  const epochSteps = Math.ceil(clips / batch)
  const rows = isWholeEpoch ? clips : Math.min(clips, (warmUpSteps + steps) * batch)
  const session = { device: { kind: 'cpu' }, intraOpThreads: threads } as const
  const trainer = await createTrainer({
    rows: rowsOf(columns, labels, rows, classCount),
    network: createNetwork(networkSchema.parse({ kind: 'residual', width }), dimension, seededRandom(1)),
    loss: parseLoss('arcface', 32),
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
    sampling: { facesPerSample: [1], noise: 0, mirror: false, rowsPerClass: 1, balanced: false },
    ...{ batch, epochs: 1, seed: 1, session },
    learningRate: 0.02,
    schedule: () => 1,
  })
  const bare = await createBareProducts({ batch, dimension, width, classes: classCount + 1 }, session)
  await bare.run()
  const bareMs: number[] = []
  const stepMs: number[] = []
  let stepEndMs = performance.now()
  const cpu = { machine: machineCpuS(), own: ownCpuS(), atMs: performance.now() }
  const result = await trainer.epoch(async (done, all) => {
    const isFull = done < all || rows % batch === 0
    if (done > warmUpSteps && isFull) stepMs.push(performance.now() - stepEndMs)
    if (done % turnSteps === 0) bareMs.push(await bare.run())
    stepEndMs = performance.now()
  })
  const wallS = (performance.now() - cpu.atMs) / 1000
  const others = machineCpuS() - cpu.machine - (ownCpuS() - cpu.own)
  await trainer.dispose()
  await bare.dispose()
  const [middle, middleBare] = [median(stepMs), median(bareMs)]
  // The last batch of an epoch is not full. It counts as a fraction of a step.
  const epochS = isWholeEpoch
    ? result.seconds - bareMs.reduce((a, b) => a + b, 0) / 1000
    : ((middle / 1000) * clips) / batch
  return {
    ...{ steps: stepMs.length, epochSteps, isWholeEpoch, epochS, threads },
    stepMs: middle,
    gflops: bare.flops / middle / 1e6,
    bareStepMs: middleBare,
    bareGflops: bare.flops / middleBare / 1e6,
    share: middleBare / middle,
    firstLoss: result.loss,
    peakMb: (process.resourceUsage().maxRSS * 1024) / mebibyte,
    othersShare: Math.max(0, others) / wallS / cores,
    load: loadavg()[0] ?? 0,
  }
}

function rowsOf(faces: FaceColumns, labels: Int32Array, rows: number, classCount: number) {
  return {
    faces,
    tracks: Int32Array.from({ length: rows }, (_, track) => track),
    labels: labels.subarray(0, rows),
    classCount,
  }
}

function report(figures: Figures): void {
  const { clips, identities, dimension } = size
  const write = (text: string) => process.stdout.write(`${text}\n`)
  write(
    `training at iQIYI-VID's size: ${clips} clips × ${dimension}, ${identities + 1} classes with noise, batch ${batch}, ` +
      `residual network of ${width}, arcface, SGD; ${figures.threads} threads`,
  )
  const basis = figures.isWholeEpoch
    ? `a whole epoch of ${figures.epochSteps} steps`
    : `extrapolated from ${figures.steps} steps of ${figures.epochSteps}`
  write(`  an epoch            ${figures.epochS.toFixed(1)} s (${basis})`)
  write(`  a step              ${figures.stepMs.toFixed(0)} ms, ${figures.gflops.toFixed(1)} GFLOP/s`)
  write(`  its bare products   ${figures.bareStepMs.toFixed(0)} ms, ${figures.bareGflops.toFixed(1)} GFLOP/s`)
  write(`  share               ${figures.share.toFixed(2)} (target ${targets.share})`)
  write(`  peak memory         ${figures.peakMb.toFixed(0)} MB (target ${targets.peakMb})`)
  write(`  mean loss           ${figures.firstLoss.toFixed(3)}`)
  write(
    `  machine             ${cores} cores, others took ${(figures.othersShare * 100).toFixed(0)} % of them, load ${figures.load.toFixed(1)}`,
  )
}

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    steps: { type: 'string', default: '40' },
    faces: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(cores) },
    json: { type: 'boolean', default: false },
  },
})
requireProc()
const figures = await measure({
  steps: Number(values.steps),
  isWholeEpoch: values.full,
  faces: Number(values.faces),
  threads: Number(values.threads),
})
if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`)
else report(figures)
if (
  !(figures.share >= targets.share) ||
  !(figures.peakMb < targets.peakMb) ||
  !Number.isFinite(figures.firstLoss)
)
  process.exitCode = 1
