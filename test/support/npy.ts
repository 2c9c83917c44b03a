import { encodeFloat16 } from '../../pipeline/data/float16.js'

/** A .npy file. Versions 2 and 3 have four bytes for the header's length. */
export function npy(
  descr: string,
  shape: readonly number[],
  data: Uint8Array,
  fortran = false,
  version: 1 | 2 | 3 = 1,
): Buffer {
  const extents = shape.length === 1 ? `${shape[0] ?? 0},` : shape.join(', ')
  const kind = descr.startsWith('[') ? descr : `'${descr}'`
  const header = `{'descr': ${kind}, 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${extents}), }`
  const before = version === 1 ? 10 : 12
  const padded = header.padEnd(Math.ceil((header.length + before + 1) / 64) * 64 - before - 1) + '\n'
  const start = Buffer.alloc(before)
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0])
  if (version === 1) start.writeUInt16LE(padded.length, 8)
  else start.writeUInt32LE(padded.length, 8)
  return Buffer.concat([start, Buffer.from(padded), data])
}

/**
 * Whole and floating-point numbers of any kind that NumPy names, in either byte order: `<f4`, `>i8`, `|u1`,
 * `|b1`.
 */
export function numberNpy(
  descr: string,
  shape: readonly number[],
  values: readonly number[],
  fortran = false,
): Buffer {
  const [, order = '', type = '', size = ''] = /^(.)(.)(\d)$/.exec(descr) ?? []
  const bytes = Number(size)
  const data = Buffer.alloc(values.length * bytes)
  for (const [at, value] of values.entries()) {
    const own = Buffer.alloc(bytes)
    if (type === 'f' && bytes === 2) own.writeUInt16LE(encodeFloat16(Float32Array.of(value))[0] ?? 0)
    else if (type === 'f') {
      if (bytes === 4) own.writeFloatLE(value)
      else own.writeDoubleLE(value)
    } else if (bytes === 8) own.writeBigInt64LE(BigInt(value))
    else if (value < 0) own.writeIntLE(value, 0, bytes)
    else own.writeUIntLE(value, 0, bytes)
    data.set(order === '>' ? own.reverse() : own, at * bytes)
  }
  return npy(descr, shape, data, fortran)
}

/**
 * An array of dtype object, as numpy.save writes it: after the header a pickle of the array, with its items
 * in C order. `raw` holds pickled values instead of text and bytes.
 */
export function objectNpy(values: readonly (string | Uint8Array)[], raw?: Uint8Array): Buffer {
  const text = (value: string) => {
    const utf8 = Buffer.from(value)
    const head = Buffer.from([0x58, 0, 0, 0, 0])
    head.writeUInt32LE(utf8.length, 1)
    return Buffer.concat([head, utf8])
  }
  const bytes = (value: Uint8Array) => Buffer.concat([Buffer.from([0x43, value.length]), value])
  const code = (latin1: string) => Buffer.from(latin1, 'latin1')
  const minusOne = 'J\xff\xff\xff\xff'
  const pickle = Buffer.concat([
    code('\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R'),
    code(`(K\x01K${String.fromCharCode(values.length)}\x85`),
    code('cnumpy\ndtype\n'),
    text('O8'),
    code('\x89\x88\x87R(K\x03'),
    text('|'),
    code(`NNN${minusOne}${minusOne}K?tb\x89](`),
    ...(raw === undefined
      ? values.map((value) => (typeof value === 'string' ? text(value) : bytes(value)))
      : [raw]),
    code('etb.'),
  ])
  return npy('|O', [values.length], pickle)
}

/** UTF-32, padded to the longest. */
export function textNpy(values: readonly string[], order: '<' | '>' = '<'): Buffer {
  const length = Math.max(1, ...values.map((value) => Array.from(value).length))
  const data = Buffer.alloc(values.length * length * 4)
  values.forEach((value, row) =>
    Array.from(value).forEach((c, i) => data.writeUInt32LE(c.codePointAt(0) ?? 0, (row * length + i) * 4)),
  )
  if (order === '>') data.swap32()
  return npy(`${order}U${length}`, [values.length], data)
}

/** UTF-8 bytes, padded to the longest. */
export function bytesNpy(values: readonly string[]): Buffer {
  const items = values.map((value) => Buffer.from(value))
  const length = Math.max(1, ...items.map((item) => item.length))
  const padded = items.map((item) => Buffer.concat([item, Buffer.alloc(length - item.length)]))
  return npy(`|S${length}`, [values.length], Buffer.concat(padded))
}

export const floatNpy = (shape: readonly number[], values: readonly number[]) =>
  npy('<f4', shape, new Uint8Array(Float32Array.from(values).buffer))
