import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import sharp from 'sharp'
import { clipPath, makeClips } from '../../scripts/demo/demo-clips.js'
import { photos, type PhotoName } from '../../scripts/demo/demo-photos.js'
import {
  appearanceOf,
  clipSize,
  demoClips,
  faceNames,
  frameCount,
  clipFps,
  personOf,
  viewBox,
  wanted,
  type DemoClip,
} from '../../scripts/demo/demo-table.js'
import { temporaryFolder } from './make-video.js'

const photoNames = Object.keys(photos) as PhotoName[]
const people = [...new Set(faceNames.map(personOf))]
const secondsShown = (person: string, clip: DemoClip) =>
  appearanceOf(person, clip).rangesS.reduce((sum, [startS, endS]) => sum + endS - startS, 0)

describe('the table of demo clips', () => {
  it('shows every photo in at least three clips', () => {
    for (const photo of photoNames) {
      const clips = demoClips.filter(({ shots }) => shots.some((shot) => shot.photo === photo))
      assert.ok(clips.length >= 3, `${photo} is in ${clips.length} clips`)
    }
  })

  it('shows every one of the 21 people for a second in at least two clips, in different conditions', () => {
    assert.equal(people.length, 21)
    for (const person of people) {
      const clips = demoClips.filter((clip) => secondsShown(person, clip) >= 1)
      const conditions = new Set(clips.map(({ condition }) => condition))
      assert.ok(clips.length >= 2 && conditions.size >= 2, `${person} is in ${clips.length} clips`)
    }
  })

  it('shows the wanted person for at least a second in a clip, or not at all', () => {
    for (const clip of demoClips) {
      const { glimpsed } = appearanceOf(wanted, clip)
      assert.ok(!glimpsed || secondsShown(wanted, clip) >= 1, clip.name)
    }
    const showing = demoClips.filter((clip) => appearanceOf(wanted, clip).glimpsed)
    assert.ok(showing.length >= 5 && demoClips.length - showing.length >= 5)
  })

  it('shows the wanted person from each of her two photos', () => {
    const showing = demoClips.filter((clip) => appearanceOf(wanted, clip).glimpsed)
    for (const photo of ['costumes', 'bar'])
      assert.ok(showing.filter(({ shots }) => shots.some((shot) => shot.photo === photo)).length >= 2, photo)
  })

  it('knows who appears in a clip with cuts, and when', () => {
    const clip = demoClips.find(({ name }) => name === 'cuts-bar-stairs-window-flicker')!
    assert.deepEqual(roundedRanges('bar left', clip), [[0, 1.5]])
    assert.deepEqual(roundedRanges('stairs front', clip), [[1.5, 3]])
    assert.deepEqual(roundedRanges('window fourth', clip), [[3, 4.5]])
    assert.deepEqual(appearanceOf('sofa left', clip), { rangesS: [], glimpsed: false })
  })

  it('gives each clip a unique name from its photos and its condition', () => {
    assert.equal(new Set(demoClips.map(({ name }) => name)).size, demoClips.length)
    for (const { name, shots, condition } of demoClips)
      for (const part of [...shots.map(({ photo }) => photo), condition]) assert.ok(name.includes(part), name)
  })

  it('keeps clips between 3 and 6 seconds, and every view inside its photo', () => {
    for (const { name, shots } of demoClips) {
      const seconds = shots.reduce((sum, shot) => sum + shot.seconds, 0)
      assert.ok(seconds >= 3 && seconds <= 6, name)
      for (const { photo, from, to } of shots)
        for (const [x1, y1, x2, y2] of [viewBox(photo, from), viewBox(photo, to)]) {
          const { widthPx, heightPx } = photos[photo]
          assert.ok(x1 >= 0 && y1 >= 0 && x2 <= widthPx + 1e-6 && y2 <= heightPx + 1e-6, name)
        }
    }
  })
})

