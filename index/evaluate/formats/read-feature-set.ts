import { basename } from 'node:path'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { FeatureSet } from '../data/feature-set.js'
import { areFiniteHalves, readClipPickle, type PickledFace } from './clip-pickle.js'
import { readFeatureArrays } from './feature-arrays.js'
import { plainName } from './list-columns.js'
import { FeatureSetBuilder, type BuilderFace } from './feature-set-builder.js'
import { toHalves } from './npy.js'

export interface ReadFeatureSetOptions {
  /** Of a clip in a pickle so many faces are kept, those of best quality; default 16. */
  readonly maxFaces?: number
  /** Told as a pickle is read, of the file that is being read. */
  readonly onBytes?: ((bytes: number, totalBytes: number, file: string) => void) | undefined
}

/** More faces than this of one clip change a pooled feature no more. */
export const defaultMaxFaces = 16

/** Ground truth names clips with it, the challenge's pickles without. */
const clipExtension = '.mp4'

/**
 * Features out of files, one track a clip: `.npz`, `.npy` with its names beside it, everything else as a pickle of the
 * iQIYI-VID 2019 challenge. Clips of pickles are named with ".mp4" as in ground truth. @throws FEATURES_INVALID
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

/** Best weight first; among those of one weight the better raw quality, then the earlier row. */
function bestFaces(faces: readonly PickledFace[], maxFaces: number): BuilderFace[] {
  return faces
    .map((face) => ({ face, weight: faceWeight(face.quality, face.detectionScore) }))
    .sort((a, b) => b.weight - a.weight || b.face.quality - a.face.quality)
    .slice(0, maxFaces)
    .map(({ face, weight }) => ({ embedding: face.embedding, quality: weight }))
}

/**
 * A face's weight 0..1 out of the challenge's quality (about −30..200) and detection score: the stepwise weight that
 * gained MAP in the solution of the team seefun (4th place in 2019), times the score.
 */
export function faceWeight(quality: number, detectionScore: number): number {
  const step = quality < 0 ? 0 : quality < 20 ? 0.2 : quality < 30 ? 0.3 : quality < 40 ? 0.6 : 1
  return step * Math.min(1, Math.max(0, detectionScore))
}

/** Rows of one name are faces of one clip, wherever they stand in the file. */
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
