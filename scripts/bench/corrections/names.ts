import { basename, join } from 'node:path'
import { indexClipNames } from '../../../index/evaluate/datasets/clip-names.js'
import { readGroundTruth } from '../../../index/evaluate/datasets/ground-truth.js'
import { tracksOfClip } from '../../../index/identities/verdicts.js'
import { openArchiveToRead } from '../../../index/archive/open-archive.js'
import { clipIdsWithPath } from '../../../index/store/clip-lookup.js'
import { l2Normalise } from '../../../pipeline/data/vector-math.js'
import { seededRandom } from '../../../pipeline/common/seeded-random.js'
import type { BenchClip, BenchName } from './simulate.js'

/** The clips that `make-clips.mjs` made, as an archive holds them, and who is in them. */
export interface BenchData {
  readonly clips: readonly BenchClip[]
  /** Names of the clips that show each person. */
  readonly shows: ReadonlyMap<string, ReadonlySet<string>>
  /** Those of them that a name may be enrolled from. */
  readonly references: ReadonlyMap<string, readonly string[]>
}

export function readBenchData(set: string, archiveDir: string): BenchData {
  const archive = openArchiveToRead(archiveDir, () => undefined)
  try {
    const { database, files } = archive
    const clips = clipIdsWithPath(database).map((clipId) => ({
      name: basename(files.pathsOf(clipId)[0] ?? clipId),
      tracks: tracksOfClip(database, clipId).map(({ trackId, descriptor }) => ({ trackId, descriptor })),
    }))
    const known = indexClipNames(clips.map(({ name }) => [name]))
    const shows = new Map<string, Set<string>>()
    const references = new Map<string, string[]>()
    for (const list of ['train_gt.txt', 'val_gt.txt', 'test_gt.txt'])
      for (const [identity, named] of readGroundTruth(join(set, list), known).groundTruth) {
        const own = shows.get(identity) ?? new Set<string>()
        for (const clip of named) own.add(basename(clip))
        shows.set(identity, own)
        if (list === 'train_gt.txt')
          references.set(
            identity,
            [...named].map((clip) => basename(clip)),
          )
      }
    return { clips, shows, references }
  } finally {
    archive.close()
  }
}

export interface NamesOptions {
  readonly trials: number
  /** Clips that a name is enrolled from. */
  readonly references: number
  readonly seed: number
}

/**
 * Each person as a name that rests on some clips, in one or several trials. The people are split at random: one half to
 * choose settings on, the other one to measure.
 */
export function benchNames(
  { clips, shows, references }: BenchData,
  { trials, references: count, seed }: NamesOptions,
): { readonly tuned: BenchName[]; readonly held: BenchName[] } {
  const random = seededRandom(seed)
  const byName = new Map(clips.map((clip) => [clip.name, clip]))
  const halves: { tuned: BenchName[]; held: BenchName[] } = { tuned: [], held: [] }
  const shuffled = [...references]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((entry) => ({ entry, place: random() }))
    .sort((a, b) => a.place - b.place)
  for (const [i, { entry }] of shuffled.entries()) {
    const [identity, own] = entry
    for (let trial = 0; trial < trials; trial++) {
      const chosen = new Set(
        Array.from({ length: count }, () => own[Math.floor(random() * own.length)] ?? ''),
      )
      const tracks = [...chosen].flatMap((name) => byName.get(name)?.tracks[0]?.descriptor ?? [])
      const [first] = tracks
      if (first === undefined) continue
      const descriptor = l2Normalise(
        first.map((_, d) => tracks.reduce((sum, track) => sum + (track[d] ?? 0), 0)),
      )
      const positives = new Set([...(shows.get(identity) ?? [])].filter((name) => !chosen.has(name)))
      const pool = clips.filter(({ name }) => !chosen.has(name))
      const query = { descriptor, references: tracks.length }
      halves[i % 2 === 0 ? 'tuned' : 'held'].push({ identity, query, positives, pool })
    }
  }
  return halves
}
