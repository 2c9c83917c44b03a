import { usePack } from '../../cli/caller.js'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Command, Option } from 'commander'
import { evaluateDistractors, type LabelledTable } from '../../../index/evaluate/protocols/distractors.js'
import { readFeatureArrays } from '../../../index/evaluate/formats/feature-arrays.js'
import { plainName } from '../../../index/evaluate/formats/list-columns.js'
import { toFloats } from '../../../index/evaluate/formats/npy.js'
import type { RocPoint } from '../../../index/evaluate/metrics/roc.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import {
  isFolder,
  loadEvalEmbedder,
  pictureNames,
  type EmbedderChoice,
  type EvalEmbedder,
} from '../../../index/evaluate/protocols/embed-benchmark.js'
import { deviceOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, print, printJson } from '../../cli/output.js'
import { startProgress, embedAll } from '../../cli/progress.js'
import { l2Norm, l2Normalise } from '../../../pipeline/data/vector-math.js'
import { alignedOption, packOption } from '../../cli/benchmark-options.js'
import { orNull, percent, tellUnusable } from '../../reports/benchmark-report.js'

interface IdentifyOptions extends EmbedderChoice {
  readonly probes: string
  readonly gallery?: string
  readonly distractors: string
  readonly json: boolean
}

export const identifyCommand = new Command('identify')
  .description('Identification among distractors: MegaFace and Trillion-Pairs.')
  .requiredOption('--probes <source>', 'folder of ID/photo.jpg, or .npz, of the people to search for')
  .addOption(
    new Option(
      '--gallery <source>',
      "the same for their mates (default: each person's photos take turns, as in MegaFace)",
    ),
  )
  .requiredOption('--distractors <source>', 'folder of photos of others, at any depth, or .npz')
  .addOption(alignedOption())
  .addOption(packOption())
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
.npz: arrays "names" [N] and "features" [N, d] (float16, float32 or float64); a name is ID/photo, or ID alone.
MegaFace: a mate is added to the first 10, 100, … distractors, and a probe is right if the mate beats all of them;
verification is TAR@FAR=1e-6 over mated pairs and pairs of a probe and a distractor.
Trillion-Pairs: TPR at FPR 1e-3 (identification) and 1e-9 (verification) over all pairs of a probe and a photo of the
gallery, distractors among them. The FPR in brackets is that of the nearest point, which is far off if there are few pairs.
With --json: {pack, probes, distractors, matedPairs, nonMatedPairs, rank1: [{distractors, rank1}], verification,
allPairs, unusable}.
Exit code: 0 all pictures had a face, 1 some had none (listed), 2 it could not run.`,
  )
  .action(async (options: IdentifyOptions) => {
    process.exitCode = await runIdentify(options)
  })

async function runIdentify(options: IdentifyOptions): Promise<number> {
  const sources = [options.probes, options.gallery, options.distractors].filter((each) => each !== undefined)
  for (const source of sources)
    if (!source.endsWith('.npz') && !isFolder(source))
      throw new CameoError('USAGE', `${source} is neither a folder nor a .npz file`)
  // Features need no models.
  const embedder = sources.some((source) => !source.endsWith('.npz'))
    ? await loadEvalEmbedder(options, usePack)
    : undefined
  try {
    const probes = await tableOf(options.probes, 'probes', embedder)
    const gallery =
      options.gallery === undefined ? undefined : await tableOf(options.gallery, 'gallery', embedder)
    const distractors = await tableOf(options.distractors, 'distractors', embedder)
    for (const { dimension } of gallery === undefined ? [distractors] : [gallery, distractors])
      if (dimension !== probes.dimension)
        throw new CameoError(
          'FEATURES_INVALID',
          `features of ${probes.dimension} and of ${dimension} values cannot be compared: use the same embedder for all`,
        )
    const bar = startProgress('comparing {bar} {percentage}%')
    const result = evaluateDistractors({ probes, gallery, distractors, onProgress: (done, total) => bar.update(done, total, {}) }) // prettier-ignore
    bar.stop()
    if (result.matedPairs === 0)
      throw new CameoError('USAGE', 'no probe has a mate: give people with at least two photos each')
    const unusable = embedder?.unusable ?? []
    if (options.json)
      printJson({
        pack: embedder?.packName ?? null,
        probes: probes.identities.length,
        distractors: distractors.identities.length,
        ...result,
        unusable,
      })
    else {
      tellUnusable(unusable)
      print(
        `${counted(result.matedPairs, 'mated pair')}, ${counted(result.nonMatedPairs, 'pair')} with distractors`,
      )
      for (const each of result.rank1)
        print(`rank-1 among ${counted(each.distractors, 'distractor')} ${percent(each.rank1)}`)
      print(`verification ${rocText(result.verification)}`)
      print(`all pairs: identification ${rocText(result.allPairs.identification)}`)
      print(`all pairs: verification ${rocText(result.allPairs.verification)}`)
    }
    return unusable.length > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    await embedder?.dispose()
  }
}

const rocText = ({ targetFpr, tpr, fpr }: RocPoint) =>
  `TPR@FPR=${targetFpr.toExponential()} ${percent(tpr)} (FPR ${orNull(fpr)?.toExponential(2) ?? '–'})`

/** The person is the first part of a name. */
const personOf = (name: string) => plainName(name).split('/')[0] ?? name

async function tableOf(
  source: string,
  what: string,
  embedder: EvalEmbedder | undefined,
): Promise<LabelledTable> {
  if (source.endsWith('.npz')) return tableOfArrays(source)
  if (embedder === undefined) throw new Error('no models are loaded')
  const photos = photosIn(source)
  if (photos.length === 0) throw new CameoError('USAGE', `${source} holds no pictures`)
  const identities: string[] = []
  const vectors = new Float32Array(photos.length * embedder.dimension)
  await embedAll(photos, what, async (path) => {
    const image = await embedder.photo(path)
    if (image === undefined) return
    vectors.set(l2Normalise(image.feature), identities.length * embedder.dimension)
    identities.push(personOf(relative(source, path)))
  })
  if (identities.length === 0) throw new CameoError('IMAGE_NO_FACE', `no picture of ${source} has a face`)
  return {
    dimension: embedder.dimension,
    identities,
    vectors: vectors.subarray(0, identities.length * embedder.dimension),
  }
}

async function tableOfArrays(path: string): Promise<LabelledTable> {
  const { dimension, names, rows } = await readFeatureArrays(path)
  const vectors = toFloats(rows)
  for (const [row, name] of names.entries()) {
    const vector = vectors.subarray(row * dimension, (row + 1) * dimension)
    const norm = l2Norm(vector)
    if (!Number.isFinite(norm) || norm === 0)
      throw new CameoError(
        'FEATURES_INVALID',
        `${path} has a feature of ${name} (row ${row + 1}) that is ${norm === 0 ? 'all zeros' : 'not finite'}`,
      )
    vector.set(l2Normalise(vector))
  }
  return { dimension, identities: names.map(personOf), vectors }
}

/** At any depth, sorted by name. */
function photosIn(dir: string): string[] {
  const folders = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(dir, entry.name))))
    .map(({ name }) => name)
    .sort()
  return [
    ...pictureNames(dir).map((name) => join(dir, name)),
    ...folders.flatMap((name) => photosIn(join(dir, name))),
  ]
}
