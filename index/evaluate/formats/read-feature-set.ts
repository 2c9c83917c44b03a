import { basename } from 'node:path'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { FeatureSet } from '../data/feature-set.js'
import { areFiniteHalves, readClipPickle, type PickledFace } from './clip-pickle.js'
import { readFeatureArrays } from './feature-arrays.js'
import { plainName } from './list-columns.js'
import { FeatureSetBuilder, type BuilderFace } from './feature-set-builder.js'
import { toHalves } from './npy.js'

export interface ReadFeatureSetOptions {
  /** Number of faces that are kept per clip of a pickle, best quality first. Default: 16. */
  readonly maxFaces?: number
  /** Called with the progress while a pickle is read. */
  readonly onBytes?: ((bytes: number, totalBytes: number, file: string) => void) | undefined
}

/** More faces per clip do not change a pooled feature. */
export const defaultMaxFaces = 16

/** The ground truth names clips with this extension, the challenge's pickles without it. */
const clipExtension = '.mp4'

/**
 * Reads features from files, one track per clip: `.npz`, `.npy` with its file of names, and any other file as a
 * pickle of the iQIYI-VID 2019 challenge. Clip names of pickles get ".mp4", as in the ground truth.
 * @throws FEATURES_INVALID
 */
export async function readFeatureSet(
  files: readonly string[],
  options: ReadFeatureSetOptions = {},
): Promise<FeatureSet> {
  if (files.length === 0) throw new CameoError('FEATURES_INVALID', 'no feature file was given')
  const builder = new FeatureSetBuilder()
  for (const file of files)
    if (/\.np[yz]$/.test(file)) await addArrays(builder, file)
    else addPickle(builder, file, options)
  return builder.finish(files.map((file) => basename(file)).join(', '))
}

function addPickle(
  builder: FeatureSetBuilder,
  file: string,
  { maxFaces = defaultMaxFaces, onBytes }: ReadFeatureSetOptions,
): void {
  const report = (bytes: number, total: number) => onBytes?.(bytes, total, file)
  for (const { name, faces } of readClipPickle(file, { onBytes: report })) {
    const plain = plainName(name)
    builder.addClip(
      plain.toLowerCase().endsWith(clipExtension) ? plain : plain + clipExtension,
      bestFaces(faces, maxFaces),
      file,
    )
  }
}

/** Best weight first. With equal weights, the better raw quality, then the earlier row. */
function bestFaces(faces: readonly PickledFace[], maxFaces: number): BuilderFace[] {
  return faces
    .map((face) => ({ face, weight: faceWeight(face.quality, face.detectionScore) }))
    .sort((a, b) => b.weight - a.weight || b.face.quality - a.face.quality)
    .slice(0, maxFaces)
    .map(({ face, weight }) => ({ embedding: face.embedding, quality: weight }))
}

/**
 * The weight of a face, 0..1, from the challenge's quality (about −30..200) and detection score: the step weights
 * that improved MAP in the solution of the team seefun (4th place in 2019), times the score.
 */
export function faceWeight(quality: number, detectionScore: number): number {
  const step = quality < 0 ? 0 : quality < 20 ? 0.2 : quality < 30 ? 0.3 : quality < 40 ? 0.6 : 1
  return step * Math.min(1, Math.max(0, detectionScore))
}

/** Rows with the same name are faces of one clip, at any position in the file. */
async function addArrays(builder: FeatureSetBuilder, file: string): Promise<void> {
  const { names, dimension, rows, qualities } = await readFeatureArrays(file)
  const halves = toHalves(rows)
  const rowsOf = new Map<string, number[]>()
  names.map(plainName).forEach((name, row) => {
    const known = rowsOf.get(name)
    if (known === undefined) rowsOf.set(name, [row])
    else known.push(row)
  })
  for (const [name, ofClip] of rowsOf)
    builder.addClip(
      name,
      ofClip.map((row) => {
        const embedding = halves.subarray(row * dimension, (row + 1) * dimension)
        if (!areFiniteHalves(embedding))
          throw new CameoError(
            'FEATURES_INVALID',
            `${file} has a feature of the clip ${name} (row ${row + 1}) that is not finite in half precision`,
          )
        return { embedding, quality: qualities?.[row] ?? 1 }
      }),
      file,
    )
}
