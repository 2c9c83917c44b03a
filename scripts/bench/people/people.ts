/**
 * Grouping people without names: compares methods, and measures the time of ours.
 *
 *   node dist/scripts/bench/people/people.js [--sets photos,clips] [--films DIR] [--speed 100000]
 *
 * Each method is tuned on one half of the people and measured on the other half. Sets are made once and kept.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Command, Option } from 'commander'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { openIndexFor } from '../../../index/archive/use-index.js'
import {
  groupAgreement,
  type Agreement,
  type GroupAgreement,
} from '../../../index/evaluate/metrics/group-agreement.js'
import { candidateMargin, groupPeople } from '../../../index/people/group-people.js'
import { groupingThreshold } from '../../../index/people/grouping-threshold.js'
import { groupTracks } from '../../../index/people/group-tracks.js'
import { PeopleRows } from '../../../index/store/people-rows.js'
import { defaultPackName, findPack } from '../../../pipeline/models/packs/catalog.js'
import { asCaller } from '../../cli/caller.js'
import { numberWithin } from '../../cli/options.js'
import { note, print } from '../../cli/output.js'
import { copyOf, cosinesOf, halvesOf, rowsOf, type LabelledTracks } from './labelled-tracks.js'
import {
  methods,
  pairsFrom,
  prepare,
  type Groups,
  type Method,
  type Prepared,
  type Setting,
} from './methods.js'
import { clipTracks, filmTracks, photoTracks } from './sets.js'
import { fillWithTracks, type Spread } from './synthetic.js'

const sets = ['photos', 'clips'] as const

interface BenchOptions {
  readonly images: string
  readonly out: string
  readonly sets: readonly (typeof sets)[number][]
  readonly films?: readonly string[]
  readonly speed: number
  readonly hardness: number
  readonly strangers: number
  readonly people: number
  readonly only?: string
}

const data = process.env['CAMEO_TEST_DATA'] ?? '../shared'
const pack = findPack(defaultPackName)
/** Wrong people in a group do more harm than a person in two groups. */
const wantedPrecision = 0.97

const number = (flags: string, text: string, preset: number, low: number, high: number) =>
  new Option(flags, text).default(preset).argParser(numberWithin(low, high))

const command = new Command('bench:people')
  .description('Compares ways to group tracks into people, and measures the time of ours.')
  .option('--images <dir>', 'photos, one folder per person (the LFW layout)', join(data, 'data/people'))
  .option('--out <dir>', 'where clips and archives go', 'bench-output/people')
  .addOption(
    new Option('--sets <list>', 'photos: each photo is a track; clips: as bench:map')
      .default([...sets], sets.join(','))
      .argParser((text) => sets.filter((each) => text.split(',').includes(each))),
  )
  .option('--films <dirs...>', 'folders with films/ and appearances.csv, as bench:films makes them')
  .option('--only <text>', 'only methods with this text in their name')
  .addOption(number('--speed <tracks>', 'group so many made tracks; 0: none', 100_000, 0, 1e7))
  .addOption(number('--hardness <h>', 'hardness of the clips: 0 easy, 1 hard', 1.4, 0, 3))
  .addOption(number('--strangers <n>', 'clips of people who are seen once', 100, 0, 10_000))
  .addOption(number('--people <n>', 'people of the clips', 56, 2, 100_000))

/** The agreement of groups with the people of a set. */
const agreementOf = ({ people }: LabelledTracks, groups: Groups, hasIntervals = true): GroupAgreement =>
  groupAgreement(
    people.map((person, row) => ({ person, group: groups[row] === -1 ? undefined : groups[row] })),
    hasIntervals,
  )

async function compare(name: string, tracks: LabelledTracks, only: string | undefined): Promise<void> {
  const [tuning, test] = halvesOf(tracks)
  const prepared = [await prepare(tuning), await prepare(test)] as const
  print(
    `${name}: ${tracks.count} tracks, ${new Set(tracks.people).size} people; tuned on one half, measured on the other`,
  )
  for (const keepsApart of [false, true]) {
    print(`  tracks that share frames ${keepsApart ? 'are two people' : 'may be one person'}:`)
    for (const method of methods)
      if (only === undefined || method.name.includes(only)) compareMethod(method, prepared, keepsApart)
    const shipped = shippedGroups(prepared[1], keepsApart)
    print(rowText('Cameo as shipped', undefined, agreementOf(test, shipped)))
  }
}

function compareMethod(
  method: Method,
  [tuning, test]: readonly [Prepared, Prepared],
  keepsApart: boolean,
): void {
  const tried = method.settings.map((setting) => ({
    setting,
    bcubed: agreementOf(tuning.tracks, method.run(tuning, setting, keepsApart), false).bcubed,
  }))
  const best = (candidates: readonly { readonly setting: Setting; readonly bcubed: Agreement }[]) =>
    candidates.reduce<(typeof tried)[number] | undefined>(
      (known, each) => (known === undefined || each.bcubed.f > known.bcubed.f ? each : known),
      undefined,
    )
  const forF = best(tried)
  const precise = best(tried.filter(({ bcubed }) => bcubed.precision >= wantedPrecision))
  for (const [how, chosen] of [
    ['F', forF],
    ['precise', precise],
  ] as const) {
    if (chosen === undefined || (how === 'precise' && chosen === forF)) continue
    const measured = agreementOf(test.tracks, method.run(test, chosen.setting, keepsApart))
    print(
      rowText(
        `${method.name}${how === 'F' ? '' : `, precision ${wantedPrecision}`}`,
        chosen.setting,
        measured,
      ),
    )
  }
}

