import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { LabelledSample } from '../../index/evaluate/calibration/pair-scores.js'
import { readPhoto, embedPhotoFace } from '../../pipeline/photos/process-photo.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { writePrivateFile } from '../../pipeline/common/private-files.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { startProgress } from '../cli/progress.js'

/** A photo with one face. */
export interface CalibrationPhoto extends LabelledSample {
  /** File name; its folder is named after the person. */
  readonly name: string
}

export interface CalibrationPhotos {
  readonly photos: readonly CalibrationPhoto[]
  /** Number of unused photos: no face or several faces were found. */
  readonly leftOut: number
}

const cacheSchema = z.object({
  leftOut: z.int(),
  photos: z.array(
    z.object({ person: z.string(), name: z.string(), quality: z.number(), descriptor: z.string() }),
  ),
})

/**
 * All photos of a folder of people (the LFW layout) that show one face, embedded as a query is; kept in
 * `cacheFile`.
 */
export async function embedPhotos(images: string, pack: Pack, cacheFile: string): Promise<CalibrationPhotos> {
  if (existsSync(cacheFile)) return readCache(cacheFile)
  const people = readdirSync(images)
    .filter((name) => statSync(join(images, name)).isDirectory())
    .sort()
  const files = people.flatMap((person) =>
    readdirSync(join(images, person))
      .filter((name) => /\.(jpe?g|png)$/i.test(name))
      .sort()
      .map((name) => ({ person, name })),
  )
  const stages = await loadStages({
    ...{ pack, modelsDir: defaultModelsDir(), settings: defaultSettings },
    ...{ device: { kind: 'auto' }, intraOpThreads: 0 },
  })
  const bar = startProgress('embedding photos {bar} {value} of {total}')
  const photos: CalibrationPhoto[] = []
  try {
    for (const [index, { person, name }] of files.entries()) {
      bar.update(index + 1, files.length, {})
      const sample = await embedPhoto(join(images, person, name), stages)
      if (sample !== undefined) photos.push({ person, name, sources: [name], ...sample })
    }
  } finally {
    bar.stop()
    await stages.dispose()
  }
  const found = { photos, leftOut: files.length - photos.length }
  writeCache(cacheFile, found)
  return found
}

async function embedPhoto(path: string, stages: Stages) {
  const [face, second] = (await readPhoto(path, stages)).faces
  if (face === undefined || second !== undefined) return undefined
  const { embedding, quality, extraEmbeddings } = await embedPhotoFace(face, stages)
  const descriptor = await stages.describer.describe([{ ...embedding, quality, extraEmbeddings }])
  return { quality, descriptor }
}

function writeCache(file: string, { photos, leftOut }: CalibrationPhotos): void {
  const rows = photos.map(({ person, name, quality, descriptor }) => ({
    ...{ person, name, quality },
    descriptor: Buffer.from(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength).toString(
      'base64',
    ),
  }))
  writePrivateFile(file, JSON.stringify({ leftOut, photos: rows }))
}

function readCache(file: string): CalibrationPhotos {
  const { leftOut, photos } = cacheSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  return {
    leftOut,
    photos: photos.map(({ descriptor, ...photo }) => ({
      ...photo,
      sources: [photo.name],
      descriptor: toVector(Buffer.from(descriptor, 'base64')),
    })),
  }
}

/** Copied, because a buffer's bytes may be unaligned. */
const toVector = (bytes: Buffer) => new Float32Array(Uint8Array.from(bytes).buffer)
