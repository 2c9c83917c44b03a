/** Typed arrays as SQLite blobs, little-endian as every machine that Node runs on stores them. */

export function toBlob(array: Float32Array | Uint16Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

/** A copy: a blob's memory need not be aligned. (A Buffer's own `slice` would be a view.) */
export function toFloat32(blob: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(blob).buffer)
}

export function toUint16(blob: Uint8Array): Uint16Array {
  return new Uint16Array(new Uint8Array(blob).buffer)
}
