import {
  branchIfToLoop,
  compileWasm,
  constant,
  end,
  f32Add,
  f32Store,
  f32x4Add,
  f32x4Lane,
  f32x4Multiply,
  get,
  i32,
  i32Add,
  i32LessUnsigned,
  i32Load,
  i32Mul,
  i16x8ExtendHighUnsigned,
  i16x8ExtendLowUnsigned,
  i32Store,
  i32x4Add,
  i32x4DotWords,
  i32x4Lane,
  i32x4Splat,
  instantiateWasm,
  loopStart,
  set,
  tee,
  v128,
  v128And,
  v128Load,
  v128Or,
  v128Store,
  v128Xor,
  type WasmMemory,
  type WasmModule,
} from './assembler.js'

/**
 * The inner loops of search as WebAssembly SIMD, 16 bytes a step: V8 compiles no such code from JavaScript. They are
 * assembled here, loops over the dimension unrolled, because that is shorter than a build step for them.
 * Parameters are addresses in bytes.
 */
export interface DotKernels {
  /**
   * Inner products of the float32 vector at `query` with rows of the matrix at `rows`. The uint32 row numbers (at
   * least one) lie from `list` to `listEnd`; the float32 results go to `out`.
   */
  dots(query: number, rows: number, list: number, listEnd: number, out: number): void
}

export interface CodeKernels {
  /**
   * Adds planes to counters. A plane has a bit a row and lies in memory as its rows do, 128 of them in 16 bytes;
   * `list` has the addresses of `planesAtOnce` of them (uint32). Counters are `counterBits` planes one after the
   * other, the lowest bit first, from `counters`, each `planeBytes` long; `bytes` of every plane are worked on, a
   * multiple of 16. With `invert` −1 zeros are counted, with 0 ones.
   */
  addPlanes(list: number, invert: number, counters: number, bytes: number): void
  /** As `dots`, of an int16 vector at `query` with uint8 rows; the results are int32. */
  byteDots(query: number, rows: number, list: number, listEnd: number, out: number): void
}

/** Planes that one call of `addPlanes` takes, a power of two. */
export const planesAtOnce = 16
export const counterBits = 10

/** Rows of a plane. */
export const planeRows = 32_768
/** A cache line lies between two planes so that they do not compete for the same places of the cache. */
export const planeBytes = planeRows / 8 + 64

/** `floats` values a vector, a multiple of 16. A module serves any number of memories. */
export const compileDotKernels = (floats: number): WasmModule =>
  compileWasm([{ name: 'dots', parameters: 5, body: dotsBody(floats) }])

export const bindDotKernels = (module: WasmModule, memory: WasmMemory): DotKernels =>
  instantiateWasm(module, memory) as DotKernels

/** `bits` of a sign code and values of a byte code, a multiple of 64. */
export const compileCodeKernels = (bits: number): WasmModule =>
  compileWasm([
    { name: 'addPlanes', parameters: 4, body: addPlanesBody() },
    { name: 'byteDots', parameters: 5, body: byteDotsBody(bits) },
  ])

export const bindCodeKernels = (module: WasmModule, memory: WasmMemory): CodeKernels =>
  instantiateWasm(module, memory) as CodeKernels

function dotsBody(floats: number): number[] {
  return rowsBody({
    rowBytes: 4 * floats,
    steps: floats / 4,
    product: (step, row, query) => [
      ...[...get(row), ...v128Load(16 * step)],
      ...[...get(query), ...v128Load(16 * step), ...f32x4Multiply],
    ],
    add: f32x4Add,
    store: (sum) => [
      ...[...get(sum), ...f32x4Lane(0), ...get(sum), ...f32x4Lane(1), f32Add],
      ...[...get(sum), ...f32x4Lane(2), ...get(sum), ...f32x4Lane(3), f32Add, f32Add, ...f32Store],
    ],
  })
}

function byteDotsBody(values: number): number[] {
  return rowsBody({
    rowBytes: values,
    steps: values / 8,
    product: (step, row, query) => [
      ...[...get(row), ...v128Load(16 * Math.floor(step / 2))],
      ...(step % 2 === 0 ? i16x8ExtendLowUnsigned : i16x8ExtendHighUnsigned),
      ...[...get(query), ...v128Load(16 * step), ...i32x4DotWords],
    ],
    add: i32x4Add,
    store: (sum) => [
      ...[...get(sum), ...i32x4Lane(0), ...get(sum), ...i32x4Lane(1), i32Add],
      ...[...get(sum), ...i32x4Lane(2), ...get(sum), ...i32x4Lane(3), i32Add, i32Add, ...i32Store],
    ],
  })
}

interface RowsBody {
  readonly rowBytes: number
  /** At least four. */
  readonly steps: number
  /** Pushes a vector of products. */
  readonly product: (step: number, row: number, query: number) => readonly number[]
  readonly add: readonly number[]
  /** Stores the sum of a vector at the address on the stack. */
  readonly store: (sum: number) => readonly number[]
}

