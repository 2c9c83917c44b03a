import { createReadStream, statSync } from 'node:fs'
import { encodeFloat16, decodeFloat16 } from '../../../pipeline/data/float16.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { createArraySink, type ArraySink } from './npy-sink.js'
import { parseDtype } from './numpy-dtype.js'
import type { FloatRows, NumberArray, TextArray, NpyHeader } from './npy-arrays.js'

/** `\x93NUMPY`. */
const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59])

/**
 * Reads a NumPy array file of version 1 to 3: numbers of any type (float16 stays float16, all others become float32),
 * text (`U`, `S`), or objects that are text or numbers. Supports both byte orders, and C and Fortran order. Converts
 * the bytes piece by piece. Objects are a pickle: `readPickle` reads them and runs nothing. Format: NumPy's
 * numpy/lib/format.py.
 * @param where for messages: the file, or the array in a .npz
 * @param availableBytes maximum number of bytes of data. Checked because memory is allocated from the shape in the
 * header, before the data arrives
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
          fail(`its shape needs ${bytes} bytes, but there are only ${availableBytes}`)
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

/** Like `readNpy`, for a file. */
export function readNpyFile(path: string): Promise<NumberArray | TextArray> {
  const availableBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return readNpy(createReadStream(path, { highWaterMark: 1 << 20 }), path, availableBytes)
}

/** Undefined if more bytes are needed. Throws an Error for an invalid header. */
function parseHeader(bytes: Buffer): { header: NpyHeader; headerBytes: number } | undefined {
  if (!bytes.subarray(0, 6).equals(magic.subarray(0, bytes.length))) throw new Error('it is not an .npy file')
  if (bytes.length < 12) return undefined
  const version = bytes[6] ?? 0
  if (version < 1 || version > 3)
    throw new Error(`it has version ${version} of the format, but only 1 to 3 can be read`)
  const start = version === 1 ? 10 : 12
  const length = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8)
  if (length > 1 << 20) throw new Error(`a header of ${length} bytes`)
  if (bytes.length < start + length) return undefined
  const text = bytes.toString(version === 3 ? 'utf8' : 'latin1', start, start + length)
  return { header: describe(text), headerBytes: start + length }
}

function describe(text: string): NpyHeader {
  if (/'descr':\s*[[(]/.test(text))
    throw new Error('its rows are structured, with named fields: save each field as a separate array')
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1]
  if (descr === undefined || shapeText === undefined)
    throw new Error(`a header that cannot be parsed: ${text.trim().slice(0, 200)}`)
  const shape = shapeText
    .split(',')
    // Python 2 writes an "L" after long integers.
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

/** Converts to half precision with rounding. Values beyond ±65504 become infinite. */
export function toHalves(rows: FloatRows): Uint16Array {
  return rows.precision === 'float16' ? rows.bits : encodeFloat16(rows.floats)
}
