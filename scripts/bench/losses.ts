import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { runnerOf, trainOnSet } from '../../index/evaluate/ladder/head-training.js'
import { galleryQueries, searchExactly } from '../../index/evaluate/ladder/descriptor-search.js'
import { mapOf } from '../../index/evaluate/ladder/measure-rankings.js'
import { rankClips, scoreByHeads } from '../../index/evaluate/ladder/scorer.js'
import { headSettingsSchema } from '../../pipeline/training/train-head.js'
import { evaluationSetOf } from '../../index/evaluate/source/evaluation-source.js'
import { defaultThreads, numberWithin } from '../cli/options.js'
import { note, print } from '../cli/output.js'
import { readGivenSource } from '../reports/given-source.js'

/**
 * The losses of the paper's ablation (arXiv 1801.07698, table 2), for heads. Triplet has no classifier, so
 * only its descriptor counts.
 */
const losses = ['norm-softmax', 'sphereface', 'arcface', 'cosface', 'cm1', 'cm2', 'softmax', 'norm-softmax+intra', 'norm-softmax+inter', 'norm-softmax+intra+inter', 'triplet'] // prettier-ignore

interface LossOptions {
  readonly out: string
  readonly epochs: number
}

const { out, epochs } = new Command('bench:losses')
  .description(
    'Measures each loss on the set that "npm run bench:map" made: MAP of class scores and of descriptors.',
  )
  .option('--out <dir>', 'folder of bench:map', 'bench-output/map')
  .addOption(
    new Option('--epochs <n>', 'epochs of each head').default(30).argParser(numberWithin(1, 1000, 'integer')),
  )
  .parse()
  .opts<LossOptions>()
const dir = resolve(out)
if (!existsSync(join(dir, 'archive'))) {
  note(`there is no set in ${dir}: run "npm run bench:map" first`)
  process.exit(2)
}
const groundTruth = (half: string) => join(dir, 'set', `${half}_gt.txt`)
const source = await readGivenSource({ archive: join(dir, 'archive') })
const set = evaluationSetOf(source, {
  gallery: groundTruth('train'),
  val: groundTruth('val'),
  groundTruth: groundTruth('test'),
})
const { test } = set
if (test === undefined) throw new Error('the set has a test half')
const session = { device: { kind: 'cpu' }, intraOpThreads: defaultThreads } as const
const descriptorMap = async (vectors: Float32Array, dimension: number) => {
  const rows = { ...set.features, dimension, vectors }
  return mapOf(
    set,
    test,
    await searchExactly(rows, galleryQueries(rows, set.galleryTracks), set.testPool, session),
  )
}
const percent = (share: number) => (100 * share).toFixed(2).padStart(6)

print(`loss${' '.repeat(24)}class scores  descriptors  epoch chosen by val`)
const plain = await descriptorMap(set.pooled, set.dimension)
print(`${'none (quality pooling)'.padEnd(28)}           -       ${percent(plain)}`)
for (const loss of losses) {
  const settings = headSettingsSchema.parse({ loss, epochs })
  const { best, ...scoring } = await trainOnSet(set, settings, true, { session })
  const ranked = await rankClips(
    scoreByHeads([scoring], set.identities.length),
    set.features.clipNames,
    set.testPool,
  )
  await scoring.head.dispose()
  const describing = await runnerOf(best, settings, set.dimension, { session }, 1)
  const { descriptors } = await describing.run(set.pooled)
  await describing.dispose()
  const described = await descriptorMap(descriptors, descriptors.length / set.features.trackClips.length)
  print(
    `${loss.padEnd(28)}      ${percent(mapOf(set, test, ranked))}       ${percent(described)}  ${String(best.epoch).padStart(5)}`,
  )
}
