/**
 * The inner loops of search in AssemblyScript, compiled to WebAssembly SIMD: 16 bytes per step. V8 does not generate
 * such code from JavaScript. `kernels.ts` in the parent folder documents the functions and binds them to a memory.
 */

/** Four independent sums, so that an addition does not wait for the previous one. */
const stepBytes: usize = 64

/** `floats` values per vector, a multiple of 16. */
export function dots(
  query: usize,
  rows: usize,
  list: usize,
  listEnd: usize,
  out: usize,
  floats: usize,
): void {
  const rowBytes = floats << 2
  do {
    const row = rows + <usize>load<u32>(list) * rowBytes
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    for (let at: usize = 0; at < rowBytes; at += stepBytes) {
      a = f32x4.add(a, f32x4.mul(v128.load(row + at), v128.load(query + at)))
      b = f32x4.add(b, f32x4.mul(v128.load(row + at, 16), v128.load(query + at, 16)))
      c = f32x4.add(c, f32x4.mul(v128.load(row + at, 32), v128.load(query + at, 32)))
      d = f32x4.add(d, f32x4.mul(v128.load(row + at, 48), v128.load(query + at, 48)))
    }
    const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d))
    store<f32>(
      out,
      f32x4.extract_lane(sum, 0) +
        f32x4.extract_lane(sum, 1) +
        (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3)),
    )
    out += 4
    list += 4
  } while (list < listEnd)
}

/** Products of the lower eight bytes of a row with 16 bytes of the query, summed in pairs. */
function lowProducts(row: usize, query: usize): v128 {
  return i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(v128.load(row)), v128.load(query))
}

/** The same for the upper eight bytes. */
function highProducts(row: usize, query: usize): v128 {
  return i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(v128.load(row)), v128.load(query))
}

/** `values` values per row, a multiple of 32. */
export function byteDots(
  query: usize,
  rows: usize,
  list: usize,
  listEnd: usize,
  out: usize,
  values: usize,
): void {
  do {
    const row = rows + <usize>load<u32>(list) * values
    let a = i32x4.splat(0)
    let b = i32x4.splat(0)
    let c = i32x4.splat(0)
    let d = i32x4.splat(0)
    for (let at: usize = 0; at < values; at += 32) {
      const words = query + (at << 1)
      a = i32x4.add(a, lowProducts(row + at, words))
      b = i32x4.add(b, highProducts(row + at, words + 16))
      c = i32x4.add(c, lowProducts(row + at + 16, words + 32))
      d = i32x4.add(d, highProducts(row + at + 16, words + 48))
    }
    const sum = i32x4.add(i32x4.add(a, b), i32x4.add(c, d))
    store<i32>(
      out,
      i32x4.extract_lane(sum, 0) +
        i32x4.extract_lane(sum, 1) +
        i32x4.extract_lane(sum, 2) +
        i32x4.extract_lane(sum, 3),
    )
    out += 4
    list += 4
  } while (list < listEnd)
}

/** Plane number `i` of the list, at offset `at`. */
function plane(list: usize, i: usize, at: usize): v128 {
  return v128.load(<usize>load<u32>(list + 4 * i) + at)
}

/** The sum of three bits, without the carry. */
function sumOf(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c)
}

/** The carry of three bits into the next higher bit. */
function carryOf(a: v128, b: v128, c: v128): v128 {
  return v128.or(v128.and(a, b), v128.and(c, v128.xor(a, b)))
}

/**
 * Carry-save adders (Muła, Kurz and Lemire, "Faster population counts using AVX2 instructions", 2018): 128 counters
 * in parallel, one vector per bit. Full adders with inverted inputs give inverted outputs, so to count zeros, the
 * counters are inverted instead of the planes. The carries of 16 planes ripple through the higher bits.
 * @param counterBits number of counter planes
 * @param planeBytes distance between two counter planes, in bytes
 */
export function addPlanes(
  list: usize,
  invert: i32,
  counters: usize,
  bytes: usize,
  counterBits: usize,
  planeBytes: usize,
): void {
  const inverted = i32x4.splat(invert)
  for (let at: usize = 0; at < bytes; at += 16) {
    const bit0 = counters + at
    const bit1 = bit0 + planeBytes
    const bit2 = bit1 + planeBytes
    const bit3 = bit2 + planeBytes
    let ones = v128.xor(v128.load(bit0), inverted)
    let twos = v128.xor(v128.load(bit1), inverted)
    let fours = v128.xor(v128.load(bit2), inverted)
    let eights = v128.xor(v128.load(bit3), inverted)
    let twoA: v128, twoB: v128, fourA: v128, fourB: v128, eightA: v128, eightB: v128
    twoA = carryOf(ones, plane(list, 0, at), plane(list, 1, at))
    ones = sumOf(ones, plane(list, 0, at), plane(list, 1, at))
    twoB = carryOf(ones, plane(list, 2, at), plane(list, 3, at))
    ones = sumOf(ones, plane(list, 2, at), plane(list, 3, at))
    fourA = carryOf(twos, twoA, twoB)
    twos = sumOf(twos, twoA, twoB)
    twoA = carryOf(ones, plane(list, 4, at), plane(list, 5, at))
    ones = sumOf(ones, plane(list, 4, at), plane(list, 5, at))
    twoB = carryOf(ones, plane(list, 6, at), plane(list, 7, at))
    ones = sumOf(ones, plane(list, 6, at), plane(list, 7, at))
    fourB = carryOf(twos, twoA, twoB)
    twos = sumOf(twos, twoA, twoB)
    eightA = carryOf(fours, fourA, fourB)
    fours = sumOf(fours, fourA, fourB)
    twoA = carryOf(ones, plane(list, 8, at), plane(list, 9, at))
    ones = sumOf(ones, plane(list, 8, at), plane(list, 9, at))
    twoB = carryOf(ones, plane(list, 10, at), plane(list, 11, at))
    ones = sumOf(ones, plane(list, 10, at), plane(list, 11, at))
    fourA = carryOf(twos, twoA, twoB)
    twos = sumOf(twos, twoA, twoB)
    twoA = carryOf(ones, plane(list, 12, at), plane(list, 13, at))
    ones = sumOf(ones, plane(list, 12, at), plane(list, 13, at))
    twoB = carryOf(ones, plane(list, 14, at), plane(list, 15, at))
    ones = sumOf(ones, plane(list, 14, at), plane(list, 15, at))
    fourB = carryOf(twos, twoA, twoB)
    twos = sumOf(twos, twoA, twoB)
    eightB = carryOf(fours, fourA, fourB)
    fours = sumOf(fours, fourA, fourB)
    let carry = v128.xor(carryOf(eights, eightA, eightB), inverted)
    eights = sumOf(eights, eightA, eightB)
    v128.store(bit0, v128.xor(ones, inverted))
    v128.store(bit1, v128.xor(twos, inverted))
    v128.store(bit2, v128.xor(fours, inverted))
    v128.store(bit3, v128.xor(eights, inverted))
    let higher = bit3
    for (let bit: usize = 4; bit < counterBits; bit++) {
      higher += planeBytes
      const counter = v128.load(higher)
      v128.store(higher, v128.xor(counter, carry))
      carry = v128.and(counter, carry)
    }
  }
}