describe('makeClips', () => {
  const photosDir = temporaryFolder()
  const clipsDir = temporaryFolder()
  const named = (name: string) => demoClips.find((clip) => clip.name === name)!
  const pan = named('bar-pan-plain')
  const zoom = named('window-zoom-out-coarse')
  const mirroredCuts = named('cuts-sofa-party-costumes-mirrored')
  const clips = [pan, zoom, mirroredCuts]

  before(async () => {
    for (const photo of ['bar', 'window', 'sofa', 'party', 'costumes'] as const) await writeGradient(photo)
    await makeClips(clips, photosDir, clipsDir)
  })

  /** Writes a photo that is black on the left, white on the right, and linear between. */
  async function writeGradient(photo: PhotoName): Promise<void> {
    const { file, widthPx: width, heightPx: height } = photos[photo]
    const row = Uint8Array.from({ length: width }, (_, x) => (255 * (x + 0.5)) / width)
    const pixels = Buffer.concat(Array<Uint8Array>(height).fill(row))
    await sharp(pixels, { raw: { width, height, channels: 1 } })
      .jpeg({ quality: 95 })
      .toFile(join(photosDir, file))
  }

  it('makes H.264 clips with the length and size of the table', () => {
    for (const clip of clips) {
      const { streams } = probe(clipPath(clipsDir, clip))
      const frames = clip.shots.reduce((sum, shot) => sum + frameCount(shot), 0)
      const stream = streams[0]!
      assert.equal(streams.length, 1)
      assert.equal(stream.codec_name, 'h264')
      assert.deepEqual([stream.width, stream.height], [clipSize.widthPx, clipSize.heightPx])
      assert.ok(Math.abs(Number(stream.duration) - frames / clipFps) < 0.01, stream.duration)
    }
  })

  it('moves the camera from the first view to the last', () => {
    const { photo, from, to } = pan.shots[0]!
    const frames = greyAcross(clipPath(clipsDir, pan))
    assertShows(frames.at(0)!, viewBox(photo, from), photo)
    assertShows(frames.at(-1)!, viewBox(photo, to), photo)
  })

  it('shows a mirrored photo from right to left', () => {
    const { photo, from } = mirroredCuts.shots[0]!
    const first = greyAcross(clipPath(clipsDir, mirroredCuts)).at(0)!
    assertShows(first.toReversed(), viewBox(photo, from), photo)
  })
})

function roundedRanges(person: string, clip: DemoClip): number[][] {
  return appearanceOf(person, clip).rangesS.map((range) =>
    range.map((timeS) => Math.round(timeS * 100) / 100),
  )
}

/**
 * Checks the gradient's greys at the left, the middle and the right of the view, within the changes of
 * scaling and coding.
 */
function assertShows(
  row: Uint8Array,
  [x1, , x2]: readonly [number, number, number, number],
  photo: PhotoName,
): void {
  for (const share of [0.05, 0.5, 0.95]) {
    const expected = (255 * (x1 + (x2 - x1) * share)) / photos[photo].widthPx
    const actual = row[Math.floor(row.length * share)]!
    assert.ok(Math.abs(actual - expected) <= 4, `grey ${actual} at ${share}, expected ${expected}`)
  }
}

/** The middle row of every frame, as greys 0..255. */
function greyAcross(path: string): Uint8Array[] {
  const { widthPx, heightPx } = clipSize
  const row = ['-vf', `scale=out_range=full,format=gray,crop=${widthPx}:1:0:${heightPx / 2}`]
  const pixels = execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...row, '-f', 'rawvideo', '-'])
  return Array.from({ length: pixels.length / widthPx }, (_, k) =>
    Uint8Array.from(pixels.subarray(k * widthPx, (k + 1) * widthPx)),
  )
}

interface Probe {
  readonly streams: readonly {
    readonly codec_name: string
    readonly width: number
    readonly height: number
    readonly duration: string
  }[]
}

function probe(path: string): Probe {
  const output = execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', path])
  return JSON.parse(output.toString()) as Probe
}
