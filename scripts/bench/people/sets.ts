import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openArchive } from '../../../index/archive/open-archive.js'
import { readArchiveFeatures } from '../../../index/evaluate/datasets/archive-features.js'
import { personTracks, tracksOfClips } from '../../../index/evaluate/datasets/person-tracks.js'
import { readAppearances } from '../../../index/evaluate/datasets/appearances.js'
import type { SpanS } from '../../../index/evaluate/data/appearances.js'
import { readTracks, type ReadTracks } from '../../../index/people/read-tracks.js'
import { shareFrames } from '../../../index/people/tracks-to-group.js'
import { activeSpace } from '../../../index/store/meta.js'
import { dotProduct, l2Normalise } from '../../../pipeline/data/vector-math.js'
import type { Pack } from '../../../pipeline/models/packs/pack.js'
import { poolTracks } from '../../../pipeline/training/face-columns.js'
import { embedPhotos } from '../../calibration/photos.js'
import { note } from '../../cli/output.js'
import { rowsOf, type LabelledTracks } from './labelled-tracks.js'

const script = (name: string) => fileURLToPath(new URL(`../../../../scripts/${name}`, import.meta.url))
const cameo = fileURLToPath(new URL('../../cameo.js', import.meta.url))

/** Photos of people: each is a track of a clip of its own. */
export async function photoTracks(images: string, pack: Pack, out: string): Promise<LabelledTracks> {
  const { photos } = await embedPhotos(images, pack, join(out, `photos-${basename(images)}.json`))
  const { dimension } = pack.embedder
  const count = photos.length
  const vectors = new Float32Array(count * dimension)
  for (const [row, { descriptor }] of photos.entries()) vectors.set(descriptor, row * dimension)
  return {
    ...{ count, dimension, vectors, people: photos.map(({ person }) => person) },
    qualities: Float32Array.from(photos, ({ quality }) => quality),
    clips: Int32Array.from(photos, (_, row) => row),
    firstSpan: Uint32Array.from({ length: count + 1 }, (_, row) => row),
    startsS: new Float64Array(count),
    endsS: new Float64Array(count),
  }
}

export interface ClipSetOptions {
  readonly images: string
  readonly out: string
  readonly hardness: number
  readonly strangers: number
  readonly people: number
  readonly minFace: number
  readonly pack: Pack
}

