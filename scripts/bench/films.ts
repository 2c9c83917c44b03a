/**
 * Cuts films with known people out of clips and photos, ingests them, searches for a photo of each person,
 * and compares the answers with the truth, as `cameo eval times` does.
 *
 *   node dist/scripts/bench/films.js [--kind both] [--films 24] [--seeds 1,2,3] [-- OPTIONS OF "cameo ingest"]
 *
 * Films are made once and kept. The archive is built again each time, because it is what the benchmark
 * measures.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { MeasuredTimes } from '../../index/evaluate/protocols/time-figures.js'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import { measureTimes } from '../../index/evaluate/protocols/measure-times.js'
import { jsonOption, numberWithin } from '../cli/options.js'
import { openArchiveToRead, openFilledArchive } from '../../index/archive/open-archive.js'
import { asCaller } from '../cli/caller.js'
import { exitCodes, note, print, printJson, reportError } from '../cli/output.js'
import { figuresOfSeed, figuresTable, meanOfSeeds, refusedLines, type SeedFigures } from './films/figures.js'
import type { FrameSize } from './films/graph.js'
import { keptLookAlikes } from './films/look-alikes.js'
import { claimFolder, makeFilms, type MadeFilms } from './films/make.js'
import { keepOutQueries, planFilmsOfPhotos, queryOfPhoto, readPhotographedPeople } from './films/photos.js'
import { planFilmsOfClips, queryOfClips, readFilmedPeople } from './films/videos.js'

const kinds = ['videos', 'photos'] as const
type Kind = (typeof kinds)[number]

interface BenchOptions {
  readonly videos: string
  readonly people?: string
  readonly images: string
  readonly kind: Kind | 'both'
  readonly films: number
  readonly seeds: readonly number[]
  readonly size: FrameSize
  readonly out: string
  readonly archives?: string
  readonly keepArchives: boolean
  readonly minScore?: number
  readonly makeOnly: boolean
  readonly json: boolean
  /** Options of "cameo ingest". */
  readonly ingestOptions: readonly string[]
}

const data = process.env.CAMEO_TEST_DATA ?? '../shared'

const command = new Command('bench:films')
  .description('Measures the accuracy of time ranges on edited films with known people.')
  .argument('[ingest...]', 'after "--": options of "cameo ingest", for example --pack')
  .option('--videos <dir>', 'clips of people', join(data, 'data/videos'))
  .option(
    '--people <file>',
    'lines "ID CLIP CLIP ..." for people in several clips (default: test_gt.txt of the clips)',
  )
  .option('--images <dir>', 'photos, one folder per person (the LFW layout)', join(data, 'data/people'))
  .addOption(
    new Option('--kind <kind>', 'films made from clips, the harder ones made from photos, or both')
      .choices([...kinds, 'both'])
      .default('both'),
  )
  .addOption(
    new Option('--films <n>', 'number of films per seed')
      .default(24)
      .argParser(numberWithin(1, 10_000, 'integer')),
  )
  .addOption(new Option('--seeds <list>', 'for example 1,2,3').default([1], '1').argParser(parseSeeds))
  .addOption(
    new Option('--size <size>', 'size of the films, px')
      .default({ widthPx: 640, heightPx: 360 }, '640x360')
      .argParser(parseSize),
  )
  .option('--out <dir>', 'where films and archives go', 'bench-output/films')
  .option('--archives <dir>', 'where archives go, if not beside the films')
  .option('--keep-archives', 'measure the archives of the last run again', false)
  .addOption(
    new Option('--min-score <s>', 'lowest score of an answer (default: as in a search)').argParser(
      numberWithin(-1, 1),
    ),
  )
  .option('--make-only', 'make the films and measure nothing', false)
  .addOption(jsonOption())

/** Makes the missing films of a seed in a folder. */
type Maker = (dir: string, seed: number) => Promise<MadeFilms>

