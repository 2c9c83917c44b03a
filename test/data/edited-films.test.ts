import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { chooseFace, embedPhotoFace, readPhoto } from '../../pipeline/photos/process-photo.js'
import { peopleOfClip, type Person } from '../../pipeline/photos/process-query-clip.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { unitVector } from '../../pipeline/segments/track-face.js'
import { temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { ffmpeg, x264 } from '../support/faces.js'
import { seededRandom } from '../support/random.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'

const photos = join(testDataDir(), 'data/people')
const photoOf = (name: string) => join(photos, name, `${name}_0001.jpg`)

/** A photo as a shot of 3 s at 480×480. */
const still = (name: string) => ['-loop', '1', '-framerate', '10', '-t', '3', '-i', photoOf(name)]
const square = 'scale=480:480,format=yuv420p,setsar=1'

/** How the shot of one person becomes that of another, and the times between which that happens. */
const joins = {
  'a dissolve of 1 s': { filter: transition('fade', 1, square), fromS: 2, toS: 3 },
  'a dissolve of 2 s': { filter: transition('fade', 2, square), fromS: 1, toS: 3 },
  'a wipe': { filter: transition('wipeleft', 1, square), fromS: 2, toS: 3 },
  'a cut in a pillarbox': { filter: cut('black'), fromS: 3, toS: 3 },
  'a cut on one backdrop': { filter: cut('0x4a6fa5'), fromS: 3, toS: 3 },
}

function transition(kind: string, durationS: number, shot: string): string {
  return `[0]${shot}[a];[1]${shot}[b];[a][b]xfade=transition=${kind}:duration=${durationS}:offset=${3 - durationS}`
}

function cut(backdrop: string): string {
  const shot = `scale=360:360,pad=854:480:(ow-iw)/2:(oh-ih)/2:${backdrop},format=yuv420p,setsar=1`
  return `[0]${shot}[a];[1]${shot}[b];[a][b]concat=n=2:v=1:a=0`
}

/** A frame is sampled every 0.25 s. */
const toleranceS = 0.26

describe('two people whose shots follow each other', () => {
  const dir = temporaryDir()
  let stages: Stages
  before(async () => {
    stages = await loadStages({
      pack: findPack('lite'),
      modelsDir: defaultModelsDir(),
      settings: defaultSettings,
      device: { kind: 'cpu' },
    })
  })
  after(() => stages.dispose())

  async function likenessTo(name: string): Promise<(person: Person) => number> {
    const photo = await readPhoto(photoOf(name), stages)
    const face = chooseFace(photo, name, undefined)
    const { sample } = face
    const embedded = await embedPhotoFace(face, stages)
    const vector = unitVector({ ...sample, ...embedded, timeS: 0 })
    return ({ descriptor }) => dotProduct(descriptor, vector)
  }

  /** The two of the example, and others drawn by chance. */
  function pairs(): [string, string][] {
    const random = seededRandom(7)
    const names = readdirSync(photos).sort()
    const pick = () => names[Math.floor(random() * names.length)] ?? ''
    return [
      ['Colin_Powell', 'Vicente_Fox'],
      ...Array.from({ length: 5 }, (): [string, string] => [pick(), pick()]),
    ]
  }

  for (const [name, { filter, fromS, toS }] of Object.entries(joins))
    it(`are two, each seen in the own shot alone, where they are joined by ${name}`, async () => {
      for (const [a, b] of pairs()) {
        const film = join(dir, `${a}-${b}-${name.replaceAll(' ', '-')}.mp4`)
        await ffmpeg(...still(a), ...still(b), '-filter_complex', filter, ...x264, film)
        const people = await peopleOfClip(film, stages)
        for (const [who, isOwn] of [
          [a, (timeS: number) => timeS <= toS + toleranceS],
          [b, (timeS: number) => timeS >= fromS - toleranceS],
        ] as const) {
          const likeness = await likenessTo(who)
          const found = people.filter((person) => likeness(person) >= 0.5)
          assert.ok(found.length > 0, `${who} is not found in ${film}`)
          for (const { spansS } of found)
            for (const timeS of spansS.flat())
              assert.ok(isOwn(timeS), `${who} at ${timeS} s of ${film}: ${JSON.stringify(spansS)}`)
        }
      }
    })
})
