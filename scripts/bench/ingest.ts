/**
 * Measures `cameo ingest` as users run it, on short clips made from photos and a long 1080p clip, and
 * compares it with the cost of the work itself. Exit code 1 if a target is missed, 2 if it could not run.
 *
 *   node dist/scripts/bench/ingest.js [--images DIR] [--threads 2] [--clips N] [--json]
 *
 * Efficiency = CPU time of the work ÷ threads ÷ wall time of the ingest. The work is the decode stage
 * (ffmpeg, and copying its frames into memory), one detection (all its passes) per sampled frame, and the
 * embeddings. Each is measured alone on one thread, before and after the ingest, on some of the clips, and
 * multiplied by its amount in the ingest. Landmarks, tracking, storing and all waiting are overhead. The
 * report also shows the same with only ffmpeg's own time counted as decoding.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import { everyNth, findImages, linkInto, prepareClips, type LongClips } from './clips.js'
import { mebibyte, requireProc } from './measure.js'
import { efficiencyOf, type Efficiency } from './efficiency.js'
import { ingestInFreshProcess, type IngestRun } from './run.js'
import { ffmpegStartS, measureStages, medianCosts, takeSample, type StageCosts } from './stages.js'
import { usePack } from '../cli/caller.js'
import { numberWithin } from '../cli/options.js'
import { exitCodes, note, print, printJson, reportError } from '../cli/output.js'

const targets = {
  efficiency: 0.8,
  workerMb: 500,
  /** Memory of a clip three times as long, divided by that of the clip. */
  memoryGrowth: 1.15,
}

/** Number of short clips for measuring the stages alone. */
const sampledClips = 40

/** Rounds before the ingest, and as many after it. */
const roundsBefore = 2

interface Speed {
  readonly clipsPerS: number
  readonly framesPerS: number
  readonly facesPerS: number
  readonly embeddingsPerS: number
}

interface LongFigures {
  readonly framesPerS: number
  readonly treeMb: number
  readonly processMb: number
  readonly workerMb: number
}

interface Figures {
  readonly threads: number
  readonly clips: number
  readonly wallS: number
  readonly speed: Speed
  readonly treeMb: number
  readonly processMb: number
  readonly efficiency: Efficiency
  readonly ffmpegStartMs: number
  readonly at1080: LongFigures
  readonly at1080Tripled: LongFigures
  readonly at360: LongFigures
}

async function measure(imagesDir: string, threads: number, clipCount: number | undefined): Promise<Figures> {
  const clips = await prepareClips(imagesDir)
  const short = clipCount === undefined ? clips.short : everyNth(clips.short, clipCount)
  const pack = await usePack(defaultPackName)
  const stages = await loadStages({
    pack,
    modelsDir: defaultModelsDir(),
    settings: defaultSettings,
    device: { kind: 'cpu' },
  })
  const archiveDir = resolve('bench-output', 'archive')
  const ingest = (paths: readonly string[], segmentS?: number) =>
    ingestInFreshProcess(paths, { archiveDir, threads, ...(segmentS === undefined ? {} : { segmentS }) })
  try {
    note('processing a sample of the clips …')
    const samples = [
      await takeSample(everyNth(short, Math.min(sampledClips, short.length)), stages),
      await takeSample([clips.long.beginning], stages),
    ]
    const rounds: StageCosts[][] = samples.map(() => [])
    const measureAlone = async () => {
      note('measuring the stages alone …')
      for (let round = 0; round < roundsBefore; round++)
        for (const [i, sample] of samples.entries()) rounds[i]?.push(await measureStages(sample, stages))
    }
    await measureAlone()
    const startS = await ffmpegStartS()
    note(`ingesting ${short.length + 1} clips …`)
    // The long clip goes first, because its thread needs the longest time.
    const run = await ingest([clips.long.at1080, linkInto(resolve('bench-output', 'chosen'), short)])
    await measureAlone()
    note('ingesting the long clip by itself: 1080p, three times its length, 360p …')
    const { lengthS } = clips.long
    const alone = async (clip: keyof Omit<LongClips, 'lengthS'>, clipS: number) =>
      // Parts that all threads share, so that every thread works.
      figuresOf(await ingest([clips.long[clip]], clipS / threads), threads)
    return {
      threads,
      clips: run.clips,
      wallS: run.wallS,
      speed: speedOf(run),
      treeMb: run.peakTreeBytes / mebibyte,
      processMb: run.peakProcessBytes / mebibyte,
      efficiency: efficiencyOf(
        run,
        samples.map((sample, i) => ({ sample, costs: medianCosts(rounds[i] ?? []) })),
        threads,
      ),
      ffmpegStartMs: startS * 1000,
      at1080: await alone('at1080', lengthS),
      at1080Tripled: await alone('tripled', lengthS * 3),
      at360: await alone('at360', lengthS),
    }
  } finally {
    await stages.dispose()
  }
}

