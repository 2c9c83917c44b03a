import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { assertFailed, foundFiles, ingest, search, type Answer, type Ingested } from '../support/answers.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFacePhoto } from '../support/faces.js'
import {
  makeAnimatedAvif,
  makeEncrypted,
  makeGrowingSize,
  makeGrowingVp8,
  makeHole,
  makeJoined,
  makePictureBeforeFilm,
  makePreviewBeforeFilm,
  makeTurnedBySei,
  makeTwoPrograms,
} from '../support/field-videos.js'

const dir = temporaryDir()
const archiveDir = join(dir, 'archive')
const clip = (name: string) => join(dir, 'clips', name)

describe('ingest: videos from the field', () => {
  let run: Ingested
  let answer: Answer

  before(async () => {
    mkdirSync(join(dir, 'clips'))
    await makePictureBeforeFilm(clip('picture.mp4'))
    await makePreviewBeforeFilm(clip('preview.mkv'), 'film')
    await makeTwoPrograms(clip('programs.ts'))
    await makeGrowingSize(clip('grows.ts'))
    await makeGrowingVp8(clip('grows.webm'))
    await makeTurnedBySei(clip('turned.ts'))
    await makeHole(clip('hole.mp4'), 0.28, 0.8)
    await makeJoined(clip('joined.ts'), [4, 3])
    await makeAnimatedAvif(clip('animated.avif'))
    await makeEncrypted(clip('encrypted.mp4'))
    const names = ['picture.mp4', 'preview.mkv', 'programs.ts', 'grows.ts', 'grows.webm', 'turned.ts', 'hole.mp4', 'joined.ts', 'animated.avif', 'encrypted.mp4'] // prettier-ignore
    run = await ingest([...names.map(clip), '--archive', archiveDir])
    const photo = join(dir, 'photo.jpg')
    await makeFacePhoto(photo, 'party first')
    answer = await search(['--image', photo, '--archive', archiveDir])
  })

  const durationOf = (name: string) => answer.results.find(({ path }) => path === clip(name))?.durationS
  const rangesOf = (name: string) => answer.results.find(({ path }) => path === clip(name))?.ranges ?? []

  it('finds the person in each clip that can be decoded', () => {
    assert.equal(run.code, 1, run.stderr)
    const decoded = run.lines.filter(({ status }) => status === 'done')
    assert.deepEqual(decoded.map(({ tracks }) => tracks), Array(9).fill(1)) // prettier-ignore
    assert.deepEqual(foundFiles(answer).sort(), decoded.map(({ path }) => basename(path)).sort())
  })

  it('reports and stores which video streams were left out', () => {
    for (const name of ['picture.mp4', 'preview.mkv', 'programs.ts']) {
      const [sentence = '', ...others] = run.of(name).leftOut ?? []
      assert.match(
        sentence,
        /stream 0 .* was not processed: stream 1 \(h264, 320×240\) was chosen as the film/,
      )
      assert.deepEqual(others, [])
    }
    assert.equal(run.of('joined.ts').leftOut, undefined)
    const archive = openArchive(archiveDir)
    const kept = archive.clips.run({ clipId: run.of('picture.mp4').clipId ?? '', recipe: archive.recipe?.digest ?? '' }) // prettier-ignore
    archive.close()
    assert.deepEqual(kept?.leftOut, run.of('picture.mp4').leftOut)
  })

  it('gives faces in larger later frames in the coordinates of the first frames', () => {
    for (const name of ['grows.ts', 'grows.webm']) {
      const found = answer.results.find(({ path }) => path === clip(name))
      for (const { boxXyxyPx, timeS } of found?.faces ?? []) {
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = boxXyxyPx
        assert.ok(timeS >= 1)
        // The picture of 160×120 lies at 500, 200 of 1280×720: at 125, 50 of 320×180.
        assert.ok(x1 >= 120 && x2 <= 170 && y1 >= 45 && y2 <= 85, `${name}: ${boxXyxyPx.join(' ')}`)
      }
    }
  })

  it('reports the lost seconds of a clip with a hole, and no range lies in the hole', () => {
    const { damaged, lostS = 0, truncated } = run.of('hole.mp4')
    assert.deepEqual([damaged, truncated], [true, undefined])
    assert.ok(lostS > 5 && lostS < 8, `${lostS} s`)
    const ranges = rangesOf('hole.mp4')
    assert.equal(ranges.length, 2)
    const [before, after] = ranges
    assert.ok((before?.endS ?? 12) < 4 && (after?.startS ?? 0) > 9, JSON.stringify(ranges))
    assert.equal(run.of('joined.ts').damaged, undefined)
  })

  it('a second run reports the same', async () => {
    const again = await cameo(['ingest', clip('hole.mp4'), clip('picture.mp4'), '--archive', archiveDir])
    assert.match(again.stdout, /unchanged .*hole\.mp4: 1 track, damaged: \d\.\d s could not be decoded/)
    assert.match(again.stdout, /picture\.mp4: 1 track, video stream 0/)
  })

  it('a joined recording and an animated AVIF have their true length', () => {
    for (const [name, seconds] of [
      ['joined.ts', 7],
      ['animated.avif', 3],
    ] as const)
      // prettier-ignore
      assert.ok(Math.abs((durationOf(name) ?? 0) - seconds) < 0.1, `${name}: ${durationOf(name)} s`)
  })

  it('an encrypted clip fails as CLIP_ENCRYPTED', () => {
    assertFailed(run.of('encrypted.mp4'), 'CLIP_ENCRYPTED')
  })
})
