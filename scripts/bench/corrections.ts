/** How much five corrections of a name improve searches for it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { pairedDifference } from '../../index/evaluate/metrics/bootstrap.js'
import type { CorrectionWeights } from '../../index/search/corrected-query.js'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import { numberWithin } from '../cli/options.js'
import { counted, note, print } from '../cli/output.js'
import { findImages } from './clips.js'
import { benchNames, readBenchData } from './corrections/names.js'
import { measure, policies, type BenchName, type Measured, type Policy } from './corrections/simulate.js'

interface BenchOptions {
  readonly images?: string
  readonly out: string
  readonly hardness: number
  readonly people: number
  readonly strangers: number
  readonly seed: number
  readonly minFace: number
  readonly pack: string
  readonly trials: number
  readonly references: number
  readonly tune: boolean
}

const number = (flags: string, text: string, preset: number, low: number, high: number) =>
  new Option(flags, text).default(preset).argParser(numberWithin(low, high))

const options = new Command('bench:corrections')
  .description(
    'Makes a set of clips like iQIYI-VID from photos, ingests it, and measures MAP of names before and after corrections.',
  )
  .option('--images <dir>', 'photos, one folder per person (the LFW layout)')
  .option('--out <dir>', 'where clips, archive and report go', 'bench-output/corrections')
  .addOption(number('--hardness <h>', 'hardness of the clips: 0 easy, 1 hard', 1.4, 0, 3))
  .addOption(number('--people <n>', 'people with clips, at most', 100, 4, 10_000))
  .addOption(number('--strangers <n>', 'clips of people that no line names', 300, 0, 10_000))
  .addOption(number('--seed <n>', 'seed of the clips and of the choice of people', 1, 0, 1e9))
  .addOption(number('--min-face <px>', 'smallest face of the ingest: these clips are 320×240', 24, 12, 2000))
  .option('--pack <pack>', 'model pack, or a JSON file of your own', defaultPackName)
  .addOption(number('--trials <n>', 'names of each person, each from other clips', 3, 1, 20))
  .addOption(number('--references <n>', 'clips that a name is enrolled from', 1, 1, 20))
  .option('--tune', 'also measure other weights, on the other half of the people', false)
  .parse()
  .opts<BenchOptions>()

const out = resolve(options.out)
const [set, archive] = [join(out, 'set'), join(out, 'archive')]

function prepare(): void {
  run('the clips', [
    fileURLToPath(new URL('../../../scripts/make-clips.mjs', import.meta.url)),
    ...['--images', findImages(options.images), '--out', set, '--seed', String(options.seed)],
    ...[
      '--limit-people',
      String(options.people),
      '--strangers',
      String(options.strangers),
      '--hardness',
      String(options.hardness),
    ],
  ])
  run('the ingest', [
    ...[fileURLToPath(new URL('../cameo.js', import.meta.url)), 'ingest', join(set, 'clips')],
    ...['--archive', archive, '--min-face', String(options.minFace), '--pack', options.pack],
  ])
}

function run(what: string, args: readonly string[]): void {
  note(`${what}:`)
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status === 0) return
  note(`${what} ended with ${status ?? 'a signal'}`)
  process.exit(status ?? 1)
}

/** The gain of each pair of weights on the people that are not measured with the chosen ones. */
function tune(names: readonly BenchName[]): void {
  print(`gain in MAP@100 over the rest, for other weights, on ${peopleIn(names)} other people:`)
  const rejections = [0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.6]
  for (const policy of policies) {
    print(policy.name)
    print(['confirmed \\ rejected', ...rejections].join('\t'))
    for (const confirmed of [0, 0.25, 0.5, 1, 2]) {
      const gains = rejections.map((rejected) => gainOf(names, policy, { confirmed, rejected }))
      print([confirmed, ...gains.map((gain) => gain.toFixed(4))].join('\t'))
    }
  }
}

function gainOf(names: readonly BenchName[], policy: Policy, weights: CorrectionWeights): number {
  const { rest } = summarise(names.map((name) => measure(name, policy, weights)))
  return rest.difference.value
}

function report(names: readonly BenchName[]): void {
  const rows = policies.map((policy) => ({
    policy: policy.name,
    ...summarise(names.map((name) => measure(name, policy, undefined))),
  }))
  print(
    `${names.length} names of ${peopleIn(names)} people, ${counted(options.references, 'reference')} each; MAP@100`,
  )
  for (const { policy, all, rest } of rows) {
    print(`${policy}:`)
    print(`  all clips            ${rowText(all)}`)
    print(`  not corrected clips  ${rowText(rest)}`)
  }
  writeFileSync(
    join(out, 'corrections.json'),
    `${JSON.stringify({ people: peopleIn(names), rows }, null, 2)}\n`,
  )
}

const peopleIn = (names: readonly BenchName[]) => new Set(names.map(({ identity }) => identity)).size

type Row = ReturnType<typeof compare>

const rowText = ({ before, after, difference: { value, ci95 } }: Row) =>
  `${before.toFixed(4)} → ${after.toFixed(4)}  (${signed(value)}, 95 % interval ${ci95.map(signed).join(' to ')})`

const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`

function summarise(measured: readonly Measured[]) {
  return {
    all: compare(measured.map(({ identity, all }) => ({ identity, pair: all }))),
    rest: compare(
      measured.flatMap(({ identity, rest }) => (rest === undefined ? [] : [{ identity, pair: rest }])),
    ),
  }
}

/** Trials of one person are averaged first: the interval is over people. */
function compare(values: readonly { readonly identity: string; readonly pair: readonly [number, number] }[]) {
  const people = [...new Set(values.map(({ identity }) => identity))]
  const means = people.map((person) => {
    const own = values.filter(({ identity }) => identity === person)
    const mean = (at: 0 | 1) => own.reduce((sum, { pair }) => sum + pair[at], 0) / own.length
    return [mean(0), mean(1)] as const
  })
  const [before, after] = [means.map(([a]) => a), means.map(([, b]) => b)]
  const meanOf = (all: readonly number[]) =>
    all.reduce((sum, value) => sum + value, 0) / Math.max(1, all.length)
  return { before: meanOf(before), after: meanOf(after), difference: pairedDifference(before, after) }
}

mkdirSync(out, { recursive: true })
prepare()
const { tuned, held } = benchNames(readBenchData(set, archive), options)
if (options.tune) tune(tuned)
report(held)
