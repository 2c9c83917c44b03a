/**
 * Films made from photos: the harder set. Photos pan and zoom, casts are larger, and look-alikes follow each
 * other.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { seededPart } from '../../../pipeline/common/seeded-random.js'
import { pictureNames } from '../../../index/evaluate/protocols/embed-benchmark.js'
import {
  createReel,
  drawColour,
  drawFrom,
  filmName,
  formCount,
  formOf,
  framesPerS,
  wholeFrames,
  type Draw,
  type Film,
  type FilmForm,
  type Join,
  type Place,
  type Take,
} from './plan.js'

export interface PhotographedPerson {
  readonly id: string
  readonly photos: readonly string[]
}

/** A person with one photo that is kept out of the films, for the query. */
export interface CastPerson extends PhotographedPerson {
  readonly queryPhoto: string
}

/** One for the query, and three so that shots differ. */
const fewestPhotos = 4

/**
 * Everyone in a folder PERSON/*.jpg (LFW's layout) with enough photos.
 * @throws USAGE if the folder cannot be read, or has too few people
 */
export function readPhotographedPeople(dir: string): PhotographedPerson[] {
  const people = photosByPerson(dir).filter(({ photos }) => photos.length >= fewestPhotos)
  if (people.length < mostPeople)
    throw new CameoError(
      'USAGE',
      `${dir} has ${people.length} people with ${fewestPhotos} photos or more: films need ${mostPeople}`,
    )
  return people
}

/** The random generator of a person's query differs from that of every film. */
const queryPart = -1

/** Any photo may become the query. */
export function keepOutQueries(people: readonly PhotographedPerson[], seed: number): CastPerson[] {
  return people.map(({ id, photos }, number) => {
    const at = drawFrom(seededPart(seed, queryPart, number)).below(photos.length)
    return { id, photos: photos.toSpliced(at, 1), queryPhoto: photos[at] ?? '' }
  })
}

