import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import sharp from 'sharp'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { chooseFace, readPhoto, type Photo } from '../../pipeline/photos/process-photo.js'
import { mainPerson, peopleOfClip } from '../../pipeline/photos/process-query-clip.js'
import { unturnBox } from '../../pipeline/faces/quarter-turn.js'
import { iou } from '../../pipeline/data/geometry.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import { temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { ffmpeg, x264 } from '../support/faces.js'
import { dotProduct, l2Normalise } from '../../pipeline/data/vector-math.js'
import type { Embedding } from '../../pipeline/data/embedding.js'

const people = join(testDataDir(), 'data/people')
const names = readdirSync(people).sort()
const dir = temporaryDir()
const stages = await loadStages({
  ...{ pack: findPack(defaultPackName), modelsDir: defaultModelsDir(), settings: defaultSettings },
  device: { kind: 'cpu' },
})
after(() => stages.dispose())

/** The person's face; undefined where the photo is refused. */
function faceOf(photo: Photo, path: string): Embedding | undefined {
  try {
    return chooseFace(photo, path, undefined).embedding
  } catch (error) {
    if (error instanceof CameoError) return undefined
    throw error
  }
}

const similarity = (a: Embedding, b: Embedding) => dotProduct(unit(a), unit(b))
const unit = ({ float16 }: Embedding) => l2Normalise(decodeFloat16(float16))
const isTurned = ({ notices }: Photo) => notices.some((notice) => notice.includes('is turned'))

describe('photos on their side or on their head', () => {
  it('are turned upright, and upright ones are not', async () => {
    // The rule was chosen on the people between these.
    const portraits = names.filter((_, index) => index % 4 === 1)
    let upright = 0
    const found = new Map([90, 180, 270].map((angle) => [angle, 0]))
    for (const name of portraits) {
      const source = join(people, name, `${name}_0001.jpg`)
      const photo = await readPhoto(source, stages)
      assert.ok(!isTurned(photo), `${name} was turned`)
      const own = faceOf(photo, source)
      if (own === undefined) continue
      upright++
      for (const [angle, count] of found) {
        const path = join(dir, 'turned.png')
        await sharp(source).rotate(angle).png().toFile(path)
        const turned = faceOf(await readPhoto(path, stages), path)
        if (turned !== undefined && similarity(turned, own) >= 0.9) found.set(angle, count + 1)
      }
    }
    console.log(`${upright} upright photos; found when turned:`, Object.fromEntries(found))
    for (const [angle, count] of found) assert.ok(count >= 0.98 * upright, `${angle}°: ${count}`)
  })
})

describe('clips on their side or on their head', () => {
  const videos = join(testDataDir(), 'data/videos')
  const clips = readdirSync(videos)
    .filter((name) => name.endsWith('.mp4'))
    .sort()
    .filter((_, i) => i % 6 === 0)
  /** How a clip is turned, and the quarter turns that make it upright again. */
  const filters = [
    ['transpose=2', 1],
    ['hflip,vflip', 2],
    ['transpose=1', 3],
  ] as const

  for (const [filter, turns] of filters)
    it(`show the same person as upright, in boxes of the clip as it is displayed (${filter})`, async () => {
      assert.ok(clips.length >= 5)
      for (const name of clips) {
        const upright = join(videos, name)
        const turned = join(dir, `${turns}-${name}`)
        const quick = [...x264, '-crf', '18', '-an']
        await ffmpeg('-t', '4', '-i', upright, '-vf', filter, ...quick, turned)
        const expected = mainPerson(await peopleOfClip(upright, stages), name)
        const found = mainPerson(await peopleOfClip(turned, stages), name)
        const likeness = dotProduct(expected.descriptor, found.descriptor)
        assert.ok(likeness >= 0.8, `${name} after ${filter}: ${likeness}`)
        const { faces, frame } = found
        // Turned back, faces lie where they lie upright: sizes are equal, so that boxes can be compared.
        const [face] = faces
        const same = expected.faces.find(({ timeS }) => Math.abs(timeS - (face?.timeS ?? -1)) < 0.01)
        if (face === undefined || same === undefined) continue
        // The inverse turn, by which the upright picture becomes the turned one.
        const box = unturnBox(face.boxXyxyPx, turns === 2 ? 2 : turns === 1 ? 3 : 1, frame)
        assert.ok(
          iou(box, same.boxXyxyPx) > 0.5,
          `${name} after ${filter}: ${box.join()} is not ${same.boxXyxyPx.join()}`,
        )
      }
    })
})
