/**
 * A small assembler for WebAssembly: the instructions and module parts that the kernels use. Bytes are numbers.
 * Opcodes and layout: WebAssembly Core Specification 2.0, chapter 5.
 */

/** What this file uses of the global of that name, which TypeScript declares only along with a browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (
    module: WasmModule,
    imports: { host: { memory: WasmMemory } },
  ) => { readonly exports: unknown }
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory
}
export interface WasmModule {
  readonly kind?: 'module'
}
/** Can be posted to other threads, which then work in the same memory. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}

/** A function of int32 parameters, without result, that works in the module's one memory. */
export interface WasmFunction {
  readonly name: string
  readonly parameters: number
  /** Locals beyond the parameters and instructions, without the `end` of the function. */
  readonly body: readonly number[]
}

const pageBytes = 65_536
const maxPages = 65_536
/** Memories have a lowest and a highest size and are shared between threads. */
const sharedLimits = 3

/** One module serves any number of memories. */
export function compileWasm(functions: readonly WasmFunction[]): WasmModule {
  return new WebAssembly.Module(
    new Uint8Array([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, list(functions.map(functionType))),
      ...section(2, list([[...name('host'), ...name('memory'), 2, sharedLimits, 1, ...unsigned(maxPages)]])),
      ...section(3, list(functions.map((_, i) => unsigned(i)))),
      ...section(7, list(functions.map((f, i) => [...name(f.name), 0, ...unsigned(i)]))),
      ...section(10, list(functions.map(({ body }) => [...unsigned(body.length + 1), ...body, end]))),
    ]),
  )
}

/** A zeroed memory of at least `bytes`. */
export function createMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / pageBytes)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}

/** The module's functions working in that memory. */
export function instantiateWasm(module: WasmModule, memory: WasmMemory): unknown {
  return new WebAssembly.Instance(module, { host: { memory } }).exports
}

// ---------------------------------------------------------------- instructions

export const i32 = 0x7f
export const v128 = 0x7b
export const loopStart = [0x03, 0x40]
export const branchIfToLoop = [0x0d, 0]
export const end = 0x0b
export const i32Add = 0x6a
export const i32Mul = 0x6c
export const i32LessUnsigned = 0x49
/** From the address on the stack plus `offset`, aligned. */
export const i32Load = (offset: number): number[] => [0x28, 2, ...unsigned(offset)]
export const f32Add = 0x92
export const i32Store = [0x36, 2, 0]
export const f32Store = [0x38, 2, 0]
export const get = (local: number): number[] => [0x20, ...unsigned(local)]
export const set = (local: number): number[] => [0x21, ...unsigned(local)]
export const tee = (local: number): number[] => [0x22, ...unsigned(local)]
export const constant = (value: number): number[] => [0x41, ...signed(value)]
const simd = (...code: number[]): number[] => [0xfd, ...code]
export const v128Load = (offset: number): number[] => simd(0x00, 4, ...unsigned(offset))
export const v128Store = (offset: number): number[] => simd(0x0b, 4, ...unsigned(offset))
export const i32x4Splat = simd(0x11)
export const v128And = simd(0x4e)
export const v128Or = simd(0x50)
export const v128Xor = simd(0x51)
export const i16x8ExtendLowUnsigned = simd(0x89, 1)
export const i16x8ExtendHighUnsigned = simd(0x8a, 1)
/** Products of words, added in pairs. */
export const i32x4DotWords = simd(0xba, 1)
export const i32x4Add = simd(0xae, 1)
export const i32x4Lane = (lane: number): number[] => simd(0x1b, lane)
export const f32x4Lane = (lane: number): number[] => simd(0x1f, lane)
export const f32x4Add = simd(0xe4, 1)
export const f32x4Multiply = simd(0xe6, 1)

// ---------------------------------------------------------------- encoding

function functionType({ parameters }: WasmFunction): number[] {
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