function photosByPerson(dir: string): PhotographedPerson[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
      .map((id) => ({ id, photos: pictureNames(join(dir, id)).map((name) => join(dir, id, name)) }))
  } catch (cause) {
    throw new CameoError('USAGE', `the photos in ${dir} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

const [fewestPeople, mostPeople] = [4, 7]
const [shortestShotS, longestShotS] = [1.2, 5]
const [shortestOverS, longestOverS] = [0.2, 2]
/**
 * Largest share of a shot that a transition covers, so that the person is seen alone between two transitions.
 */
const overShare = 0.4
/** Share of the shots in films of look-alikes in which a look-alike follows. */
const alikeShare = 0.6

const places: readonly Place[] = ['full', 'boxed', 'backdrop', 'split', 'inset']
const mixedJoins: readonly Join[] = ['cut', 'cut', 'dissolve', 'dissolve', 'fadeblack', 'wipeleft']

/** Last part of the name of films that show look-alikes next to each other. */
export const alikeTrait = 'alike'

/** For each person the most similar other people, most similar first. */
export type LookAlikes = ReadonlyMap<string, readonly string[]>

/** The plans of all films. Every form comes once with random people and once with look-alikes. */
export function planFilmsOfPhotos(
  people: readonly CastPerson[],
  lookAlikes: LookAlikes,
  films: number,
  seed: number,
): Film[] {
  return Array.from({ length: films }, (_, number) => {
    const draw = drawFrom(seededPart(seed, number))
    const order = draw.shuffle(people)
    const castSize = fewestPeople + draw.below(mostPeople - fewestPeople + 1)
    const isAlike = Math.floor(number / formCount) % 2 === 1
    const form = formOf(number)
    const cast = isAlike ? castOfLookAlikes(order, lookAlikes, castSize) : order.slice(0, castSize)
    return {
      name: filmName(number, form, ...(isAlike ? [alikeTrait] : [])),
      backdropColour: drawColour(draw),
      shots: planShots(cast, isAlike ? lookAlikes : new Map(), form, draw),
    }
  })
}

/**
 * Each person is followed by their nearest look-alike; if that one is already in the cast, by the next
 * nearest.
 */
function castOfLookAlikes(
  order: readonly CastPerson[],
  lookAlikes: LookAlikes,
  castSize: number,
): CastPerson[] {
  const cast = new Set<CastPerson>()
  for (const person of order) {
    if (cast.has(person)) continue
    cast.add(person)
    const alike = nearestOf(
      person,
      lookAlikes,
      order.filter((other) => !cast.has(other)),
    )
    if (alike !== undefined) cast.add(alike)
    if (cast.size >= castSize) break
  }
  return [...cast].slice(0, castSize)
}

function nearestOf(
  { id }: CastPerson,
  lookAlikes: LookAlikes,
  among: readonly CastPerson[],
): CastPerson | undefined {
  const nearest = lookAlikes.get(id)?.find((alike) => among.some((other) => other.id === alike))
  return among.find((other) => other.id === nearest)
}

/** Everyone of the cast in order, then people drawn at random. */
function planShots(
  cast: readonly CastPerson[],
  lookAlikes: LookAlikes,
  { style, joins }: FilmForm,
  draw: Draw,
): Film['shots'] {
  const reel = createReel()
  const photoOf = photoTurns(cast, draw)
  const shots = cast.length + 4 + draw.below(5)
  let last: CastPerson | undefined
  for (let number = 0; number < shots; number++) {
    const person = cast[number] ?? drawNext(cast, last, lookAlikes, draw)
    last = person
    const lengthS = wholeFrames(draw.between(shortestShotS, longestShotS))
    const place = style === 'mixed' ? (draw.pick(places) ?? 'full') : style
    const take = takeOf(person.id, photoOf(person), lengthS, draw)
    const isForTwo = place === 'split' || place === 'inset'
    const other = isForTwo ? draw.pick(cast.filter((one) => one !== person)) : undefined
    const takes =
      other === undefined
        ? ([take] as const)
        : ([take, takeOf(other.id, photoOf(other), lengthS, draw)] as const)
    const join = joins === 'mixed' ? (draw.pick(mixedJoins) ?? 'cut') : joins
    reel.add({ place, takes, lengthS, join }, draw.between(shortestOverS, longestOverS), overShare)
  }
  return reel.shots
}

/** Anyone except the last person. In films of look-alikes often a look-alike of the last person. */
function drawNext(
  cast: readonly CastPerson[],
  last: CastPerson | undefined,
  lookAlikes: LookAlikes,
  draw: Draw,
): CastPerson {
  const others = cast.filter((person) => person !== last)
  const anyone = draw.pick(others)
  const isAlike = draw.between(0, 1) < alikeShare
  const alike = isAlike && last !== undefined ? nearestOf(last, lookAlikes, others) : undefined
  const next = alike ?? anyone
  if (next === undefined) throw new Error('a film has a cast of several people')
  return next
}

/**
 * The photos of each person take turns in an order that depends on the film, so that two consecutive shots of
 * one person differ.
 */
function photoTurns(cast: readonly CastPerson[], draw: Draw): (person: CastPerson) => string {
  const turns = new Map(cast.map((person) => [person, draw.shuffle(person.photos)]))
  return (person) => {
    const photos = turns.get(person) ?? []
    const photo = photos.shift()
    if (photo === undefined) throw new Error(`${person.id} has photos`)
    photos.push(photo)
    return photo
  }
}

/**
 * The middle of an LFW photo shows its person and hardly anybody else: 150 of 250 px, of which a face has
 * about 100.
 */
const middle = `crop=w='min(iw,ih)*0.6':h='min(iw,ih)*0.6'`

/** Scaled up first, because zoompan moves by whole pixels of its input. */
const magnifiedPx = 960

/** A shot of a photo as by a hand-held camera: it moves closer or away, to one side, and shakes. */
function takeOf(person: string, photo: string, lengthS: number, draw: Draw): Take {
  const frames = Math.ceil((lengthS + 0.2) * framesPerS)
  const number = (low: number, high: number) => draw.between(low, high).toFixed(4)
  const ramp = (low: number, high: number) => {
    const [from, to] = [number(low, high), number(low, high)]
    return `(${from}+(${to}-${from})*on/${frames})`
  }
  const shake = () => `${number(0, 5)}*sin(${number(0.2, 0.7)}*on+${number(0, 6.28)})`
  const pan = (side: string) => `(${side}-${side}/zoom)*${ramp(0.3, 0.7)}+${shake()}+${shake()}`
  const [zoom, x, y] = [ramp(1.05, 1.25), pan('iw'), pan('ih')]
  const view = `zoompan=z='${zoom}':x='${x}':y='${y}':d=${frames}:s=480x480:fps=${framesPerS}`
  const still = `${middle},scale=${magnifiedPx}:${magnifiedPx}:flags=lanczos:out_range=tv,format=yuv420p`
  return { person, input: ['-i', photo], motion: `${still},${view}`, isWide: false }
}

/** The person's photo, cut out as a user would do for a search, in the size of a passport photo. */
export const queryOfPhoto = ({ queryPhoto }: CastPerson): string[] => [
  ...['-i', queryPhoto],
  ...['-vf', `${middle},scale=600:600:flags=lanczos`],
]
