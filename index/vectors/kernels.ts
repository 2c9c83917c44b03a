/**
 * The two inner loops of exact search as WebAssembly SIMD, 16 bytes a step: V8 compiles no such code from JavaScript.
 * The module is assembled here, loops over the dimension unrolled, because it is shorter than a build step for it.
 * Opcodes: WebAssembly Core Specification 2.0, section 5.4.
 */
export interface VectorKernels {
  /**
   * Inner products of the float32 vector at byte `query` with rows of the matrix at `rows`. The uint32 row numbers
   * lie from `list` to `listEnd`; the float32 results go to `out`.
   */
  dots(query: number, rows: number, list: number, listEnd: number, out: number): void
  /**
   * Hamming distances between the code at byte `query` and the codes one after the other from `codes`. The uint16
   * results go from `out` to `outEnd`, which also says how many there are (at least one).
   */
  hamming(query: number, codes: number, out: number, outEnd: number): void
}

/** What this file uses of the global of that name, which TypeScript declares only along with a browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (
    module: WasmModule,
    imports: { host: { memory: WasmMemory } },
  ) => { readonly exports: VectorKernels }
  readonly Memory: new (size: { initial: number }) => WasmMemory
}
export interface WasmModule {
  readonly kind?: 'module'
}
interface WasmMemory {
  readonly buffer: ArrayBuffer
}

/** `floats` is a multiple of 16, `codeBytes` of 16; one module serves any number of memories. */
export function compileKernels(floats: number, codeBytes: number): WasmModule {
  const functions = [dotsBody(floats), hammingBody(codeBytes)]
  return new WebAssembly.Module(
    new Uint8Array([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, list([functionType(5), functionType(4)])),
      ...section(2, list([[...name('host'), ...name('memory'), 2, 0, 1]])),
      ...section(3, list([[0], [1]])),
      ...section(
        7,
        list([
          [...name('dots'), 0, 0],
          [...name('hamming'), 0, 1],
        ]),
      ),
      ...section(10, list(functions.map((body) => [...unsigned(body.length), ...body]))),
    ]),
  )
}

/** A zeroed memory of at least `bytes`, and compiled kernels that work in it. */
export function bindKernels(
  module: WasmModule,
  bytes: number,
): { memory: ArrayBuffer; kernels: VectorKernels } {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536) })
  return { memory: memory.buffer, kernels: new WebAssembly.Instance(module, { host: { memory } }).exports }
}

const i32 = 0x7f
const v128 = 0x7b
const loopStart = [0x03, 0x40]
const branchIfToLoop = [0x0d, 0]
const end = 0x0b
const i32Add = 0x6a
const i32Mul = 0x6c
const i32LessUnsigned = 0x49
const i32Load = [0x28, 2, 0]
const i32Store16 = [0x3b, 1, 0]
const f32Add = 0x92
const f32Store = [0x38, 2, 0]
const get = (local: number): number[] => [0x20, ...unsigned(local)]
const set = (local: number): number[] => [0x21, ...unsigned(local)]
const tee = (local: number): number[] => [0x22, ...unsigned(local)]
const constant = (value: number): number[] => [0x41, ...signed(value)]
const simd = (...code: number[]): number[] => [0xfd, ...code]
/** From the address on the stack plus `offset`, aligned to 16 bytes. */
const v128Load = (offset: number): number[] => simd(0x00, 4, ...unsigned(offset))
const v128Xor = simd(0x51)
const i8x16Popcount = simd(0x62)
const i8x16Add = simd(0x6e)
/** Adds neighbours: 16 bytes to 8 words, 8 words to 4 integers, both unsigned. */
const i16x8AddPairs = simd(0x7d)
const i32x4AddPairs = simd(0x7f)
const i32x4Lane = (lane: number): number[] => simd(0x1b, lane)
const f32x4Lane = (lane: number): number[] => simd(0x1f, lane)
const f32x4Add = simd(0xe4, 1)
const f32x4Multiply = simd(0xe6, 1)

/** Four sums side by side, so that an addition need not wait for the one before it. */
function dotsBody(floats: number): number[] {
  const [query, rows, list, listEnd, out, row, sums] = [0, 1, 2, 3, 4, 5, 6]
  const product = (step: number): number[] => [
    ...[...get(row), ...v128Load(16 * step)],
    ...[...get(query), ...v128Load(16 * step), ...f32x4Multiply],
  ]
  const steps = [...Array(floats / 4).keys()].flatMap((step) => {
    const sum = sums + (step % 4)
    return step < 4
      ? [...product(step), ...set(sum)]
      : [...get(sum), ...product(step), ...f32x4Add, ...set(sum)]
  })
  const lane = (i: number): number[] => [...get(sums), ...f32x4Lane(i)]
  return [
    ...[2, 1, i32, 4, v128],
    ...loopStart,
    ...[...get(rows), ...get(list), ...i32Load, ...constant(4 * floats), i32Mul, i32Add, ...set(row)],
    ...steps,
    ...[...get(sums), ...get(sums + 1), ...f32x4Add],
    ...[...get(sums + 2), ...get(sums + 3), ...f32x4Add, ...f32x4Add, ...set(sums)],
    ...[...get(out), ...lane(0), ...lane(1), f32Add, ...lane(2), ...lane(3), f32Add, f32Add, ...f32Store],
    ...[...get(out), ...constant(4), i32Add, ...set(out)],
    ...[...get(list), ...constant(4), i32Add, ...tee(list), ...get(listEnd), i32LessUnsigned],
    ...[...branchIfToLoop, end, end],
  ]
}

/** A byte counts at most 8 bits in each of up to 31 steps, so its sum does not overflow below 3,968 dimensions. */
function hammingBody(codeBytes: number): number[] {
  const [query, codes, out, outEnd, sum, kept] = [0, 1, 2, 3, 4, 5]
  const steps = [...Array(codeBytes / 16).keys()]
  const lane = (i: number): number[] => [...get(sum), ...i32x4Lane(i)]
  return [
    ...[1, ...unsigned(1 + steps.length), v128],
    ...steps.flatMap((step) => [...get(query), ...v128Load(16 * step), ...set(kept + step)]),
    ...loopStart,
    ...get(out),
    ...steps.flatMap((step) => [
      ...[...get(codes), ...v128Load(16 * step), ...get(kept + step), ...v128Xor, ...i8x16Popcount],
      ...(step === 0 ? [] : i8x16Add),
    ]),
    ...[...i16x8AddPairs, ...i32x4AddPairs, ...set(sum)],
    ...[...lane(0), ...lane(1), i32Add, ...lane(2), i32Add, ...lane(3), i32Add, ...i32Store16],
    ...[...get(codes), ...constant(codeBytes), i32Add, ...set(codes)],
    ...[...get(out), ...constant(2), i32Add, ...tee(out), ...get(outEnd), i32LessUnsigned],
    ...[...branchIfToLoop, end, end],
  ]
}

function functionType(parameters: number): number[] {
  return [0x60, ...list(Array<number[]>(parameters).fill([i32])), 0]
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function name(text: string): number[] {
  return [...unsigned(text.length), ...Buffer.from(text, 'ascii')]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** LEB128 of a number that is not negative: the highest bit of the last byte is the sign. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]
}
