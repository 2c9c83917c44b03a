/**
 * Compares Cameo with `@vladmandic/human` (SIMD WebAssembly in Node; only its face detector, landmarks and
 * description) on the same sampled frames of the same clips. Each runs on one thread, alone and two at once,
 * in turns. Exit code 1 if Cameo is less than five times as fast, 2 if the benchmark could not run. Frames
 * per second decide. Frames per second of CPU time, including ffmpeg, are shown too, because wall-clock times
 * mean little on a busy machine.
 *
 *   node dist/scripts/bench/compare-vladmandic/human.js [--images DIR] [--clips 25] [--rounds 2] [--json]
 *
 * From frames: both receive decoded RGB frames. Cameo detects, aligns, tracks, embeds the best faces of each
 * track and describes the tracks. human describes every face of every frame. From files: both also decode,
 * with Cameo's decoder.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultPackName } from '../../../pipeline/models/packs/catalog.js'
import { everyNth, findImages, prepareClips } from '../clips.js'
import { installHuman } from './human-engine.js'
import {
  startContestant,
  type ContestantName,
  type ContestantProcess,
  type HumanRequest,
  type HumanTurn,
} from './human-turns.js'
import { median, requireProc } from '../measure.js'
import { usePack } from '../../cli/caller.js'
import { numberWithin } from '../../cli/options.js'
import { counted, exitCodes, note, print, printJson, reportError } from '../../cli/output.js'

const leastRatio = 5

const humanFolder = resolve('bench-output/human')

const names: readonly ContestantName[] = ['human', 'cameo']

interface Comparison {
  readonly from: HumanRequest['from']
  readonly threads: number
  readonly framesPerS: Record<ContestantName, number>
  /** Ratio of frames/s in one pair of turns; the median over the rounds. */
  readonly ratio: number
  /** The same for frames per second of CPU time. */
  readonly cpuRatio: number
  /** Results of one pass over the clips. */
  readonly turns: Record<ContestantName, HumanTurn>
}

/** After a warm-up, the contestants take turns. */
async function compare(
  processes: Record<ContestantName, readonly ContestantProcess[]>,
  clips: readonly string[],
  from: HumanRequest['from'],
  threads: number,
  rounds: number,
): Promise<Comparison> {
  const turns: Record<ContestantName, HumanTurn[]> = { human: [], cameo: [] }
  for (let round = 0; round < rounds; round++)
    for (const name of names) {
      const parts = await Promise.all(
        processes[name]
          .slice(0, threads)
          .map((process, i) => process.take({ clips: clips.filter((_, at) => at % threads === i), from })),
      )
      turns[name].push(parts.reduce(together))
    }
  const ratioOf = (rate: (turn: HumanTurn) => number) =>
    median(
      turns.cameo.flatMap((cameo, i) =>
        turns.human.slice(i, i + 1).map((human) => rate(cameo) / rate(human)),
      ),
    )
  const framesPerS = (turn: HumanTurn) => turn.frames / turn.wallS
  const [human, cameo] = [turns.human[0], turns.cameo[0]]
  if (human === undefined || cameo === undefined) throw new Error('at least one round is needed')
  if (human.frames !== cameo.frames)
    throw new Error(`not the same frames: human saw ${human.frames}, cameo ${cameo.frames}`)
  return {
    ...{ from, threads },
    framesPerS: { human: median(turns.human.map(framesPerS)), cameo: median(turns.cameo.map(framesPerS)) },
    ratio: ratioOf(framesPerS),
    cpuRatio: ratioOf((turn) => turn.frames / turn.cpuS),
    turns: { human, cameo },
  }
}

/** Two processes in parallel: the slower one counts. */
function together(a: HumanTurn, b: HumanTurn): HumanTurn {
  return {
    frames: a.frames + b.frames,
    faces: a.faces + b.faces,
    embedded: a.embedded + b.embedded,
    wallS: Math.max(a.wallS, b.wallS),
    cpuS: a.cpuS + b.cpuS,
  }
}

async function measure(imagesDir: string, clipCount: number, rounds: number) {
  const { short } = await prepareClips(imagesDir)
  const clips = everyNth(short, Math.min(clipCount, short.length))
  await usePack(defaultPackName)
  await installHuman(humanFolder)
  const started: ContestantProcess[] = []
  const start = async (name: ContestantName) => {
    const process = await startContestant(name, humanFolder)
    started.push(process)
    await process.take({ clips: clips.slice(0, 2), from: 'frames' })
    return process
  }
  try {
    note('loading and warming up …')
    const processes = {
      human: [await start('human'), await start('human')],
      cameo: [await start('cameo'), await start('cameo')],
    }
    const comparisons: Comparison[] = []
    for (const from of ['frames', 'files'] as const)
      for (const threads of [1, 2]) {
        note(`from ${from}, ${counted(threads, 'thread')} …`)
        comparisons.push(await compare(processes, clips, from, threads, rounds))
      }
    return { clips: clips.length, comparisons }
  } finally {
    for (const process of started) process.stop()
  }
}

function report({ clips, comparisons }: Awaited<ReturnType<typeof measure>>): void {
  const [first] = comparisons
  if (first !== undefined)
    for (const name of names) {
      const { frames, faces, embedded } = first.turns[name]
      print(`${name}: ${clips} clips, ${frames} frames, ${faces} faces found, ${embedded} embeddings made`)
    }
  for (const { from, threads, framesPerS, ratio, cpuRatio } of comparisons)
    print(
      `from ${from}, ${threads} at once: human ${framesPerS.human.toFixed(2)} frames/s, cameo ${framesPerS.cameo.toFixed(2)}: ` +
        `${ratio.toFixed(2)} times (by CPU time ${cpuRatio.toFixed(2)})`,
    )
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      images: { type: 'string' },
      clips: { type: 'string', default: '25' },
      rounds: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
    },
  })
  try {
    requireProc()
    const count = numberWithin(1, 1e6, 'integer')
    const figures = await measure(findImages(values.images), count(values.clips), count(values.rounds))
    const missed = figures.comparisons.filter(({ ratio }) => ratio < leastRatio)
    if (values.json) printJson({ ...figures, leastRatio, reached: missed.length === 0 })
    else {
      report(figures)
      print(`${missed.length === 0 ? 'reached' : 'MISSED '} at least ${leastRatio} times human's frames/s`)
    }
    return missed.length === 0 ? exitCodes.ok : exitCodes.someFailed
  } catch (error) {
    reportError(error, values.json)
    return exitCodes.failed
  }
}

process.exitCode = await main()
