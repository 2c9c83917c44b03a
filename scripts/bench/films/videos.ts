/** Films made from real clips: the people, and the plan of the cuts. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, parse } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { findFfmpeg } from '../../../pipeline/decode/ffmpeg.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { seededRandom } from '../../../pipeline/common/seeded-random.js'
import {
  createReel,
  drawColour,
  drawFrom,
  filmName,
  formOf,
  wholeFrames,
  type Draw,
  type Film,
  type FilmForm,
  type Join,
  type Place,
  type Take,
} from './plan.js'

const run = promisify(execFile)

export interface SourceClip {
  readonly path: string
  readonly durationS: number
  readonly isWide: boolean
}

export interface FilmedPerson {
  readonly id: string
  readonly clips: readonly SourceClip[]
}

/** Shorter clips leave no room for films and a query. */
const shortestS = 3
/**
 * Films use this first share of a clip; a short clip beside a longer one may be used further. The query is
 * taken after it.
 */
const filmShare = 0.6
const queryShare = 0.85

/**
 * The people of a folder of clips.
 * @param listFile lines "ID CLIP CLIP …" for those who are in several clips; every other clip is its own
 * person
 * @throws USAGE if the folder cannot be read, or has fewer than two people
 */
export async function readFilmedPeople(dir: string, listFile: string): Promise<FilmedPerson[]> {
  const people: FilmedPerson[] = []
  for (const [id, names] of clipsByPerson(dir, listFile)) {
    const paths = names.map((name) => join(dir, name)).filter((path) => existsSync(path))
    const clips = (await Promise.all(paths.map(probe))).filter(({ durationS }) => durationS >= shortestS)
    if (clips.length > 0) people.push({ id, clips })
  }
  if (people.length < 2)
    throw new CameoError('USAGE', `${dir} has clips of ${people.length} people: films need two or more`)
  return people
}

function clipsByPerson(dir: string, listFile: string): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>()
  if (existsSync(listFile))
    for (const line of readFileSync(listFile, 'utf8').split('\n')) {
      const [id, ...clips] = line.split(/\s+/)
      if (id !== undefined && id !== '') groups.set(`p${id}`, clips.filter(Boolean))
    }
  const grouped = new Set([...groups.values()].flat())
  for (const name of clipNames(dir))
    if (!grouped.has(name)) groups.set(`s-${parse(name).name.replace(/\W+/g, '-')}`, [name])
  return groups
}

function clipNames(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => /\.(mp4|mpg|mov|mkv|webm)$/.test(name))
      .sort()
  } catch (cause) {
    throw new CameoError('USAGE', `the clips in ${dir} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

const probed = z.object({
  streams: z.array(
    z.object({ width: z.number(), height: z.number(), duration: z.coerce.number().optional() }),
  ),
  format: z.object({ duration: z.coerce.number().optional() }),
})

/** The video stream's length if the file states it, else the file's length. */
async function probe(path: string): Promise<SourceClip> {
  const ffmpeg = await findFfmpeg()
  const entries = 'stream=width,height,duration:format=duration'
  const { stdout } = await run(join(dirname(ffmpeg), basename(ffmpeg).replace('ffmpeg', 'ffprobe')), [
    ...['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', path],
  ])
  const { streams, format } = probed.parse(JSON.parse(stdout))
  const [stream] = streams
  if (stream === undefined) return { path, durationS: 0, isWide: false }
  return {
    path,
    durationS: stream.duration ?? format.duration ?? 0,
    isWide: stream.width / stream.height >= 1.5,
  }
}

/** A moment near the end of a person's longest clip: ffmpeg's input. */
export function queryOfClips({ clips }: FilmedPerson): string[] {
  const longest = clips.reduce((a, b) => (b.durationS > a.durationS ? b : a))
  return ['-ss', String(longest.durationS * queryShare), '-i', longest.path]
}

/**
 * The plans of all films. The order of draws is part of the benchmark: with the same people and seed, the
 * cuts stay the same as for earlier results.
 */
export function planFilmsOfClips(people: readonly FilmedPerson[], films: number, seed: number): Film[] {
  const draw = drawFrom(seededRandom(seed))
  return Array.from({ length: films }, (_, number) => {
    const cast = draw.shuffle(people).slice(0, 2 + draw.below(3))
    const form = formOf(number)
    const backdropColour = drawColour(draw)
    return { name: filmName(number, form), backdropColour, shots: planShots(cast, form, draw) }
  })
}

const places: readonly Place[] = ['full', 'boxed', 'backdrop', 'split', 'inset']
const mixedJoins: readonly Join[] = ['cut', 'cut', 'dissolve', 'fadeblack', 'wipeleft']

function planShots(cast: readonly FilmedPerson[], { style, joins }: FilmForm, draw: Draw): Film['shots'] {
  const reel = createReel()
  const shots = 6 + draw.below(7)
  let last: FilmedPerson | undefined
  for (let number = 0; number < shots; number++) {
    const person = drawOther(cast, last, draw)
    last = person
    const longestS = Math.max(...person.clips.map(({ durationS }) => durationS * filmShare))
    const lengthS = wholeFrames(Math.min(draw.between(1.6, 4.2), longestS))
    const wished = style === 'mixed' ? (draw.pick(places) ?? 'full') : style
    const take = takeOf(person, lengthS, draw)
    const isForTwo = wished === 'split' || wished === 'inset'
    const other = isForTwo ? draw.pick(cast.filter((one) => one !== person)) : undefined
    const takes = other === undefined ? ([take] as const) : ([take, takeOf(other, lengthS, draw)] as const)
    const place = isForTwo && other === undefined ? 'full' : wished
    const join = number === 0 ? 'cut' : joins === 'mixed' ? (draw.pick(mixedJoins) ?? 'cut') : joins
    reel.add({ place, takes, lengthS, join }, join === 'cut' ? 0 : draw.between(0.4, 1.4), 1 / 2)
  }
  return reel.shots
}

/** Anyone except the last person. */
function drawOther(cast: readonly FilmedPerson[], last: FilmedPerson | undefined, draw: Draw): FilmedPerson {
  for (;;) {
    const person = draw.pick(cast)
    if (person === undefined) throw new Error('a film has a cast')
    if (person !== last || cast.length === 1) return person
  }
}

function takeOf({ id, clips }: FilmedPerson, lengthS: number, draw: Draw): Take {
  const clip = draw.pick(clips)
  if (clip === undefined) throw new Error(`${id} has a clip`)
  const fromS = draw.between(0, Math.max(0, clip.durationS * filmShare - lengthS))
  const stretch = ['-ss', fromS.toFixed(3), '-t', (lengthS + 0.2).toFixed(3)]
  return { person: id, input: [...stretch, '-i', clip.path], isWide: clip.isWide }
}
