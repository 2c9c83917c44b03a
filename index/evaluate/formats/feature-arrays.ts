import { openPromise } from 'yauzl'
import { counted } from '../../../pipeline/common/counted.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { textLines } from './text-lines.js'
import { readNpy, readNpyFile, toFloats } from './npy.js'
import type { FloatRows, NumberArray, TextArray } from './npy-arrays.js'

/** Features with the name of each row. */
export interface FeatureArrays {
  readonly dimension: number
  readonly names: readonly string[]
  /** [names.length, dimension]. */
  readonly rows: FloatRows
  /** 0..1, one per row. Undefined if the file has none. */
  readonly qualities: Float32Array | undefined
}

/**
 * Reads features from NumPy files: a `.npz` with the arrays `names` [N], `features` [N, d] and optionally `quality`
 * [N], or a `.npy` of features [N, d] with a file `X.names.txt` next to it, one line per row.
 * @throws FEATURES_INVALID
 */
export async function readFeatureArrays(path: string): Promise<FeatureArrays> {
  const { features, names, quality, others } = await (path.endsWith('.npz')
    ? readNpz(path)
    : readNpyWithNames(path))
  const fail = (what: string): never => {
    throw new CameoError('FEATURES_INVALID', `${path} ${what}`)
  }
  const has = others.length > 0 ? `; it has ${others.join(', ')}` : ''
  if (features?.kind !== 'numbers' || features.shape.length !== 2 || features.dtype.type === 'b')
    return fail(`needs an array "features" of numbers with two dimensions [N, d]${has}`)
  const [rows = 0, dimension = 0] = features.shape
  if (names?.kind !== 'text')
    return fail(`needs an array "names" of text, one name per row of the features${has}`)
  if (names.values.length !== rows)
    fail(`has ${counted(names.values.length, 'name')} for ${counted(rows, 'row')} of features`)
  const unnamed = names.values.indexOf('')
  if (unnamed >= 0) fail(`has no name for row ${unnamed + 1}`)
  const garbled = names.values.findIndex((name) => name.includes('\uFFFD'))
  if (garbled >= 0) fail(`has a name for row ${garbled + 1} that is not UTF-8 text`)
  if (rows === 0 || dimension === 0) fail('has no features')
  if (quality === undefined)
    return { dimension, names: names.values, rows: features.values, qualities: undefined }
  if (quality.kind !== 'numbers' || !isColumn(quality.shape, rows))
    return fail(`needs "quality" as ${counted(rows, 'number')}, one per row of the features`)
  const qualities = toFloats(quality.values)
  const bad = qualities.findIndex((value) => !(value >= 0 && value <= 1))
  if (bad >= 0)
    fail(
      `has quality ${qualities[bad] ?? NaN} in row ${bad + 1} (${names.values[bad] ?? ''}), which is not from 0 to 1`,
    )
  return { dimension, names: names.values, rows: features.values, qualities }
}

/** [rows], or with further axes of one. */
const isColumn = (shape: readonly number[], rows: number) =>
  shape.reduce((product, extent) => product * extent, 1) === rows &&
  shape.filter((extent) => extent !== 1).length <= 1

interface Arrays {
  readonly features?: NumberArray | TextArray
  readonly names?: NumberArray | TextArray
  readonly quality?: NumberArray | TextArray
  /** Names of all other arrays. */
  readonly others: readonly string[]
}

/** Deflate expands one byte to at most 1,032 (zlib's "Maximum Compression Factor"). */
const mostDeflated = 1032

async function readNpz(path: string): Promise<Arrays> {
  const arrays: Partial<Record<'features' | 'names' | 'quality', NumberArray | TextArray>> = {}
  const others: string[] = []
  try {
    const zip = await openPromise(path)
    try {
      for await (const entry of zip.eachEntry()) {
        const name = entry.fileName.replace(/\.npy$/, '')
        if (name === 'features' || name === 'names' || name === 'quality')
          arrays[name] = await readNpy(
            await zip.openReadStreamPromise(entry),
            `${path}, array "${name}",`,
            Math.min(entry.uncompressedSize, entry.compressedSize * mostDeflated),
          )
        else others.push(`"${name}"`)
      }
    } finally {
      zip.close()
    }
  } catch (error) {
    if (error instanceof CameoError) throw error
    throw new CameoError('FEATURES_INVALID', `${path} cannot be read as .npz (${messageOf(error)})`, {
      cause: error,
    })
  }
  return { ...arrays, others }
}

async function readNpyWithNames(path: string): Promise<Arrays> {
  const namesPath = path.replace(/\.npy$/, '.names.txt')
  const features = await readNpyFile(path)
  try {
    const values = [...textLines(namesPath, 'FEATURES_INVALID')].map((line) => line.trim())
    while (values.at(-1) === '') values.pop()
    return { features, names: { kind: 'text', shape: [values.length], values }, others: [] }
  } catch (error) {
    throw new CameoError(
      'FEATURES_INVALID',
      `${path} needs a file with its names next to it, one line per row: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
