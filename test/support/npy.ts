/** A .npy of version 1.0. */
export function npy(descr: string, shape: readonly number[], data: Uint8Array, fortran = false): Buffer {
  const extents = shape.length === 1 ? `${shape[0] ?? 0},` : shape.join(', ')
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${extents}), }`
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n'
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0])
  start.writeUInt16LE(padded.length, 8)
  return Buffer.concat([start, Buffer.from(padded), data])
}

/** UTF-32, padded to the longest. */
export function textNpy(values: readonly string[]): Buffer {
  const length = Math.max(1, ...values.map((value) => Array.from(value).length))
  const data = Buffer.alloc(values.length * length * 4)
  values.forEach((value, row) =>
    Array.from(value).forEach((c, i) => data.writeUInt32LE(c.codePointAt(0) ?? 0, (row * length + i) * 4)),
  )
  return npy(`<U${length}`, [values.length], data)
}

export const floatNpy = (shape: readonly number[], values: readonly number[]) =>
  npy('<f4', shape, new Uint8Array(Float32Array.from(values).buffer))
