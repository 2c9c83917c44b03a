import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readPhoto } from '../../pipeline/photos/process-photo.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { startProgress } from '../cli/progress.js'
import { median } from './measure.js'
import { unitOf } from '../../pipeline/data/embedding.js'

/** The main face of each photo. */
export interface EmbeddedPeople {
  /** Number of each photo's person. */
  readonly persons: readonly number[]
  /** Their embeddings, L2-normalised; undefined if no face was found. */
  readonly units: readonly (Float32Array | undefined)[]
  /** Time of one embedding: the median. */
  readonly embedMs: number
}

/** Embeds all photos of a folder of people. */
export async function embedPeople(images: string, stages: Stages): Promise<EmbeddedPeople> {
  const files = readdirSync(images)
    .filter((name) => statSync(join(images, name)).isDirectory())
    .sort()
    .flatMap((name, person) =>
      readdirSync(join(images, name))
        .filter((file) => /\.(jpe?g|png)$/i.test(file))
        .sort()
        .map((file) => ({ person, path: join(images, name, file) })),
    )
  const units: (Float32Array | undefined)[] = []
  const times: number[] = []
  const { embedder } = stages
  const timed: Stages = {
    ...stages,
    embedder: {
      ...embedder,
      async embed(crop) {
        const startedMs = performance.now()
        const embedding = await embedder.embed(crop)
        times.push(performance.now() - startedMs)
        return embedding
      },
    },
  }
  const bar = startProgress('embedding photos {bar} {value} of {total}')
  for (const [index, { path }] of files.entries()) {
    bar.update(index + 1, files.length, {})
    const [face] = (await readPhoto(path, timed)).faces
    units.push(face === undefined ? undefined : unitOf(face.embedding))
  }
  bar.stop()
  return { persons: files.map(({ person }) => person), units, embedMs: median(times) }
}
