import { adoptRecipe, openArchive } from '../../../index/archive/open-archive.js'
import { inTransaction } from '../../../index/store/transaction.js'
import { gaussian, seededRandom } from '../../../pipeline/common/seeded-random.js'
import { encodeFloat16 } from '../../../pipeline/data/float16.js'
import { l2Normalise } from '../../../pipeline/data/vector-math.js'
import { defaultPackName, findPack } from '../../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../../pipeline/recipe/recipe.js'
import type { TrackOutput } from '../../../pipeline/segments/segment.js'

/** How alike faces are: cosine similarities of real photos. */
export interface Spread {
  /** Mean and standard deviation of pairs of one person. */
  readonly withinMean: number
  readonly withinDeviation: number
  /** Standard deviation of pairs of different people; their mean is about 0. */
  readonly betweenDeviation: number
}

export interface MadeTrack {
  /** Number of the person. */
  readonly person: number
  readonly descriptor: Float32Array
  readonly quality: number
}

/** Share of tracks of people who are seen once. */
const strangers = 0.3
/** Sizes of people fall with their rank to this power (Zipf). */
const zipfExponent = 1
/** A person has so many tracks on average. */
const meanSize = 20

/** Directions are cut out of one table of normal numbers. */
const tableSize = 1 << 20

/**
 * Makes tracks of people whose sizes follow Zipf's law, and of strangers. Descriptors lie in as many dimensions as give the spread
 * between people.
 */
export function* makeTracks(
  tracks: number,
  spread: Spread,
  dimension: number,
  seed = 1,
): Generator<MadeTrack, void> {
  const random = seededRandom(seed)
  const space = Math.max(2, Math.min(dimension, Math.round(spread.betweenDeviation ** -2)))
  const table = Float32Array.from({ length: tableSize + space }, () => gaussian(random))
  const sizes = zipfSizes(Math.round((1 - strangers) * tracks))
  const direction = (from: number) => l2Normalise(table.subarray(from, from + space))
  const anywhere = () => Math.floor(random() * tableSize)
  const centres = Uint32Array.from(sizes, anywhere)
  const order = Uint32Array.from({ length: tracks }, (_, at) => at)
  shuffle(order, random)
  const personAt = personOfTrack(sizes)
  for (const at of order) {
    const person = personAt(at)
    const centre = direction(centres[person] ?? anywhere())
    const noise = direction(anywhere())
    // The cosine of two tracks is the product of their cosines to the face.
    const deviation = spread.withinDeviation / Math.SQRT2 / Math.sqrt(spread.withinMean)
    const cosine = Math.min(0.98, Math.max(0.2, Math.sqrt(spread.withinMean) + deviation * gaussian(random)))
    const away = Math.sqrt(1 - cosine ** 2)
    const descriptor = new Float32Array(dimension)
    descriptor.set(l2Normalise(centre.map((value, i) => cosine * value + away * (noise[i] ?? 0))))
    yield { person, descriptor, quality: cosine ** 2 }
  }
}

/** Sizes of two or more that fall with the rank and sum up to `total`. */
export function zipfSizes(total: number): readonly number[] {
  const people = Math.max(1, Math.round(total / meanSize))
  const shares = Array.from({ length: people }, (_, rank) => (rank + 1) ** -zipfExponent)
  const sum = shares.reduce((all, share) => all + share, 0)
  return shares.map((share) => Math.max(2, Math.round((share / sum) * total)))
}

/** Tracks beyond those of the people are strangers: each a person of its own. */
function personOfTrack(sizes: readonly number[]): (track: number) => number {
  const ends: number[] = []
  let end = 0
  for (const size of sizes) ends.push((end += size))
  return (track) => {
    if (track >= end) return sizes.length + track - end
    let [low, high] = [0, ends.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) <= track) low = middle + 1
      else high = middle
    }
    return low
  }
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = kept
  }
}

const clipsAtOnce = 500
const point = { x: 50, y: 50 }
const facts = { sizeBytes: 1, durationS: 10, widthPx: 640, heightPx: 360, codec: 'h264', container: 'mp4' }

/** Fills a new archive with such tracks, one per clip. Returns the person of each, in order of track ids. */
export function fillWithTracks(dir: string, tracks: number, spread: Spread, seed = 1): number[] {
  const archive = openArchive(dir, { create: true })
  try {
    const pack = findPack(defaultPackName)
    const recipe = createRecipe(pack, defaultSettings)
    const { dimension } = pack.embedder
    const spaceId = adoptRecipe(archive, recipe, { packName: defaultPackName }, dimension, false)
    const key = { recipe: recipe.digest, embedder: recipe.embedderDigest, spaceId }
    const people: number[] = []
    const made = makeTracks(tracks, spread, dimension, seed)
    while (people.length < tracks)
      inTransaction(archive.database, () => {
        for (let n = 0; n < clipsAtOnce; n++) {
          const next = made.next()
          if (next.done === true) return
          const clip = { ...key, clipId: people.length.toString(16).padStart(64, '0') }
          people.push(next.value.person)
          archive.clips.plan(clip, facts, 1, true)
          archive.clips.storeSegment(clip, {
            segment: { index: 0, startS: 0, endS: 10 },
            ...{ frames: 40, faces: 40, truncated: false, provider: 'cpu' },
            tracks: [trackOf(next.value)],
          })
        }
      })
    return people
  } finally {
    archive.close()
  }
}

const trackOf = ({ descriptor, quality }: MadeTrack): TrackOutput => ({
  ...{ number: 0, spansS: [[0, 10]], samples: 40, quality, descriptor, thumbnailJpeg: new Uint8Array(64) },
  faces: [
    {
      ...{ timeS: 1, boxXyxyPx: [10, 10, 90, 110], landmarksPx: [point, point, point, point, point] },
      ...{ detectionScore: 0.9, quality, embedding: { float16: encodeFloat16(descriptor), norm: 20 } },
    },
  ],
})
