import type { HeldRate, PairKinds } from '../../index/evaluate/calibration/fit.js'
import { rateCurve, rateOf } from '../../index/evaluate/calibration/rate-curve.js'
import type { ReliabilityBin } from '../../index/evaluate/calibration/reliability.js'
import { falseAcceptRateAt, thresholdOfRate } from '../../index/search/expected-false-matches.js'
import type { Calibration } from '../../pipeline/models/packs/pack.js'
import { counted } from '../cli/output.js'
import type { CalibrationPhotos } from './photos.js'
import type { CalibrationTracks } from './tracks.js'

const scientific = (value: number) => value.toExponential(1)

export function populationText(
  { photos, leftOut }: CalibrationPhotos,
  { tracks, clips, unclear, empty }: CalibrationTracks,
  people: number,
  { photoTrack, photoPhoto }: PairKinds,
): string {
  const pairs = ({ mated, nonMated }: PairKinds['photoTrack']) =>
    `${mated.scores.length} mated and ${nonMated.scores.length} non-mated pairs`
  return (
    `${counted(photos.length, 'photo')} of ${counted(people, 'person', 'people')} (${leftOut} without one face left out), ` +
    `${counted(tracks.length, 'track')} of ${counted(clips, 'clip')} (${empty} without a track, ${unclear} unclear)\n` +
    `photo × track: ${pairs(photoTrack)}; photo × photo: ${pairs(photoPhoto)}`
  )
}

/** One line per rate: its threshold, the rates of both kinds there, and the lost mated pairs. */
export function ratesText(
  calibration: Calibration,
  { photoTrack, photoPhoto }: PairKinds,
  estimated: readonly number[],
): string {
  const [ofTracks, ofPhotos] = [photoTrack, photoPhoto].map(({ nonMated }) => rateCurve(nonMated))
  const [matedTracks, matedPhotos] = [photoTrack, photoPhoto].map(({ mated }) => rateCurve(mated))
  const at = (curve: Float64Array | undefined, threshold: number) =>
    curve === undefined ? 0 : rateOf(curve, threshold)
  const lines = [
    ['rate', 'threshold', 'photo×track', 'photo×photo', 'lost of tracks', 'of photos', ''],
    ...[...(calibration.curve ?? []).map(([, rate]) => rate), ...estimated].map((rate) => {
      const threshold = thresholdOfRate(calibration, rate) ?? 1
      const { isEstimate = false, interval } = falseAcceptRateAt(calibration, threshold) ?? {}
      return [
        ...[scientific(rate), threshold.toFixed(3)],
        ...[scientific(at(ofTracks, threshold)), scientific(at(ofPhotos, threshold))],
        ...[(1 - at(matedTracks, threshold)).toFixed(3), (1 - at(matedPhotos, threshold)).toFixed(3)],
        isEstimate ? `extrapolated: ${(interval ?? []).map(scientific).join(' to ')}` : 'measured',
      ]
    }),
  ]
  return `\nfalse-accept rates (of a mixture: two thirds photo×track, one third photo×photo)\n${table(lines)}`
}

/** Measured rate divided by promised rate, for each half of the people and all together. */
export function heldText(held: readonly HeldRate[]): string {
  const lines = [['promised', 'half', 'threshold', 'photo×track / promise', 'photo×photo / promise']]
  for (const promised of new Set(held.map((each) => each.promised))) {
    const own = held.filter((each) => each.promised === promised)
    const mean = (of: (each: HeldRate) => number) => own.reduce((sum, each) => sum + of(each), 0) / own.length
    const line = (half: string, of: Pick<HeldRate, 'threshold' | 'photoTrack' | 'photoPhoto'>) => [
      ...[scientific(promised), half, of.threshold.toFixed(3)],
      ...[(of.photoTrack / promised).toFixed(2), (of.photoPhoto / promised).toFixed(2)],
    ]
    lines.push(...own.map((each) => line(String(each.half + 1), each)))
    lines.push(
      line('mean', {
        threshold: mean((each) => each.threshold),
        photoTrack: mean((each) => each.photoTrack),
        photoPhoto: mean((each) => each.photoPhoto),
      }),
    )
  }
  return `\nheld-out people: thresholds of one half of the people, rates of the other\n${table(lines)}`
}

/** All held-out halves together: promised and measured probabilities. */
export function reliabilityText(halves: readonly (readonly ReliabilityBin[])[], tracks: number): string {
  const bins = new Map<number, ReliabilityBin[]>()
  for (const bin of halves.flat()) bins.set(bin.from, [...(bins.get(bin.from) ?? []), bin])
  const lines = [['probability', 'given', 'true', 'halves: lowest to highest', 'mated', 'non-mated']]
  for (const [from, own] of [...bins].sort(([a], [b]) => a - b)) {
    const mean = (of: (bin: ReliabilityBin) => number) =>
      own.reduce((sum, bin) => sum + of(bin) * bin.weight, 0) / own.reduce((sum, bin) => sum + bin.weight, 0)
    const truths = own.map((bin) => bin.true).sort((a, b) => a - b)
    const sum = (of: 'mated' | 'nonMated') => String(own.reduce((total, bin) => total + bin[of], 0))
    lines.push([
      ...[
        `${from} to ${own[0]?.to ?? 1}`,
        mean((bin) => bin.given).toFixed(3),
        mean((bin) => bin.true).toFixed(3),
      ],
      ...[
        `${(truths[0] ?? 0).toFixed(2)} to ${(truths.at(-1) ?? 0).toFixed(2)}`,
        sum('mated'),
        sum('nonMated'),
      ],
    ])
  }
  return `\nheld-out people: probabilities where 1 of ${tracks} tracks shows the person\n${table(lines)}`
}

function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, k) => Math.max(...lines.map((line) => line[k]?.length ?? 0)))
  return lines.map((line) => line.map((cell, k) => cell.padStart(widths[k] ?? 0)).join('  ')).join('\n')
}
