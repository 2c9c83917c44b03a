/** Which people a model pack considers similar, so that films can show look-alikes next to each other. */
import { usePack } from '../../cli/caller.js'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { z } from 'zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import { writePrivateFile } from '../../../pipeline/common/private-files.js'
import { loadEvalEmbedder } from '../../../index/evaluate/protocols/embed-benchmark.js'
import type { LookAlikes, PhotographedPerson } from './photos.js'
import { dotProduct, l2Normalise } from '../../../pipeline/data/vector-math.js'
import { embedAll } from '../../cli/progress.js'

/** Number of photos that show what a person looks like. */
const photosEach = 5
/** Number of look-alikes kept per person: the nearest may already be in a film. */
const keptEach = 5

/**
 * Look-alikes in the order of the first run. They are kept, so that the films stay the same when the models
 * change.
 * @param file JSON; written if it is missing
 */
export async function keptLookAlikes(
  file: string,
  people: readonly PhotographedPerson[],
  packName: string,
): Promise<LookAlikes> {
  if (!existsSync(file)) {
    const ranked = nearestOthers(await meanFaces(people, packName), keptEach)
    writePrivateFile(`${file}.part`, `${JSON.stringify(Object.fromEntries(ranked), null, 1)}\n`)
    renameSync(`${file}.part`, file)
  }
  const kept = z.record(z.string(), z.array(z.string())).safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!kept.success) throw new CameoError('USAGE', `${file} is damaged: remove it and the films beside it`)
  return new Map(Object.entries(kept.data))
}

/** The mean of the unit vectors of each person's first photos. People without a face in them are left out. */
async function meanFaces(
  people: readonly PhotographedPerson[],
  packName: string,
): Promise<ReadonlyMap<string, Float32Array>> {
  const embedder = await loadEvalEmbedder(
    { pack: packName, device: { kind: 'auto' }, aligned: false },
    usePack,
  )
  const means = new Map<string, Float32Array>()
  try {
    await embedAll(people, 'looking for look-alikes', async ({ id, photos }) => {
      const sum = new Float32Array(embedder.dimension)
      for (const photo of photos.slice(0, photosEach)) {
        const face = await embedder.photo(photo)
        if (face === undefined) continue
        for (const [i, value] of l2Normalise(face.feature).entries()) sum[i] = (sum[i] ?? 0) + value
      }
      if (sum.some((value) => value !== 0)) means.set(id, l2Normalise(sum))
    })
  } finally {
    await embedder.dispose()
  }
  return means
}

/**
 * Ranks the other people by cosine similarity for each person, the most similar first.
 * @param faces unit vectors by person
 */
export function nearestOthers(
  faces: ReadonlyMap<string, Float32Array>,
  count: number,
): Map<string, string[]> {
  return new Map(
    [...faces].map(([id, face]) => {
      const others = [...faces].filter(([other]) => other !== id)
      const ranked = others
        .map(([other, otherFace]) => ({ other, score: dotProduct(face, otherFace) }))
        .sort((a, b) => b.score - a.score)
      return [id, ranked.slice(0, count).map(({ other }) => other)]
    }),
  )
}
