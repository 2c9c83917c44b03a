import { readFileSync } from 'node:fs'
import { openPromise } from 'yauzl'
import { CameoError, messageOf } from '../../../pipeline/errors.js'
import { readNpy, readNpyFile, toFloats, type FloatRows, type NumberArray, type TextArray } from './npy.js'

/** Features with the name of each row. */
export interface FeatureArrays {
  readonly dimension: number
  readonly names: readonly string[]
  /** [names.length, dimension]. */
  readonly rows: FloatRows
  /** 0..1, one a row; undefined where the file gives none. */
  readonly qualities: Float32Array | undefined
}

/**
 * Features in NumPy's files: a `.npz` with the arrays `names` [N], `features` [N, d] and perhaps `quality` [N], or a
 * `.npy` of features [N, d] with `X.names.txt` beside it, a line a row. @throws FEATURES_INVALID
 */
export async function readFeatureArrays(path: string): Promise<FeatureArrays> {
  const arrays = path.endsWith('.npz') ? await readNpz(path) : await readNpyWithNames(path)
  const { features, names, quality } = arrays
  const fail = (what: string): never => {
    throw new CameoError('FEATURES_INVALID', `${path} ${what}`)
  }
  if (features?.kind !== 'numbers' || features.shape.length !== 2)
    return fail('needs an array "features" of float16, float32 or float64 with two dimensions [N, d]')
  const [rows = 0, dimension = 0] = features.shape
  if (names?.kind !== 'text') return fail('needs an array "names" of text, one name a row of the features')
  if (names.values.length !== rows) fail(`has ${names.values.length} names for ${rows} rows of features`)
  const unnamed = names.values.indexOf('')
  if (unnamed >= 0) fail(`has no name for row ${unnamed + 1}`)
  if (rows === 0 || dimension === 0) fail('holds no features')
  if (quality === undefined)
    return { dimension, names: names.values, rows: features.values, qualities: undefined }
  if (quality.kind !== 'numbers' || quality.shape.length !== 1 || quality.shape[0] !== rows)
    return fail(`needs "quality" as ${rows} numbers, one a row of the features`)
  const qualities = toFloats(quality.values)
  const bad = qualities.findIndex((value) => !(value >= 0 && value <= 1))
  if (bad >= 0)
    fail(
      `has quality ${qualities[bad] ?? NaN} in row ${bad + 1} (${names.values[bad] ?? ''}), which is not from 0 to 1`,
    )
  return { dimension, names: names.values, rows: features.values, qualities }
}

type Arrays = Partial<Record<'features' | 'names' | 'quality', NumberArray | TextArray>>

async function readNpz(path: string): Promise<Arrays> {
  const arrays: Arrays = {}
  try {
    const zip = await openPromise(path)
    try {
      for await (const entry of zip.eachEntry()) {
        const name = entry.fileName.replace(/\.npy$/, '')
        if (name !== 'features' && name !== 'names' && name !== 'quality') continue
        arrays[name] = await readNpy(await zip.openReadStreamPromise(entry), `${path}, array "${name}",`)
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
  return arrays
}

async function readNpyWithNames(path: string): Promise<Arrays> {
  const namesPath = path.replace(/\.npy$/, '.names.txt')
  const features = await readNpyFile(path)
  try {
    const values = readFileSync(namesPath, 'utf8')
      .replace(/\r?\n$/, '')
      .split(/\r?\n/)
      .map((line) => line.trim())
    return { features, names: { kind: 'text', shape: [values.length], values } }
  } catch (error) {
    throw new CameoError(
      'FEATURES_INVALID',
      `${path} needs its names beside it, a line a row, in ${namesPath} (${messageOf(error)})`,
      { cause: error },
    )
  }
}