/** For each listed row the sum of its steps; four sums side by side, so that an addition need not wait for the one before. */
function rowsBody({ rowBytes, steps, product, add, store }: RowsBody): number[] {
  const [query, rows, list, listEnd, out, row, sums] = [0, 1, 2, 3, 4, 5, 6]
  return [
    ...[2, 1, i32, 4, v128],
    ...loopStart,
    ...[...get(rows), ...get(list), ...i32Load(0), ...constant(rowBytes), i32Mul, i32Add, ...set(row)],
    ...[...Array(steps).keys()].flatMap((step) => {
      const sum = sums + (step % 4)
      const value = product(step, row, query)
      return step < 4 ? [...value, ...set(sum)] : [...get(sum), ...value, ...add, ...set(sum)]
    }),
    ...[...get(sums), ...get(sums + 1), ...add],
    ...[...get(sums + 2), ...get(sums + 3), ...add, ...add, ...set(sums)],
    ...[...get(out), ...store(sums)],
    ...[...get(out), ...constant(4), i32Add, ...set(out)],
    ...[...get(list), ...constant(4), i32Add, ...tee(list), ...get(listEnd), i32LessUnsigned],
    ...[...branchIfToLoop, end],
  ]
}

/**
 * Carry-save adders (Muła, Kurz and Lemire, "Faster population counts using AVX2 instructions", 2018): 128 counters
 * side by side, one vector a bit. They are full adders, whose inverted inputs give inverted outputs, so to count zeros
 * the counters are inverted instead of the planes. What is carried out of them ripples through the higher bits.
 */
function addPlanesBody(): number[] {
  const [list, invert, counters, bytes, at] = [0, 1, 2, 3, 4]
  const levels = Math.log2(planesAtOnce)
  const [inverted, carry, half] = [5, 6, 7]
  const bits = half + 1
  /** Carries on their way up the tree, two of each level. */
  const carries = bits + levels
  const counter = (bit: number): number[] => [
    ...get(counters),
    ...get(at),
    i32Add,
    ...v128Load(bit * planeBytes),
  ]
  const plane = (i: number): number[] => [...get(list), ...i32Load(4 * i), ...get(at), i32Add, ...v128Load(0)]
  const invertLocal = (local: number): number[] => [
    ...[...get(local), ...get(inverted), ...v128Xor, ...set(local)],
  ]
  const store = (bit: number): number[] => [
    ...get(counters),
    ...get(at),
    i32Add,
    ...get(bits + bit),
    ...v128Store(bit * planeBytes),
  ]
  /** Adds the vectors that `first` and `second` push to the counters' bit; the carry goes to `to`. */
  const add = (bit: number, first: readonly number[], second: readonly number[], to: number): number[] => [
    ...[...get(bits + bit), ...first, ...tee(carry), ...v128Xor, ...set(half)],
    ...[...get(bits + bit), ...get(carry), ...v128And],
    ...[...second, ...tee(carry), ...get(half), ...v128And, ...v128Or],
    ...[...get(half), ...get(carry), ...v128Xor, ...set(bits + bit), ...set(to)],
  ]
  /** Adds `count` planes from number `from`; the carry into the bit log2(count) goes to `to`. */
  const addTree = (from: number, count: number, to: number): number[] => {
    if (count === 2) return add(0, plane(from), plane(from + 1), to)
    const level = Math.log2(count) - 1
    const [first, second] = [carries + 2 * (level - 1), carries + 2 * (level - 1) + 1]
    return [
      ...addTree(from, count / 2, first),
      ...addTree(from + count / 2, count / 2, second),
      ...add(level, get(first), get(second), to),
    ]
  }
  const low = [...Array(levels).keys()]
  const high = [...Array(counterBits - levels).keys()].map((i) => levels + i)
  return [
    ...[2, 1, i32, 3 + levels + 2 * (levels - 1), v128],
    ...[...get(invert), ...i32x4Splat, ...set(inverted)],
    ...loopStart,
    ...low.flatMap((bit) => [...counter(bit), ...get(inverted), ...v128Xor, ...set(bits + bit)]),
    ...[...addTree(0, planesAtOnce, carry), ...invertLocal(carry)],
    ...low.flatMap((bit) => [...invertLocal(bits + bit), ...store(bit)]),
    ...high.flatMap((bit) => [
      ...[...counter(bit), ...tee(half), ...get(carry), ...v128Xor, ...set(bits)],
      ...[...get(half), ...get(carry), ...v128And, ...set(carry)],
      ...[...get(counters), ...get(at), i32Add, ...get(bits), ...v128Store(bit * planeBytes)],
    ]),
    ...[...get(at), ...constant(16), i32Add, ...tee(at), ...get(bytes), i32LessUnsigned],
    ...[...branchIfToLoop, end],
  ]
}
