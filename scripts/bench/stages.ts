/**
 * The cost of the work itself: each stage of the pipeline measured alone on one thread. Decoding until the
 * frames are in memory, one detection per frame, embeddings.
 */
import { spawn } from 'node:child_process'
import { filterGraph, inputOptions, inputUrl, outputOptions } from '../../pipeline/decode/ffmpeg-arguments.js'
import { findFfmpeg } from '../../pipeline/decode/ffmpeg.js'
import { openFrames } from '../../pipeline/decode/frames.js'
import type { DetectionRule } from '../../pipeline/decode/image-sizes.js'
import { detectFaces } from '../../pipeline/detect/detect-faces.js'
import { neededScale } from '../../pipeline/detect/passes.js'
import type { RgbImage } from '../../pipeline/data/image.js'
import { processClip } from '../../pipeline/segments/process-clip.js'
import { segmentSpans } from '../../pipeline/segments/segment-spans.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { cpuOf, median, ownCpuS } from './measure.js'

/** Some clips with their frames in memory. */
export interface Sample {
  readonly clips: readonly string[]
  readonly images: readonly DetectionImage[]
  /** Aligned faces, the input of the embedder. */
  readonly crops: readonly RgbImage[]
  /**
   * Number of computed embeddings per kept embedding. Each part of a track embeds its own faces; the track
   * keeps K of them.
   */
  readonly embeddedShare: number
}

interface DetectionImage {
  readonly image: RgbImage
  /** In pixels of this image. */
  readonly minFacePx: number
}

/** CPU seconds. */
export interface StageCosts {
  /** Decoding all clips of the sample: ffmpeg, and copying its frames. */
  readonly decodeS: number
  /** The part of it that ffmpeg alone takes when its frames are thrown away. */
  readonly ffmpegS: number
  /** Detection in all its frames. */
  readonly detectS: number
  /** One embedding. */
  readonly embedS: number
}

/** Number of kept crops of a sample. More would repeat one measurement. */
const keptCrops = 100

/** Processes the clips once, and keeps the inputs of the stages. */
export async function takeSample(clips: readonly string[], stages: Stages): Promise<Sample> {
  const images: DetectionImage[] = []
  const crops: RgbImage[] = []
  let run = 0
  let kept = 0
  const counting: Stages = {
    ...stages,
    embedder: {
      ...stages.embedder,
      embed(crop) {
        run++
        if (crops.length < keptCrops) crops.push(crop)
        return stages.embedder.embed(crop)
      },
    },
  }
  for (const path of clips) {
    images.push(...(await decodeDetectionImages(path, stages)))
    for await (const { tracks } of processClip(wholeClip(path), counting))
      kept += tracks.reduce((sum, { faces }) => sum + faces.length, 0)
  }
  if (crops.length === 0)
    throw new Error(`no face was found in ${clips.length} clips: nothing can be measured`)
  return { clips, images, crops, embeddedShare: run / kept }
}

/** A clip as one segment. */
export function wholeClip(path: string) {
  return {
    path,
    startS: 0,
    endS: Infinity,
    seek: 'fast' as const,
    plan: () => Promise.resolve(segmentSpans(1, 1)),
  }
}

export function detectionRule({ detector, settings }: Stages): DetectionRule {
  return {
    canvasWidthPx: detector.canvasWidthPx,
    canvasHeightPx: detector.canvasHeightPx,
    neededScale: neededScale(detector, settings.minFacePx),
  }
}

async function decodeDetectionImages(path: string, stages: Stages): Promise<DetectionImage[]> {
  const { minFacePx } = stages.settings
  const decoding = openClip(path, stages)
  const { sourceWidthPx } = await decoding.info
  const images: DetectionImage[] = []
  for await (const { detection } of decoding.frames)
    images.push({
      image: { ...detection, data: detection.data.slice() },
      minFacePx: (minFacePx * detection.width) / sourceWidthPx,
    })
  return images
}

function openClip(path: string, stages: Stages) {
  const { sampling } = stages.settings
  return openFrames({
    ...{ path, sampling, startS: 0, endS: Infinity, seek: 'fast' },
    detection: detectionRule(stages),
  })
}

/** One round; see `medianCosts`. */
export async function measureStages(sample: Sample, stages: Stages): Promise<StageCosts> {
  const beforeDetection = ownCpuS()
  for (const { image, minFacePx } of sample.images) await detectFaces(stages.detector, image, minFacePx)
  const detectS = ownCpuS() - beforeDetection
  const beforeEmbedding = ownCpuS()
  for (const crop of sample.crops) await stages.embedder.embed(crop)
  const embedS = (ownCpuS() - beforeEmbedding) / sample.crops.length
  const decodeS = await decodeAlone(sample.clips, stages)
  return { decodeS, ffmpegS: await ffmpegAlone(sample.clips, stages), detectS, embedS }
}

/** CPU seconds of the decode stage, of this process and its ffmpeg, until every frame was read. */
async function decodeAlone(clips: readonly string[], stages: Stages): Promise<number> {
  const before = ownCpuS()
  const ffmpegS = await childrenCpuS(async () => {
    for (const path of clips) {
      const decoding = openClip(path, stages)
      const { frames } = decoding
      for await (const { timeS } of frames)
        if (!(timeS >= 0)) throw new Error(`${path} has a frame at ${timeS} s`)
      await decoding.close()
    }
  })
  return ownCpuS() - before + ffmpegS
}

/** CPU seconds of ffmpeg with the arguments of the pipeline, its frames thrown away. */
async function ffmpegAlone(clips: readonly string[], stages: Stages): Promise<number> {
  const plan = {
    sampling: stages.settings.sampling,
    range: { startS: 0, endS: Infinity },
    seekToS: undefined,
    skipNonKey: false,
    sizes: { kind: 'fromSource' as const, rule: detectionRule(stages) },
  }
  const ffmpeg = await findFfmpeg()
  return childrenCpuS(async () => {
    for (const path of clips)
      await exitOf(ffmpeg, [
        ...[...inputOptions(plan), '-i', inputUrl(path), '-filter_complex', filterGraph(plan)],
        ...[...outputOptions, 'pipe:1'],
      ])
  })
}

/** CPU seconds of starting ffmpeg without a clip: part of the decoding cost of a short clip. */
export async function ffmpegStartS(times = 20): Promise<number> {
  const ffmpeg = await findFfmpeg()
  const total = await childrenCpuS(async () => {
    for (let i = 0; i < times; i++) await exitOf(ffmpeg, ['-version'])
  })
  return total / times
}

async function childrenCpuS(work: () => Promise<void>): Promise<number> {
  const before = cpuOf('self')?.endedChildrenS ?? 0
  await work()
  return (cpuOf('self')?.endedChildrenS ?? 0) - before
}

function exitOf(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(command, args, { stdio: 'ignore' })
      .on('error', reject)
      .on('exit', (code) => {
        if (code === 0) resolve()
        else reject(new Error(`${command} ended with ${code}`))
      })
  })
}

/**
 * Rounds are measured before and after the run that they are compared with, because a machine's speed drifts.
 */
export function medianCosts(rounds: readonly StageCosts[]): StageCosts {
  const of = (pick: (costs: StageCosts) => number) => median(rounds.map(pick))
  return {
    decodeS: of((c) => c.decodeS),
    ffmpegS: of((c) => c.ffmpegS),
    detectS: of((c) => c.detectS),
    embedS: of((c) => c.embedS),
  }
}
