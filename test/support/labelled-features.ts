import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gaussian, seededRandom } from '../../pipeline/common/seeded-random.js'
import { floatNpy, textNpy } from './npy.js'
import { zipOf } from './zip.js'

export interface LabelledFeatures {
  readonly features: string
  readonly train: string
  readonly val: string
  readonly test: string
}

const dimension = 32
const halves = { TRAIN: 6, VAL: 4, TEST: 4 } as const

/**
 * A set like iQIYI-VID without any video: people around random centres, a direction of noise that all clips
 * share (a head can learn to ignore it, an average cannot), three faces per clip, strangers in val and test.
 */
export function writeLabelledFeatures(dir: string, people = 12, seed = 1): LabelledFeatures {
  const random = seededRandom(seed)
  const vector = (deviation: number) => Array.from({ length: dimension }, () => deviation * gaussian(random))
  const shared = Array.from({ length: 6 }, () => vector(1))
  const names: string[] = []
  const values: number[] = []
  const counts = { TRAIN: 0, VAL: 0, TEST: 0 }
  const addClip = (half: keyof typeof halves, centre: readonly number[]): string => {
    const name = `CLIP_${half}_${String(++counts[half]).padStart(5, '0')}.mp4`
    const amounts = shared.map(() => 1.6 * gaussian(random))
    for (let face = 0; face < 3; face++) {
      const noise = vector(0.5)
      names.push(name)
      centre.forEach((value, i) => {
        const along = amounts.reduce((sum, amount, k) => sum + amount * (shared[k]?.[i] ?? 0), 0)
        values.push(value + along + (noise[i] ?? 0))
      })
    }
    return name
  }
  const lines = { TRAIN: [] as string[], VAL: [] as string[], TEST: [] as string[] }
  for (let person = 1; person <= people; person++) {
    const centre = vector(1)
    for (const half of ['TRAIN', 'VAL', 'TEST'] as const) {
      const clips = Array.from({ length: halves[half] }, () => addClip(half, centre))
      if (half === 'TRAIN') lines.TRAIN.push(...clips.map((clip) => `${clip} ${person}`))
      else lines[half].push([person, ...clips].join(' '))
    }
  }
  for (let stranger = 0; stranger < 20; stranger++) addClip(stranger % 2 === 0 ? 'VAL' : 'TEST', vector(1))
  const features = join(dir, 'features.npz')
  writeFileSync(
    features,
    zipOf({
      'names.npy': textNpy(names),
      'features.npy': floatNpy([names.length, dimension], values),
    }),
  )
  const write = (half: keyof typeof lines) => {
    const file = join(dir, `${half.toLowerCase()}_gt.txt`)
    writeFileSync(file, `${lines[half].join('\n')}\n`)
    return file
  }
  return { features, train: write('TRAIN'), val: write('VAL'), test: write('TEST') }
}