/** With the product's own settings, for the number of tracks. */
function shippedGroups({ tracks, pairs: all, cosines }: Prepared, keepsApart: boolean): Groups {
  const threshold = groupingThreshold({}, pack, tracks.count)
  const pairs = pairsFrom(all, cosines, tracks.count, threshold - candidateMargin)
  const found = new Int32Array(tracks.count).fill(-1)
  const groups = groupTracks(copyOf(tracks), pairs, { must: [], cannot: [] }, { threshold, keepsApart })
  for (const [group, rows] of groups.entries())
    if (rows.length > 1) for (const row of rows) found[row] = group
  return found
}

function rowText(
  name: string,
  setting: Setting | undefined,
  { bcubed, pairwise, groups, people }: GroupAgreement,
): string {
  const text = setting === undefined ? '' : Object.entries(setting).map(([key, value]) => `${key} ${value}`).join(', ') // prettier-ignore
  const { precision, recall, f, ci95 } = bcubed
  const figures = [precision, recall, f].map((value) => value.toFixed(3)).join(' / ')
  return (
    `    ${name.padEnd(38)} BCubed ${figures} [${ci95.f.map((end) => end.toFixed(3)).join(', ')}]` +
    `  pairs ${pairwise.precision.toFixed(3)} / ${pairwise.recall.toFixed(3)}  ${groups} groups of ${people}  ${text}`
  )
}

/** How alike the photos of one person, and of different people, are. */
function spreadOf(tracks: LabelledTracks): Spread {
  const some = rowsOf(
    tracks,
    Array.from({ length: tracks.count }, (_, row) => row).filter((row) => row % 2 === 0),
  )
  const cosines = cosinesOf(some)
  const within: number[] = []
  const between: number[] = []
  for (let a = 0; a < some.count; a++)
    for (let b = 0; b < a; b++)
      (some.people[a] === some.people[b] ? within : between).push(cosines[a * some.count + b] ?? 0)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const deviation = (values: readonly number[], from: number) =>
    Math.sqrt(mean(values.map((value) => (value - from) ** 2)))
  const withinMean = mean(within)
  return {
    withinMean,
    withinDeviation: deviation(within, withinMean),
    betweenDeviation: deviation(between, mean(between)),
  }
}

async function measureSpeed(tracks: number, spread: Spread, out: string): Promise<void> {
  const dir = join(out, `made-${tracks}`)
  rmSync(dir, { recursive: true, force: true })
  note(`making ${tracks} tracks …`)
  const people = fillWithTracks(dir, tracks, spread)
  const opened = openFilledArchive(dir, note)
  try {
    await asCaller(async (caller) => {
      const useIndex = openIndexFor(opened.archive, caller)
      note('building the index …')
      const builtAt = performance.now()
      await useIndex(() => Promise.resolve())
      const builtS = (performance.now() - builtAt) / 1000
      const startedAt = performance.now()
      const report = await groupPeople({ opened, models: { pack }, useIndex }, {}, caller)
      const seconds = (performance.now() - startedAt) / 1000
      const memberships = [...new PeopleRows(opened.archive.database).memberships()]
      const groupOf = new Map(memberships)
      const { bcubed } = groupAgreement(
        people.map((person, at) => ({ person: `${person}`, group: groupOf.get(at + 1) })),
      )
      print(
        `${tracks} made tracks: ${seconds.toFixed(0)} s (index built before in ${builtS.toFixed(0)} s), ` +
          `${(process.resourceUsage().maxRSS / 1e6).toFixed(1)} GB at most; ${report.people} people, ` +
          `BCubed ${bcubed.precision.toFixed(3)} / ${bcubed.recall.toFixed(3)} / ${bcubed.f.toFixed(3)}`,
      )
    })
  } finally {
    opened.archive.close()
  }
}

command.action(async (options: BenchOptions) => {
  const out = resolve(options.out)
  mkdirSync(out, { recursive: true })
  const photos = () => photoTracks(resolve(options.images), pack, out)
  if (options.sets.includes('photos')) await compare('photos', await photos(), options.only)
  if (options.sets.includes('clips'))
    await compare(
      'clips',
      await clipTracks({ ...options, images: resolve(options.images), out, minFace: 24, pack }),
      options.only,
    )
  for (const dir of options.films ?? [])
    await compare(`films of ${dir}`, await filmTracks(resolve(dir), out), options.only)
  if (options.speed > 0) await measureSpeed(options.speed, spreadOf(await photos()), out)
})
await command.parseAsync()