/** @param dir folder of all films of the kind */
async function makerOf(kind: Kind, dir: string, options: BenchOptions): Promise<Maker> {
  const { films: count, size } = options
  if (kind === 'videos') {
    const list = options.people ?? join(options.videos, 'test_gt.txt')
    const people = await readFilmedPeople(resolve(options.videos), list)
    const named = people.map(({ id, clips }) => [id, ...clips.map(({ path }) => basename(path))])
    claimFolder(dir, { size, people: named })
    const queries = people.map((person) => ({ person: person.id, from: queryOfClips(person) }))
    return (to, seed) => makeFilms(to, planFilmsOfClips(people, count, seed), queries, size)
  }
  const people = readPhotographedPeople(resolve(options.images))
  const named = people.map(({ id, photos }) => [id, ...photos.map((photo) => basename(photo))])
  claimFolder(dir, { size, people: named })
  const lookAlikes = await keptLookAlikes(join(dir, 'look-alikes.json'), people, defaultPackName)
  return (to, seed) => {
    const cast = keepOutQueries(people, seed)
    const queries = cast.map((person) => ({ person: person.id, from: queryOfPhoto(person) }))
    return makeFilms(to, planFilmsOfPhotos(cast, lookAlikes, count, seed), queries, size)
  }
}

async function measure(
  { films, truth, queries }: MadeFilms,
  archive: string,
  { keepArchives, ingestOptions, minScore }: BenchOptions,
): Promise<MeasuredTimes> {
  if (!keepArchives) rmSync(archive, { recursive: true, force: true })
  ingest(films, archive, ingestOptions)
  const opened = openFilledArchive(archive, note, openArchiveToRead)
  try {
    const run = { truth, queries, minScore, device: { kind: 'auto' } } as const
    return await asCaller((caller) => measureTimes(opened, run, caller))
  } finally {
    opened.archive.close()
  }
}

function ingest(films: readonly string[], archive: string, more: readonly string[]): void {
  const cameo = fileURLToPath(new URL('../cameo.js', import.meta.url))
  const { status } = spawnSync(
    process.execPath,
    [cameo, 'ingest', ...films, '--archive', archive, ...more],
    // Standard output is for the results.
    { stdio: ['ignore', process.stderr, 'inherit'] },
  )
  if (status !== 0)
    throw new Error(
      `the ingest of the films ended with ${status ?? 'a signal'}: the results would be meaningless`,
    )
}

async function runBench(options: BenchOptions): Promise<void> {
  const results: Partial<Record<Kind, unknown>> = {}
  for (const kind of options.kind === 'both' ? kinds : [options.kind]) {
    const dir = join(resolve(options.out), kind)
    const make = await makerOf(kind, dir, options)
    const seeds: SeedFigures[] = []
    for (const seed of options.seeds) {
      const seedDir = join(dir, `seed-${seed}`)
      const made = await make(seedDir, seed)
      note(`${kind}, seed ${seed}: ${seedDir}`)
      if (options.makeOnly) continue
      const { archives } = options
      const archive = archives === undefined ? join(seedDir, 'archive') : resolve(archives, `${kind}-${seed}`)
      const figures = figuresOfSeed(seed, await measure(made, archive, options))
      seeds.push(figures)
      if (!options.json) printSeed(kind, figures)
    }
    if (seeds.length === 0) continue
    const mean = meanOfSeeds(seeds)
    results[kind] = { seeds, mean }
    if (!options.json && seeds.length > 1)
      for (const line of [`${kind}, ${mean.name}`, ...figuresTable([mean])]) print(line)
  }
  if (options.json) printJson(results)
}

function printSeed(kind: Kind, figures: SeedFigures): void {
  const { seed, threshold, groups, total } = figures
  const title = `${kind}, seed ${seed}, answers from ${threshold.toFixed(2)} on`
  for (const line of [title, ...figuresTable([...groups, total]), ...refusedLines(figures), '']) print(line)
}

function parseSeeds(text: string): number[] {
  return text.split(',').map(numberWithin(1, 1e9, 'integer'))
}

/** A blurred background cannot be smaller. */
const leastHeightPx = 108

function parseSize(text: string): FrameSize {
  const [, widthPx = 0, heightPx = 0] = /^(\d+)x(\d+)$/.exec(text)?.map(Number) ?? []
  if (heightPx < leastHeightPx || widthPx < heightPx || widthPx % 4 !== 0 || heightPx % 4 !== 0)
    throw new InvalidArgumentError(
      `give WIDTHxHEIGHT in multiples of 4, from ${leastHeightPx} px of height on.`,
    )
  return { widthPx, heightPx }
}

command.action(async (ingestOptions: readonly string[], options: Omit<BenchOptions, 'ingestOptions'>) => {
  try {
    await runBench({ ...options, ingestOptions })
  } catch (error) {
    reportError(error, options.json)
    process.exitCode = exitCodes.failed
  }
})
await command.parseAsync()
