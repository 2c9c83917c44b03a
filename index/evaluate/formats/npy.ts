import { createReadStream } from 'node:fs'
import { encodeFloat16, decodeFloat16 } from '../../../pipeline/embed/float16.js'
import { CameoError, messageOf } from '../../../pipeline/errors.js'

/** Numbers as the file's rows have them; [shape[0], shape[1], …] row-major. */
export interface NumberArray {
  readonly kind: 'numbers'
  readonly shape: readonly number[]
  readonly values: FloatRows
}

/** Half precision stays half precision: bits. */
export type FloatRows =
  | { readonly precision: 'float16'; readonly bits: Uint16Array }
  | { readonly precision: 'float32'; readonly floats: Float32Array }

export interface TextArray {
  readonly kind: 'text'
  readonly shape: readonly number[]
  readonly values: readonly string[]
}

/** `\x93NUMPY`. */
const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59])

/**
 * A NumPy array file: float16, float32 or float64 (made float32), or text (`U`, `S`); little-endian, C order. The bytes
 * come in pieces and are converted as they come. Format: NumPy's numpy/lib/format.py.
 * @param where for messages: the file, or its member of a .npz
 * @throws FEATURES_INVALID
 */
export async function readNpy(
  pieces: AsyncIterable<Buffer>,
  where: string,
): Promise<NumberArray | TextArray> {
  const fail = (what: string, cause?: unknown): never => {
    throw new CameoError('FEATURES_INVALID', `${where} cannot be read as a NumPy array: ${what}`, { cause })
  }
  let header: Header | undefined
  let sink: Sink | undefined
  let rest: Buffer = Buffer.alloc(0)
  let bytesRead = 0
  try {
    for await (const piece of pieces) {
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      if (header === undefined || sink === undefined) {
        const parsed = parseHeader(rest)
        if (parsed === undefined) continue
        header = parsed.header
        sink = createSink(header)
        rest = rest.subarray(parsed.headerBytes)
      }
      const whole = rest.length - (rest.length % header.itemBytes)
      bytesRead += whole
      if (bytesRead > header.count * header.itemBytes) fail('there are more bytes than its shape says')
      sink.write(rest.subarray(0, whole))
      rest = rest.subarray(whole)
    }
  } catch (error) {
    if (error instanceof CameoError) throw error
    fail(messageOf(error), error)
  }
  if (header === undefined || sink === undefined) return fail('its header is cut off')
  if (rest.length > 0 || bytesRead < header.count * header.itemBytes)
    fail(`it ends after ${bytesRead + rest.length} of ${header.count * header.itemBytes} bytes of data`)
  return sink.finish()
}

/** As `readNpy`. */
export function readNpyFile(path: string): Promise<NumberArray | TextArray> {
  return readNpy(createReadStream(path, { highWaterMark: 1 << 20 }), path)
}

interface Header {
  readonly type: 'f' | 'U' | 'S'
  readonly itemBytes: number
  readonly shape: readonly number[]
  readonly count: number
}

/** Undefined where more bytes are needed. Throws Error. */
function parseHeader(bytes: Buffer): { header: Header; headerBytes: number } | undefined {
  if (!bytes.subarray(0, 6).equals(magic.subarray(0, bytes.length))) throw new Error('it is no .npy file')
  if (bytes.length < 12) return undefined
  const isFirstVersion = bytes[6] === 1
  const start = isFirstVersion ? 10 : 12
  const length = isFirstVersion ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8)
  if (length > 1 << 20) throw new Error(`a header of ${length} bytes`)
  if (bytes.length < start + length) return undefined
  const text = bytes.toString('utf8', start, start + length)
  return { header: describe(text), headerBytes: start + length }
}

function describe(text: string): Header {
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1]
  if (descr === undefined || shapeText === undefined)
    throw new Error(`a header that is not understood: ${text.trim()}`)
  if (/'fortran_order':\s*True/.test(text))
    throw new Error('it is in Fortran order: save numpy.ascontiguousarray(…)')
  const [, order = '', type = '', size = ''] = /^([<>|=]?)([A-Za-z])(\d*)$/.exec(descr) ?? []
  if (order === '>') throw new Error(`it is big-endian (${descr}): save it as little-endian`)
  const shape = shapeText
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number)
  const count = shape.reduce((product, extent) => product * extent, 1)
  if (!Number.isSafeInteger(count)) throw new Error(`a shape (${shapeText})`)
  if (type === 'f' && ['2', '4', '8'].includes(size)) return { type, itemBytes: Number(size), shape, count }
  if ((type === 'U' || type === 'S') && Number(size) > 0)
    return { type, itemBytes: Number(size) * (type === 'U' ? 4 : 1), shape, count }
  if (type === 'O')
    throw new Error('it holds Python objects: save text as numpy.array(names, dtype="U"), numbers as float32')
  throw new Error(`numbers of type ${descr}: float16, float32, float64 and text are read`)
}

interface Sink {
  /** Of whole items. */
  write(bytes: Buffer): void
  finish(): NumberArray | TextArray
}

function createSink({ type, itemBytes, shape, count }: Header): Sink {
  let at = 0
  if (type !== 'f') {
    const values: string[] = []
    return {
      write(bytes) {
        for (let from = 0; from < bytes.length; from += itemBytes)
          values.push(textOf(bytes.subarray(from, from + itemBytes), type))
      },
      finish: () => ({ kind: 'text', shape, values }),
    }
  }
  if (itemBytes === 2) {
    const bits = new Uint16Array(count)
    return {
      write(bytes) {
        for (let from = 0; from < bytes.length; from += 2) bits[at++] = bytes.readUInt16LE(from)
      },
      finish: () => ({ kind: 'numbers', shape, values: { precision: 'float16', bits } }),
    }
  }
  const floats = new Float32Array(count)
  return {
    write(bytes) {
      for (let from = 0; from < bytes.length; from += itemBytes)
        floats[at++] = itemBytes === 4 ? bytes.readFloatLE(from) : bytes.readDoubleLE(from)
    },
    finish: () => ({ kind: 'numbers', shape, values: { precision: 'float32', floats } }),
  }
}

/** Padded with zeros; `U` is UTF-32. */
function textOf(bytes: Buffer, type: 'U' | 'S'): string {
  if (type === 'S') return bytes.toString('utf8').replace(/\0+$/, '')
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const code = bytes.readUInt32LE(at)
    if (code === 0) break
    text += String.fromCodePoint(code)
  }
  return text
}

export function toFloats(rows: FloatRows): Float32Array {
  return rows.precision === 'float16' ? decodeFloat16(rows.bits) : rows.floats
}

/** Rounded; beyond ±65504 infinite. */
export function toHalves(rows: FloatRows): Uint16Array {
  return rows.precision === 'float16' ? rows.bits : encodeFloat16(rows.floats)
}
