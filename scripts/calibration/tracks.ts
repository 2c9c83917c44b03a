import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openArchive } from '../../index/archive/open-archive.js'
import type { LabelledSample } from '../../index/evaluate/calibration/pair-scores.js'
import { readDescribedSpans, type DescribedSpans } from '../../index/store/stored-tracks.js'
import { note } from '../cli/output.js'
import type { CalibrationPhoto } from './photos.js'

export interface CalibrationTracks {
  readonly tracks: readonly LabelledSample[]
  readonly clips: number
  /**
   * Number of unused clips with more tracks than photos at once, so that some tracks may show another person.
   */
  readonly unclear: number
  /** Number of clips without a track. */
  readonly empty: number
}

export interface ClipsRequest {
  /** Folder of the photos, one folder per person. */
  readonly images: string
  /** Folder for the links to the photos, the clips and the archive. */
  readonly out: string
  /** Name or JSON file, as given. */
  readonly packName: string
  /** In the format of make-clips.mjs. */
  readonly hardness: string
}

/** Number of photos of a person that go into clips. The other photos are compared with these tracks. */
const photosInClips = 6
const strangers = 300

/**
 * Tracks with a known person: short clips of photos with one face each, ingested as any clip is. A clip shows
 * only its person: the background is the blurred photo itself, and every shot has another cover over a part
 * of the face.
 * @param photos with one face
 */
export function makeTracks(photos: readonly CalibrationPhoto[], request: ClipsRequest): CalibrationTracks {
  const links = join(request.out, 'images')
  for (const { person, name } of photos) {
    mkdirSync(join(links, person), { recursive: true })
    const link = join(links, person, name)
    if (!existsSync(link)) symlinkSync(resolve(request.images, person, name), link)
  }
  note('making clips (some minutes the first time) …')
  run([
    fileURLToPath(new URL('../../../scripts/make-clips.mjs', import.meta.url)),
    ...['--images', links, '--out', request.out],
    ...['--min-images', '2', '--max-images', String(photosInClips), '--strangers', String(strangers)],
    ...['--train-copies', '1', '--scene-affinity', '0', '--bystanders', '0', '--extras', '0'],
    ...['--occluders', 'varied', '--hardness', request.hardness],
  ])
  const archiveDir = join(request.out, 'archive')
  const cameo = fileURLToPath(new URL('../cameo.js', import.meta.url))
  run([cameo, 'ingest', join(request.out, 'clips'), '--archive', archiveDir, '--pack', request.packName])
  return readTracks(archiveDir, readShows(join(request.out, 'shows.txt')))
}

const run = (args: readonly string[]) =>
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })

interface Shown {
  readonly person: string
  readonly photos: readonly string[]
}

function readShows(file: string): Map<string, Shown> {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [clip = '', person = '', ...photos] = line.split('\t')
      return [clip, { person, photos }]
    }),
  )
}

function readTracks(archiveDir: string, shows: ReadonlyMap<string, Shown>): CalibrationTracks {
  const archive = openArchive(archiveDir)
  try {
    const byClip = new Map<string, DescribedSpans[]>()
    for (const row of readDescribedSpans(archive.database)) {
      const clip = basename(archive.files.pathsOf(row.clipId)[0] ?? row.clipId)
      byClip.set(clip, [...(byClip.get(clip) ?? []), row])
    }
    const tracks: LabelledSample[] = []
    let unclear = 0
    for (const [clip, { person, photos }] of shows) {
      const own = byClip.get(clip) ?? []
      if (own.length > photos.length || overlap(own)) unclear++
      else
        for (const { descriptor, quality } of own)
          tracks.push({ person, sources: photos, quality, descriptor })
    }
    return { tracks, clips: shows.size, unclear, empty: shows.size - byClip.size }
  } finally {
    archive.close()
  }
}

function overlap(tracks: readonly DescribedSpans[]): boolean {
  const spans = tracks.flatMap(({ spansS }) => spansS).sort(([a], [b]) => a - b)
  return spans.some(([startS], i) => startS < (spans[i - 1]?.[1] ?? -Infinity))
}