/** Clips like those of `bench:map`, made and ingested once. */
export async function clipTracks({
  images,
  out,
  hardness,
  strangers,
  people,
  minFace,
  pack,
}: ClipSetOptions): Promise<LabelledTracks> {
  const dir = join(out, `clips-${hardness}-${strangers}-${people}`)
  mkdirSync(dir, { recursive: true })
  const [set, archive] = [join(dir, 'set'), join(dir, 'archive')]
  run('the clips', [
    ...[script('make-clips.mjs'), '--images', images, '--out', set, '--hardness', `${hardness}`],
    ...['--strangers', `${strangers}`, '--limit-people', `${people}`],
  ])
  run('the ingest', [cameo, 'ingest', join(set, 'clips'), '--archive', archive, '--min-face', `${minFace}`])
  const lines = readFileSync(join(set, 'shows.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const shows = new Map(lines.map((line) => line.split('\t')).map(([clip = '', name = '']) => [clip, name]))
  return readLabelled(archive, shows, centresOf(await photoTracks(images, pack, out)))
}

/** The mean of each person's photos, L2-normalised. */
export function centresOf({
  count,
  dimension,
  vectors,
  people,
}: LabelledTracks): ReadonlyMap<string, Float32Array> {
  const sums = new Map<string, Float32Array>()
  for (let row = 0; row < count; row++) {
    const person = people[row] ?? ''
    const sum = sums.get(person) ?? new Float32Array(dimension)
    sums.set(person, sum)
    for (let i = 0; i < dimension; i++) sum[i] = (sum[i] ?? 0) + (vectors[row * dimension + i] ?? 0)
  }
  return new Map([...sums].map(([person, sum]) => [person, l2Normalise(sum)]))
}

/**
 * The similarity to a person's photos below which a track is not that person: where only the backdrop's face was found. Few tracks of
 * other people reach it.
 */
const leastLikeness = 0.15
/** The same for a further track of the clip: the person in the clip's second shot. */
const secondShot = 0.3

/**
 * Labels the track that shows the person of each clip, and that of its second shot; other tracks show somebody who is not measured.
 */
export async function readLabelled(
  dir: string,
  shows: ReadonlyMap<string, string>,
  centres: ReadonlyMap<string, Float32Array>,
): Promise<LabelledTracks> {
  const archive = openArchive(dir)
  try {
    const tracks = await readTracks(archive.database, spaceOf(archive.database))
    const features = readArchiveFeatures(archive)
    const clipsOf = new Map<string, number[]>()
    for (const [clip, name] of features.clipNames.entries()) {
      const person = shows.get(name)
      if (person !== undefined) clipsOf.set(person, [...(clipsOf.get(person) ?? []), clip])
    }
    const pooled = poolTracks(features, 'quality')
    const first = tracksOfClips(features)
    const mainOf = new Map<number, string>()
    for (const [person, clips] of clipsOf)
      for (const track of personTracks(features, first, pooled, clips))
        mainOf.set(features.trackIds[track] ?? -1, person)
    return {
      ...tracks,
      people: labelled(
        tracks,
        Array.from(tracks.trackIds, (id) => mainOf.get(id)),
        centres,
      ),
    }
  } finally {
    archive.close()
  }
}

/** A clip of two shots shows its person in both; what is on screen together with the person is somebody else. */
function labelled(
  tracks: ReadTracks,
  mains: readonly (string | undefined)[],
  centres: ReadonlyMap<string, Float32Array>,
): (string | undefined)[] {
  const { dimension, vectors, clips } = tracks
  const likeness = (person: string, row: number) => {
    const centre = centres.get(person)
    return centre === undefined
      ? 1
      : dotProduct(centre, vectors.subarray(row * dimension, (row + 1) * dimension))
  }
  const mainOf = new Map<number, number>()
  for (const [row, person] of mains.entries()) if (person !== undefined) mainOf.set(clips[row] ?? -1, row)
  return mains.map((person, row) => {
    if (person !== undefined) return likeness(person, row) >= leastLikeness ? person : undefined
    const main = mainOf.get(clips[row] ?? -1)
    const of = main === undefined ? undefined : mains[main]
    if (main === undefined || of === undefined || shareFrames(tracks, main, row)) return undefined
    return likeness(of, row) >= secondShot ? of : undefined
  })
}

const spaceOf = (database: Parameters<typeof activeSpace>[0]) => {
  const space = activeSpace(database)
  if (space === undefined) throw new Error('the archive has no tracks')
  return space
}

/**
 * Films with known appearances: DIR/films, and DIR/appearances.csv. Only tracks during which one person is seen most of the time, and
 * nobody else: of others it is not known whom they show.
 */
export async function filmTracks(dir: string, out: string): Promise<LabelledTracks> {
  const archiveDir = join(out, `films-${basename(dirname(dir))}-${basename(dir)}`)
  run('the ingest', [cameo, 'ingest', join(dir, 'films'), '--archive', archiveDir])
  const { films } = readAppearances(join(dir, 'appearances.csv'))
  const archive = openArchive(archiveDir)
  try {
    const tracks = await readTracks(archive.database, spaceOf(archive.database))
    const { trackIds, clipNames, trackClips } = readArchiveFeatures(archive)
    const filmOf = new Map(trackIds.map((id, at) => [id, clipNames[trackClips[at] ?? 0] ?? '']))
    const people = Array.from({ length: tracks.count }, (_, row) =>
      onlyPerson(films.get(filmOf.get(tracks.trackIds[row] ?? -1) ?? ''), spansOf(tracks, row)),
    )
    const known = Array.from(people.keys()).filter((row) => people[row] !== undefined)
    return rowsOf({ ...tracks, people }, known)
  } finally {
    archive.close()
  }
}

const spansOf = ({ firstSpan, startsS, endsS }: ReadTracks, row: number): SpanS[] =>
  Array.from({ length: (firstSpan[row + 1] ?? 0) - (firstSpan[row] ?? 0) }, (_, i) => {
    const span = (firstSpan[row] ?? 0) + i
    return { startS: startsS[span] ?? 0, endS: (endsS[span] ?? 0) + 0.01 }
  })

/** Share of a track's time in which somebody must be seen, and nobody else more than the rest. */
const mostOfTheTime = 0.9

function onlyPerson(
  seen: ReadonlyMap<string, readonly SpanS[]> | undefined,
  spans: readonly SpanS[],
): string | undefined {
  const total = spans.reduce((sum, { startS, endS }) => sum + endS - startS, 0)
  const shares = [...(seen ?? [])].map(([person, own]) => {
    const common = own.flatMap((one) =>
      spans.map((other) => Math.max(0, Math.min(one.endS, other.endS) - Math.max(one.startS, other.startS))),
    )
    return { person, share: common.reduce((sum, time) => sum + time, 0) / total }
  })
  const [most, second] = shares.sort((a, b) => b.share - a.share)
  if (most === undefined || most.share < mostOfTheTime) return undefined
  return (second?.share ?? 0) > 1 - mostOfTheTime ? undefined : most.person
}

/** A part of the tracks, for a quick look. */
export const firstTracks = (tracks: LabelledTracks, count: number): LabelledTracks =>
  rowsOf(
    tracks,
    Array.from({ length: Math.min(count, tracks.count) }, (_, row) => row),
  )

function run(what: string, args: readonly string[]): void {
  if (!existsSync(args[0] ?? '')) throw new Error(`${args[0] ?? ''} is missing`)
  note(`${what} …`)
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0 && status !== 1) throw new Error(`${what} ended with ${status ?? 'a signal'}`)
}
