import { Float16Array } from '@petamoriken/float16'

/** Rounds to IEEE 754 half precision; the bits, one Uint16 a value. */
export function encodeFloat16(vector: Float32Array): Uint16Array {
  return new Uint16Array(Float16Array.from(vector).buffer)
}

export function decodeFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(new Float16Array(bits.slice().buffer))
}
