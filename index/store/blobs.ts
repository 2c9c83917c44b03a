/** Typed arrays as SQLite blobs. Little-endian, like every machine that Node runs on. */

export function toBlob(array: Float32Array | Uint16Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

/** Copies the blob, because its memory may not be aligned. (A Buffer's own `slice` would be a view.) */
export function toFloat32(blob: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(blob).buffer)
}

export function toUint16(blob: Uint8Array): Uint16Array {
  return new Uint16Array(new Uint8Array(blob).buffer)
}
