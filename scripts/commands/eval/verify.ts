import { usePack } from '../../cli/caller.js'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { readImageBin } from '../../../index/evaluate/formats/image-bin.js'
import {
  readPairsList,
  type ListedItem,
  type ListedPair,
} from '../../../index/evaluate/formats/pairs-list.js'
import {
  contiguousFolds,
  verifyPairs,
  type VerificationResult,
  type VerifiedPair,
} from '../../../index/evaluate/protocols/verification.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import {
  isFolder,
  loadEvalEmbedder,
  type EmbedderChoice,
  type EvalEmbedder,
} from '../../../index/evaluate/protocols/embed-benchmark.js'
import { deviceOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, pluralOf, print, printJson } from '../../cli/output.js'
import { l2Normalise } from '../../../pipeline/data/vector-math.js'
import { alignedOption, packOption } from '../../cli/benchmark-options.js'
import { percent, tellUnusable } from '../../reports/benchmark-report.js'
import { embedAll } from '../../cli/progress.js'

interface VerifyOptions extends EmbedderChoice {
  readonly pairs?: string
  readonly images?: string
  readonly videos?: string
  readonly bin?: string
  readonly json: boolean
}

export const verifyCommand = new Command('verify')
  .description('1:1 verification with ten folds: LFW, YTF, and the .bin sets CFP-FP, AgeDB, CALFW, CPLFW.')
  .addOption(new Option('--pairs <file>', "LFW's pairs.txt, or YTF's splits.txt"))
  .addOption(new Option('--images <dir>', 'folder of NAME/NAME_0001.jpg').conflicts(['videos', 'bin']))
  .addOption(
    new Option('--videos <dir>', 'folder of NAME/VIDEO: a folder of pictures, or a clip').conflicts('bin'),
  )
  .addOption(
    new Option('--bin <file>', "InsightFace's .bin; it is only read, never executed").conflicts('pairs'),
  )
  .addOption(alignedOption())
  .addOption(packOption())
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A picture's feature is that of its most prominent face plus that of the mirror image. The threshold is chosen on nine
folds and judged on the tenth; a pair whose picture has no usable face is wrong at any threshold.
pairs.txt: "10 300", then per fold 300 lines "NAME i j" and 300 lines "NAME1 i NAME2 j".
splits.txt: a heading, then lines "split, NAME1/VIDEO, NAME2/VIDEO, 1 or 0".
.bin: aligned faces, so no detection. A video's feature is the mean of its pictures, or of its main person's faces.
With --json: {pack, pairs, accuracy: {mean, std}, thresholds, tar: {targetFar, tar: {mean, std}, far},
pairsWithoutFace, unusable: [{source, code, message}]}.
Exit code: 0 all pictures had a face, 1 some had none (listed), 2 it could not run.`,
  )
  .action(async (options: VerifyOptions) => {
    process.exitCode = await runVerify(options)
  })

async function runVerify(options: VerifyOptions): Promise<number> {
  // The lists are read first, so that mistakes in them show before the models load.
  const source = openSource(options)
  const embedder = await loadEvalEmbedder(options, usePack)
  try {
    const folds = await source(embedder)
    const result = verifyPairs(folds)
    const without = folds.flat().filter(({ distance }) => distance === undefined).length
    if (options.json)
      printJson({
        pack: embedder.packName,
        ...result,
        pairsWithoutFace: without,
        unusable: embedder.unusable,
      })
    else show(result, without, embedder)
    return embedder.unusable.length > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    await embedder.dispose()
  }
}

function show({ pairs, accuracy, tar }: VerificationResult, without: number, embedder: EvalEmbedder): void {
  tellUnusable(embedder.unusable)
  print(
    `accuracy ${percent(accuracy.mean)} ± ${percent(accuracy.std)} (${counted(pairs, 'pair')}, ${embedder.packName})`,
  )
  if (tar !== undefined)
    print(
      `TAR@FAR=${tar.targetFar} ${percent(tar.tar.mean)} ± ${percent(tar.tar.std)} (FAR ${tar.far.toFixed(5)})`,
    )
  if (without > 0)
    print(
      `${counted(without, 'pair')} without a usable face ${pluralOf(without, 'counts', 'count')} as wrong`,
    )
}

type PairSource = (embedder: EvalEmbedder) => Promise<VerifiedPair[][]>

const foldsOfBin = 10

function openSource({ pairs, images, videos, bin }: VerifyOptions): PairSource {
  if (bin !== undefined) {
    const { images: encoded, isSame } = readImageBin(bin)
    if (isSame.length < foldsOfBin)
      throw new CameoError(
        'FEATURES_INVALID',
        `${bin} has ${counted(isSame.length, 'pair')}, ten folds need at least ten`,
      )
    return async (embedder) => {
      const features: (Float32Array | undefined)[] = []
      await embedAll(encoded, 'faces', async (bytes) => {
        const image = await embedder.aligned(bytes, `image ${features.length + 1} of ${bin}`)
        features.push(unit(image?.feature))
      })
      const verified = isSame.map((same, p) => verifiedPair(features[2 * p], features[2 * p + 1], same))
      return contiguousFolds(verified, foldsOfBin)
    }
  }
  const dir = images ?? videos
  if (pairs === undefined || dir === undefined)
    throw new CameoError('USAGE', 'give --bin FILE, or --pairs FILE with --images DIR or --videos DIR')
  if (!isFolder(dir)) throw new CameoError('USAGE', `there is no folder ${dir}`)
  const listed = readPairsList(pairs)
  return (embedder) => embedListed(listed, dir, videos !== undefined, embedder)
}

async function embedListed(
  listed: readonly ListedPair[],
  dir: string,
  isVideo: boolean,
  embedder: EvalEmbedder,
): Promise<VerifiedPair[][]> {
  const pathOf = (item: ListedItem) => join(dir, isVideo ? videoName(item) : photoName(item))
  const features = new Map<string, Float32Array | undefined>()
  const paths = [...new Set(listed.flatMap(({ first, second }) => [pathOf(first), pathOf(second)]))]
  await embedAll(paths, isVideo ? 'videos' : 'photos', async (path) => {
    const image = await (isVideo ? embedder.video(path) : embedder.photo(path))
    features.set(path, unit(image?.feature))
  })
  const folds = new Map<number, VerifiedPair[]>()
  for (const { fold, first, second, isSame } of listed) {
    const pair = verifiedPair(features.get(pathOf(first)), features.get(pathOf(second)), isSame)
    folds.set(fold, [...(folds.get(fold) ?? []), pair])
  }
  if (folds.size < 2)
    throw new CameoError('LIST_INVALID', 'the pairs are of one fold, at least two are needed')
  return [...folds.values()]
}

function photoName(item: ListedItem): string {
  if (item.kind === 'path') return item.path
  return join(item.person, `${item.person}_${String(item.number).padStart(4, '0')}.jpg`)
}

const videoName = (item: ListedItem) =>
  item.kind === 'path' ? item.path : join(item.person, String(item.number))

const unit = (feature: Float32Array | undefined) => (feature === undefined ? undefined : l2Normalise(feature))

function verifiedPair(
  a: Float32Array | undefined,
  b: Float32Array | undefined,
  isSame: boolean,
): VerifiedPair {
  if (a === undefined || b === undefined) return { distance: undefined, isSame }
  return { distance: a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0), isSame }
}