function speedOf({ clips, wallS, counts }: IngestRun): Speed {
  const perS = (pick: (of: IngestRun['counts'][number]) => number) =>
    counts.reduce((sum, of) => sum + pick(of), 0) / wallS
  return {
    clipsPerS: clips / wallS,
    framesPerS: perS((of) => of.frames),
    facesPerS: perS((of) => of.faces),
    embeddingsPerS: perS((of) => of.embeddings),
  }
}

function figuresOf(run: IngestRun, threads: number): LongFigures {
  return {
    framesPerS: speedOf(run).framesPerS,
    treeMb: run.peakTreeBytes / mebibyte,
    processMb: run.peakProcessBytes / mebibyte,
    workerMb: run.peakTreeBytes / mebibyte / threads,
  }
}

function verdictsOf({ efficiency, at1080, at1080Tripled }: Figures) {
  const growth = at1080Tripled.treeMb / at1080.treeMb
  return [
    {
      target: `efficiency at least ${targets.efficiency}`,
      measured: efficiency.efficiency.toFixed(2),
      reached: efficiency.efficiency >= targets.efficiency,
    },
    {
      target: `memory per thread at 1080p below ${targets.workerMb} MB`,
      measured: `${Math.max(at1080.workerMb, at1080Tripled.workerMb).toFixed(0)} MB`,
      reached: Math.max(at1080.workerMb, at1080Tripled.workerMb) < targets.workerMb,
    },
    {
      target: `memory of a clip three times as long at most ${targets.memoryGrowth} times that of the clip`,
      measured: growth.toFixed(2),
      reached: growth <= targets.memoryGrowth,
    },
  ]
}

function report(figures: Figures, verdicts: ReturnType<typeof verdictsOf>): void {
  const { speed, efficiency: e } = figures
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`
  print(
    `${figures.clips} clips with ${figures.threads} threads in ${figures.wallS.toFixed(1)} s, first clip to last`,
  )
  print(
    `  ${speed.clipsPerS.toFixed(2)} clips/s, ${speed.framesPerS.toFixed(1)} frames/s, ${speed.facesPerS.toFixed(1)} faces/s found, ${speed.embeddingsPerS.toFixed(1)} faces/s embedded`,
  )
  print(
    `  peak memory ${figures.treeMb.toFixed(0)} MB with ffmpeg, ${figures.processMb.toFixed(0)} MB without`,
  )
  print(
    `efficiency ${e.efficiency.toFixed(3)} (${e.withFfmpegOnly.toFixed(3)} if only ffmpeg's own time counts as decoding; ${e.withAllEmbeddings.toFixed(3)} with embeddings that were computed but not kept)`,
  )
  print(
    `  the work: decoding ${e.decodeS.toFixed(1)} s (ffmpeg alone ${e.ffmpegS.toFixed(1)} s), detection ${e.detectS.toFixed(1)} s, ${e.embeddings.toFixed(0)} embeddings ${e.embedS.toFixed(1)} s of CPU`,
  )
  print(
    `  (measured on ${e.sampledClips} of the clips, ${e.sampledFrames} frames; starting ffmpeg is ${figures.ffmpegStartMs.toFixed(0)} ms of a clip's decoding)`,
  )
  print(
    `  the ingest took ${e.cpuS.toFixed(1)} s of CPU, ${percent(e.usefulShare)} of it the work; other processes took ${percent(e.othersShare)} of the machine`,
  )
  if (e.othersShare > 0.02)
    print(
      `  the machine was busy: without the others' share the efficiency would be about ${e.undisturbed.toFixed(3)}`,
    )
  for (const [name, long] of [
    ['1080p', figures.at1080],
    ['1080p, three times as long', figures.at1080Tripled],
    ['360p', figures.at360],
  ] as const)
    print(
      `${name}: ${long.framesPerS.toFixed(1)} frames/s, ${long.treeMb.toFixed(0)} MB with ffmpeg (${long.processMb.toFixed(0)} without), ${long.workerMb.toFixed(0)} MB per thread`,
    )
  for (const { target, measured, reached } of verdicts)
    print(`${reached ? 'reached' : 'MISSED '} ${target}: ${measured}`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      images: { type: 'string' },
      threads: { type: 'string', default: '2' },
      clips: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  try {
    requireProc()
    const clipCount = values.clips === undefined ? undefined : numberWithin(1, 1e6, 'integer')(values.clips)
    const threads = numberWithin(1, 256, 'integer')(values.threads)
    const figures = await measure(findImages(values.images), threads, clipCount)
    const verdicts = verdictsOf(figures)
    if (values.json) printJson({ figures, verdicts })
    else report(figures, verdicts)
    return verdicts.every(({ reached }) => reached) ? exitCodes.ok : exitCodes.someFailed
  } catch (error) {
    reportError(error, values.json)
    return exitCodes.failed
  }
}

process.exitCode = await main()
