import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import { numberWithin } from '../cli/options.js'
import { note } from '../cli/output.js'

interface BenchOptions {
  readonly images: string
  readonly out: string
  readonly hardness: number
  readonly strangers: number
  readonly seed: number
  readonly minFace: number
  readonly context?: string
  readonly embedder?: string
  readonly pack: string
  readonly keepMirrored: boolean
  readonly heads: number
}

const data = process.env.CAMEO_TEST_DATA ?? '../shared'
const number = (flags: string, text: string, preset: number, low: number, high: number) =>
  new Option(flags, text).default(preset).argParser(numberWithin(low, high))

const command = new Command('bench:map')
  .description('Makes a set of clips like iQIYI-VID from photos, ingests it and runs the ladder.')
  .option('--images <dir>', 'photos, one folder per person (the LFW layout)', join(data, 'data/people'))
  .option('--out <dir>', 'where clips, archive and report go', 'bench-output/map')
  .addOption(number('--hardness <h>', 'hardness of the clips: 0 easy, 1 hard', 1.4, 0, 3))
  .addOption(number('--strangers <n>', 'clips of people that no line names', 300, 0, 10_000))
  .addOption(number('--seed <n>', 'seed of the clips', 1, 0, 1e9))
  .addOption(number('--min-face <px>', 'smallest face of the ingest: these clips are 320×240', 24, 12, 2000))
  .option('--context <file>', 'JSON of an image encoder, for the context step', squeezeNet())
  .option('--pack <pack>', 'model pack, or a JSON file of your own', defaultPackName)
  .option('--embedder <file>', 'JSON of a further embedder, for that step')
  .option('--keep-mirrored', 'train on mirror images, too', false)
  .addOption(number('--heads <n>', 'number of heads in the ensemble', 5, 1, 100))
  .parse()
const options = command.opts<BenchOptions>()
const out = resolve(options.out)
const [set, archive] = [join(out, 'set'), join(out, 'archive')]
mkdirSync(out, { recursive: true })

const cameo = fileURLToPath(new URL('../cameo.js', import.meta.url))
const makeClips = fileURLToPath(new URL('../../../scripts/make-clips.mjs', import.meta.url))

run('the clips', [
  makeClips,
  // The path as given: the random choices for the clips depend on the photos' names.
  ...['--images', options.images, '--out', set],
  ...['--strangers', String(options.strangers), '--hardness', String(options.hardness)],
  ...['--seed', String(options.seed)],
])
const further = [
  ...(options.context === undefined ? [] : ['--context', options.context]),
  ...(options.embedder === undefined ? [] : ['--embedder', options.embedder]),
  ...(options.keepMirrored ? ['--keep-mirrored'] : []),
]
run('the ingest', [
  ...[cameo, 'ingest', join(set, 'clips'), '--archive', archive],
  ...['--min-face', String(options.minFace), '--pack', options.pack, ...further],
])
run('the ladder', [
  ...[cameo, 'eval', 'ladder', '--archive', archive],
  ...['--gallery', join(set, 'train_gt.txt'), '--val', join(set, 'val_gt.txt')],
  ...['--ground-truth', join(set, 'test_gt.txt')],
  ...['--heads', String(options.heads), '--report', join(out, 'report')],
])

function run(what: string, args: readonly string[]): void {
  note(`${what}:`)
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) {
    note(`${what} ended with ${status ?? 'a signal'}`)
    process.exit(status ?? 1)
  }
}

/** The description of the classifier in the test data; users name their own. */
function squeezeNet(): string {
  const file = join(resolve('bench-output'), 'squeezenet.json')
  mkdirSync(resolve('bench-output'), { recursive: true })
  const encoder = {
    kind: 'context',
    name: 'squeezenet',
    file: resolve(data, 'models/squeezenet_fp16.onnx'),
    output: 'fire9/concat_2',
    pool: 'average',
    dimension: 512,
    input: { widthPx: 224, heightPx: 224, channelOrder: 'bgr', mean: 0, scale: 1, resize: 'stretch' },
  }
  writeFileSync(file, JSON.stringify(encoder))
  return file
}
