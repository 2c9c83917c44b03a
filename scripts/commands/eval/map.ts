import { writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { Command, Option } from 'commander'
import { bootstrapMean } from '../../../index/evaluate/bootstrap.js'
import {
  galleryQueries,
  searchExactly,
  searchThroughIndex,
} from '../../../index/evaluate/descriptor-search.js'
import { createEvaluationSet, type EvaluationSet } from '../../../index/evaluate/evaluation-set.js'
import { readEnsemble } from '../../../index/evaluate/ensemble.js'
import { columnsForHead, type FeatureSet } from '../../../index/evaluate/feature-set.js'
import { formatSubmission, readGroundTruth } from '../../../index/evaluate/ground-truth.js'
import { meanAveragePrecision } from '../../../index/evaluate/map.js'
import { mapOf, measureRankings, namedRankings } from '../../../index/evaluate/measure-rankings.js'
import type { RankedClips } from '../../../index/evaluate/rank.js'
import { rankClips, scoreByHeads, type ScoringHead } from '../../../index/evaluate/scorer.js'
import { CameoError, messageOf } from '../../../pipeline/errors.js'
import { poolTracks } from '../../../pipeline/head/face-columns.js'
import { readHeadBytes } from '../../../pipeline/head/head-file.js'
import { loadHead, readHeadMetadata } from '../../../pipeline/head/head.js'
import { inputDimension } from '../../../pipeline/head/pooled-input.js'
import { headSettingsSchema } from '../../../pipeline/head/train-head.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { readSource, withSourceOptions, type SourceOptions } from '../../evaluation-source.js'
import { writeMapReport } from '../../ladder-report.js'
import { defaultThreads, deviceOption, jsonOption, numberWithin } from '../../options.js'
import { exitCodes, note, print, printJson } from '../../output.js'

interface MapOptions extends SourceOptions {
  readonly groundTruth: string
  readonly gallery?: string
  readonly head?: readonly string[]
  readonly ensemble?: string
  readonly submission?: string
  readonly report?: string
  readonly exact: boolean
  readonly threads: number
  readonly device: DeviceChoice
  readonly json: boolean
}

export const mapCommand = withSourceOptions(new Command('map'))
  .description('MAP@100 as in iQIYI-VID: for each identity the best 100 clips, against ground truth.')
  .requiredOption('--ground-truth <file>', 'what is scored (val_gt.txt)')
  .option('--gallery <file>', 'clips that say what each identity looks like (train_gt.txt)')
  .option('--head <files...>', 'score by the classes of these heads, in place of similarity to the gallery')
  .addOption(
    new Option(
      '--ensemble <file>',
      'score by the heads of this JSON (see "cameo head train --help")',
    ).conflicts('head'),
  )
  .option('--submission <file>', 'also write the answer as the challenge wants it')
  .option('--report <dir>', 'also write report.html, report.json and per-identity.csv there')
  .option('--exact', 'compare with every descriptor in place of the vector index', false)
  .addOption(
    new Option('--threads <n>', 'of heads')
      .default(defaultThreads)
      .argParser(numberWithin(1, 256, 'integer')),
  )
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Ground truth: "CLIP ID" a line, or "ID CLIP CLIP ..." a line. Retrieved from: clips of the ground truth and, where its names are
a numbered series (CLIP_VAL_0000001.mp4), those of the same series that it does not name; else all clips but the gallery's.
With --json: {map, ci95, identities, found, positives, exactMap}.
Exit code: 0 measured, 2 it could not run.`,
  )
  .action(async (options: MapOptions) => {
    await runMap(options)
    process.exitCode = exitCodes.ok
  })

async function runMap(options: MapOptions): Promise<void> {
  const startedAt = new Date()
  const startedMs = performance.now()
  const hasHeads = options.head !== undefined || options.ensemble !== undefined
  if (options.gallery === undefined && !hasHeads)
    throw new CameoError('USAGE', 'say how identities are known: --gallery train_gt.txt, or --head head.onnx')
  const source = await readSource(options, { furtherEmbedders: hasHeads })
  const heads = await openHeads(options, source.features)
  const classes = heads[0]?.classes ?? []
  const truth = readGroundTruth(options.groundTruth)
  const gallery = options.gallery === undefined ? undefined : readGroundTruth(options.gallery)
  const set = createEvaluationSet({
    ...source,
    gallery:
      heads.length > 0
        ? new Map(classes.map((identity) => [identity, new Set<string>()]))
        : (gallery?.groundTruth ?? new Map<string, ReadonlySet<string>>()),
    ...(heads.length > 0 && gallery !== undefined ? { val: gallery.groundTruth } : {}),
    test: truth.groundTruth,
  })
  for (const warning of [...truth.warnings, ...set.warnings]) note(warning)
  const { test } = set
  if (test === undefined) throw new Error('the ground truth is the test half')
  let exactMap: number | undefined
  let ranked: readonly RankedClips[]
  if (heads.length > 0) {
    const scorer = scoreByHeads(heads, classes.length)
    ranked = await rankClips(scorer, set.features.clipNames, set.testPool)
    for (const { head } of heads) await head.dispose()
  } else {
    const rows = { ...set.features, dimension: set.dimension, vectors: set.pooled }
    const queries = galleryQueries(rows, set.galleryTracks)
    const session = { device: options.device, intraOpThreads: options.threads }
    const exact = await searchExactly(rows, queries, set.testPool, session)
    ranked = options.exact ? exact : searchThroughIndex(rows, queries, set.testPool)
    exactMap = mapOf(set, test, exact)
  }
  const scores = measureRankings(set, test, ranked)
  const map = meanAveragePrecision(scores)
  const ci95 = bootstrapMean(scores.map((score) => score.averagePrecision))
  if (options.submission !== undefined) writeSubmission(options.submission, set, ranked)
  if (options.report !== undefined) {
    const how = hasHeads
      ? `classes of ${options.ensemble ?? (options.head ?? []).join(', ')}`
      : 'similarity to the gallery'
    const durationS = (performance.now() - startedMs) / 1000
    await writeMapReport(
      options.report,
      { ...set, test },
      { how, map, ci95, scores, ranked, startedAt, durationS, thumbnails: source.thumbnails },
    )
    note(`wrote ${options.report}`)
  }
  const found = scores.reduce((sum, score) => sum + score.found, 0)
  const positives = scores.reduce((sum, score) => sum + score.positives, 0)
  if (options.json)
    printJson({ map, ci95, identities: scores.length, found, positives, exactMap: exactMap ?? null })
  else
    print(
      `MAP@100 ${(100 * map).toFixed(2)} [${(100 * ci95[0]).toFixed(2)}, ${(100 * ci95[1]).toFixed(2)}] over ${scores.length} identities; ` +
        `${found} of ${positives} clips found${exactMap === undefined ? '' : `; exact search ${(100 * exactMap).toFixed(2)}`}`,
    )
}

interface OpenedHead extends ScoringHead {
  readonly classes: readonly string[]
}

/** Throws HEAD_INVALID, HEAD_OTHER_EMBEDDER. */
async function openHeads(
  { head, ensemble, device, threads }: MapOptions,
  features: FeatureSet,
): Promise<OpenedHead[]> {
  const members =
    ensemble === undefined
      ? (head ?? []).map((file) => ({ file, weight: 1 }))
      : readEnsemble(ensemble, headSettingsSchema.parse({}))
  const opened: OpenedHead[] = []
  for (const { file, weight } of members) {
    const onnx = await readHeadBytes(file)
    const metadata = readHeadMetadata(file, onnx)
    if (metadata === undefined)
      throw new CameoError(
        'HEAD_INVALID',
        `${file} names no classes: give a head that "cameo head train" wrote`,
      )
    const { classes, embedders } = metadata
    const faces = columnsForHead(features, embedders, file)
    if (opened.some((other) => JSON.stringify(other.classes) !== JSON.stringify(classes)))
      throw new CameoError(
        'HEAD_INVALID',
        `${file} and ${members[0]?.file ?? ''} have other classes: heads whose scores are added know the same people`,
      )
    const dimension = inputDimension(faces.columns)
    opened.push({
      head: await loadHead(file, onnx, dimension, { device, intraOpThreads: threads }),
      rows: { dimension, pooled: poolTracks(faces, 'quality'), clips: faces.trackClips },
      ...{ weight, classes },
    })
  }
  return opened
}

function writeSubmission(file: string, set: EvaluationSet, ranked: readonly RankedClips[]): void {
  if (set.test === undefined) return
  try {
    writeFileSync(file, formatSubmission(namedRankings(set, set.test, ranked)))
  } catch (cause) {
    throw new CameoError('USAGE', `the submission ${file} cannot be written: ${messageOf(cause)}`, { cause })
  }
  note(`wrote ${file}`)
}
