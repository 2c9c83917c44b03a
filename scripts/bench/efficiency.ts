import { cores } from './measure.js'
import type { IngestRun } from './run.js'
import type { HeightCounts } from '../../index/store/counts.js'
import type { Sample, StageCosts } from './stages.js'

/** Where an ingest's time went; CPU seconds. */
export interface Efficiency {
  readonly efficiency: number
  /** The same, based only on the time that other processes left. Close to the result of an idle machine. */
  readonly undisturbed: number
  /** The same, with embeddings that were computed for a track but not kept. */
  readonly withAllEmbeddings: number
  /** `efficiency` with decoding counted as the time of ffmpeg alone, with its frames thrown away. */
  readonly withFfmpegOnly: number
  readonly decodeS: number
  readonly ffmpegS: number
  readonly detectS: number
  readonly embedS: number
  /** Number of kept embeddings: at most K per track. */
  readonly embeddings: number
  /** CPU time of the ingest, including ffmpeg; and the part of it that was the work. */
  readonly cpuS: number
  readonly usefulShare: number
  /** Share of the machine's time that other processes took. */
  readonly othersShare: number
  readonly sampledClips: number
  readonly sampledFrames: number
}

interface Measured {
  readonly sample: Sample
  readonly costs: StageCosts
}

/** @param measured costs of short clips and of long clips, by height as in `run.counts` */
export function efficiencyOf(run: IngestRun, measured: readonly Measured[], threads: number): Efficiency {
  if (run.counts.length !== measured.length)
    throw new Error(`clips of ${measured.length} heights were expected, not ${run.counts.length}`)
  const parts = measured.flatMap(({ sample, costs }, i) => {
    const counts = run.counts[i]
    return counts === undefined ? [] : [workOf(counts, sample, costs)]
  })
  const sum = (pick: (part: Work) => number) => parts.reduce((total, part) => total + pick(part), 0)
  const [decodeS, detectS, embedS] = [sum((p) => p.decodeS), sum((p) => p.detectS), sum((p) => p.embedS)]
  const ffmpegS = sum((p) => p.ffmpegS)
  const embedAllS = sum((p) => p.embedAllS)
  const workS = decodeS + detectS + embedS
  // If cores are idle, other processes cost nothing.
  const takenS = Math.max(0, run.othersCpuS - Math.max(0, cores - threads) * run.wallS)
  return {
    efficiency: workS / threads / run.wallS,
    undisturbed: workS / Math.max(run.cpuS, threads * run.wallS - takenS),
    withAllEmbeddings: (decodeS + detectS + embedAllS) / threads / run.wallS,
    withFfmpegOnly: (ffmpegS + detectS + embedS) / threads / run.wallS,
    decodeS,
    ffmpegS,
    detectS,
    embedS,
    embeddings: sum((p) => p.embeddings),
    cpuS: run.cpuS,
    usefulShare: workS / run.cpuS,
    othersShare: run.othersCpuS / (cores * run.wallS),
    sampledClips: measured.reduce((total, { sample }) => total + sample.clips.length, 0),
    sampledFrames: measured.reduce((total, { sample }) => total + sample.images.length, 0),
  }
}

interface Work {
  readonly decodeS: number
  readonly ffmpegS: number
  readonly detectS: number
  readonly embedS: number
  readonly embedAllS: number
  readonly embeddings: number
}

/** Extrapolates from the sample to all clips. The number of frames scales decoding and detection. */
function workOf(counts: HeightCounts, sample: Sample, costs: StageCosts): Work {
  const share = counts.frames / sample.images.length
  return {
    decodeS: costs.decodeS * share,
    ffmpegS: costs.ffmpegS * share,
    detectS: costs.detectS * share,
    embedS: costs.embedS * counts.embeddings,
    embedAllS: costs.embedS * counts.embeddings * sample.embeddedShare,
    embeddings: counts.embeddings,
  }
}
