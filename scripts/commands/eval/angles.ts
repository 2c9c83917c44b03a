import { Command } from 'commander'
import { angleStatistics, type AngleStatistics } from '../../../index/evaluate/metrics/angles.js'
import { indexClipNames, resolveGroundTruth } from '../../../index/evaluate/datasets/clip-names.js'
import { columnsForHead, type FeatureSet } from '../../../index/evaluate/data/feature-set.js'
import { readGroundTruth } from '../../../index/evaluate/datasets/ground-truth.js'
import { personTracks, tracksOfClips } from '../../../index/evaluate/datasets/person-tracks.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { poolTracks } from '../../../pipeline/training/face-columns.js'
import { readHeadBytes } from '../../../pipeline/describe/head/head-file.js'
import { headFeatures, readClassWeights } from '../../../pipeline/training/head-space.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { inputDimension } from '../../../pipeline/describe/pooled-input.js'
import { defaultThreads, deviceOption, jsonOption } from '../../cli/options.js'
import { withSourceOptions, type SourceOptions } from '../../cli/source-options.js'
import { counted, exitCodes, note, print, printJson } from '../../cli/output.js'
import { readHeadMetadata, type HeadMetadata } from '../../../pipeline/describe/head/head-metadata.js'
import { readGivenSource } from '../../reports/given-source.js'

interface AnglesOptions extends SourceOptions {
  readonly head: string
  readonly groundTruth: string
  readonly device: DeviceChoice
  readonly json: boolean
}

export const anglesCommand = withSourceOptions(new Command('angles'))
  .description('Measure how tight the classes of a trained head are, and how far apart, in degrees.')
  .requiredOption('--head <file>', 'head that "cameo head train" wrote')
  .requiredOption('--ground-truth <file>', 'the clips of each person')
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
W-EC: between a class's weight and the centre of its features. W-Inter: smallest from a class's weight to another's.
Intra: from a clip's feature to the centre of its class. Inter: smallest from a class's centre to another's. All are means
(ArcFace, CVPR 2019, table 3). Features are the outputs of the head's network for a person's track in each clip.
With --json: {wEc, wInter, intra, inter, classes, classesWithSamples, samples}; null if there is nothing to measure.
Exit code: 0 measured, 2 it could not run.`,
  )
  .action(async (options: AnglesOptions) => {
    await runAngles(options)
    process.exitCode = exitCodes.ok
  })

async function runAngles(options: AnglesOptions): Promise<void> {
  const { head: file, device } = options
  const onnx = await readHeadBytes(file)
  const metadata = await readHeadMetadata(file, onnx)
  if (metadata === undefined)
    throw new CameoError('HEAD_INVALID', `${file} is not a head: give a file that "cameo head train" wrote`)
  const weights = readClassWeights(file, onnx, metadata)
  const source = await readGivenSource(options, { furtherEmbedders: true })
  const features = columnsForHead(source.features, metadata.embedders, file)
  const samples = samplesOf(features, source.paths, metadata, options.groundTruth)
  const mapped = await headFeatures(
    file,
    onnx,
    { dimension: inputDimension(features.columns), vectors: samples.pooled },
    { device, intraOpThreads: defaultThreads },
  )
  const statistics = angleStatistics({
    dimension: weights.dimension,
    features: mapped.vectors,
    labels: samples.labels,
    classWeights: weights.vectors,
  })
  if (options.json) printJson(withNulls(statistics))
  else tell(statistics)
}

/** The pooled tracks of the head's classes, [samples, d], and the class of each. */
function samplesOf(
  features: FeatureSet,
  paths: readonly (readonly string[])[],
  { classes }: HeadMetadata,
  groundTruthFile: string,
) {
  const names = indexClipNames(paths)
  const { groundTruth, warnings } = readGroundTruth(groundTruthFile, names)
  const { clips, unknown } = resolveGroundTruth(groundTruth, names)
  const firstTrack = tracksOfClips(features)
  const pooled = poolTracks(features, 'quality')
  const tracks: number[] = []
  const labels: number[] = []
  for (const [label, identity] of classes.entries())
    for (const track of personTracks(
      features,
      firstTrack,
      pooled,
      clips.get(identity.normalize('NFC')) ?? [],
    )) {
      tracks.push(track)
      labels.push(label)
    }
  for (const warning of warnings) note(`cameo: ${warning}`)
  if (unknown.length > 0)
    note(`cameo: ${counted(unknown.length, 'clip')} of the ground truth not found, left out`)
  const known = new Set(classes.map((identity) => identity.normalize('NFC')))
  const others = [...groundTruth.keys()].filter((identity) => !known.has(identity)).length
  if (others > 0)
    note(
      `cameo: ${counted(others, 'identity', 'identities')} of the ground truth not among the head's classes, left out`,
    )
  if (tracks.length === 0)
    throw new CameoError(
      'EVALUATION_INVALID',
      `no clip of ${groundTruthFile} with a face belongs to one of the head's classes: is this the ground truth that the head was trained on?`,
    )
  const dimension = inputDimension(features.columns)
  const rows = new Float32Array(tracks.length * dimension)
  for (const [row, track] of tracks.entries())
    rows.set(pooled.subarray(track * dimension, (track + 1) * dimension), row * dimension)
  return { pooled: rows, labels: Int32Array.from(labels) }
}

const finite = (degrees: number | undefined) =>
  degrees === undefined || !Number.isFinite(degrees) ? null : degrees

const withNulls = ({ wEc, wInter, intra, inter, ...counts }: AngleStatistics) => ({
  wEc: finite(wEc),
  wInter: finite(wInter),
  intra: finite(intra),
  inter: finite(inter),
  ...counts,
})

function tell(statistics: AngleStatistics): void {
  const { wEc, wInter, intra, inter, classes, classesWithSamples, samples } = statistics
  const degrees = (value: number | undefined) =>
    value === undefined ? '     –' : `${value.toFixed(2)}°`.padStart(7)
  print(`W-EC    ${degrees(wEc)}  class weight to centre of the class's features`)
  print(`W-Inter ${degrees(wInter)}  class weight to the nearest other`)
  print(`Intra   ${degrees(intra)}  feature to centre of its class`)
  print(`Inter   ${degrees(inter)}  centre to the nearest other`)
  print(`${counted(samples, 'clip')} of ${classesWithSamples} of ${counted(classes, 'class', 'classes')}`)
}
