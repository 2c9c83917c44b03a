import { createReadStream, statSync } from 'node:fs'
import { encodeFloat16, decodeFloat16 } from '../../../pipeline/data/float16.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { createArraySink, type ArraySink } from './npy-sink.js'
import { parseDtype } from './numpy-dtype.js'
import type { FloatRows, NumberArray, TextArray, NpyHeader } from './npy-arrays.js'

/** `\x93NUMPY`. */
const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59])

/**
 * A NumPy array file of version 1 to 3: numbers of every kind (float16 stays, all others become float32), text (`U`, `S`) or
 * objects that are text or numbers; either byte order, C or Fortran order. The bytes come in pieces and are converted as they
 * come. Objects are a pickle: they are read as `readPickle` reads them, and nothing is run. Format: NumPy's
 * numpy/lib/format.py.
 * @param where for messages: the file, or its member of a .npz
 * @param availableBytes no more can come: memory is taken by the header's shape before they do
 * @throws FEATURES_INVALID
 */
export async function readNpy(
  pieces: AsyncIterable<Buffer>,
  where: string,
  availableBytes: number,
): Promise<NumberArray | TextArray> {
  const fail = (what: string, cause?: unknown): never => {
    throw new CameoError('FEATURES_INVALID', `${where} cannot be read as a NumPy array: ${what}`, { cause })
  }
  let sink: ArraySink | undefined
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const piece of pieces) {
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      if (sink === undefined) {
        const parsed = parseHeader(rest)
        if (parsed === undefined) continue
        const { header } = parsed
        const bytes = header.count * header.dtype.itemBytes
        // Objects are a pickle, which counts its own bytes.
        if (header.dtype.type !== 'O' && bytes > availableBytes)
          fail(`its shape takes ${bytes} bytes, and there are ${availableBytes}`)
        sink = createArraySink(header)
        rest = rest.subarray(parsed.headerBytes)
      }
      const whole = rest.length - (rest.length % sink.itemBytes)
      sink.write(rest.subarray(0, whole))
      rest = rest.subarray(whole)
    }
    if (sink === undefined) return fail('its header is cut off')
    return sink.finish(rest.length)
  } catch (error) {
    if (error instanceof CameoError) throw error
    return fail(messageOf(error), error)
  }
}

/** As `readNpy`. */
export function readNpyFile(path: string): Promise<NumberArray | TextArray> {
  const availableBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return readNpy(createReadStream(path, { highWaterMark: 1 << 20 }), path, availableBytes)
}

/** Undefined where more bytes are needed. Throws Error. */
function parseHeader(bytes: Buffer): { header: NpyHeader; headerBytes: number } | undefined {
  if (!bytes.subarray(0, 6).equals(magic.subarray(0, bytes.length))) throw new Error('it is no .npy file')
  if (bytes.length < 12) return undefined
  const version = bytes[6] ?? 0
  if (version < 1 || version > 3) throw new Error(`it has version ${version} of the format; 1 to 3 are read`)
  const start = version === 1 ? 10 : 12
  const length = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8)
  if (length > 1 << 20) throw new Error(`a header of ${length} bytes`)
  if (bytes.length < start + length) return undefined
  const text = bytes.toString(version === 3 ? 'utf8' : 'latin1', start, start + length)
  return { header: describe(text), headerBytes: start + length }
}

function describe(text: string): NpyHeader {
  if (/'descr':\s*[[(]/.test(text))
    throw new Error('its rows are structured, with named fields: save each field as an array of its own')
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1]
  if (descr === undefined || shapeText === undefined)
    throw new Error(`a header that is not understood: ${text.trim().slice(0, 200)}`)
  const shape = shapeText
    .split(',')
    // Python 2 writes an "L" behind its long integers.
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number)
  const count = shape.reduce((product, extent) => product * extent, 1)
  if (!Number.isSafeInteger(count) || shape.some((extent) => !(extent >= 0)))
    throw new Error(`a shape (${shapeText})`)
  return { dtype: parseDtype(descr), shape, count, isFortran: /'fortran_order':\s*True/.test(text) }
}

export function toFloats(rows: FloatRows): Float32Array {
  return rows.precision === 'float16' ? decodeFloat16(rows.bits) : rows.floats
}

/** Rounded; beyond ±65504 infinite. */
export function toHalves(rows: FloatRows): Uint16Array {
  return rows.precision === 'float16' ? rows.bits : encodeFloat16(rows.floats)
}
