import { readFileSync } from 'node:fs'

/** The used part of the global `WebAssembly`, which TypeScript declares only in its browser types. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: unknown }
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory
}
interface WasmModule {
  readonly kind?: 'module'
}
/** Can be posted to other threads, which then use the same memory. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}

/** The functions of `assembly/kernels.ts`, bound to one memory. Parameters are addresses in bytes. */
export interface Kernels {
  /**
   * Inner products of the float32 vector at `query` with rows of the matrix at `rows`. The uint32 row numbers (at
   * least one) are at `list` to `listEnd`. The float32 results are written to `out`.
   * @param floats number of values per vector, a multiple of 16
   */
  dots(query: number, rows: number, list: number, listEnd: number, out: number, floats: number): void
  /**
   * Like `dots`, for an int16 vector at `query` and uint8 rows. The results are int32.
   * @param values number of values per row, a multiple of 32
   */
  byteDots(query: number, rows: number, list: number, listEnd: number, out: number, values: number): void
  /**
   * Adds planes to counters. A plane has one bit per row, in the order of the rows: 16 bytes for 128 rows. `list`
   * contains the addresses of `planesAtOnce` planes (uint32). The counters are `counterBits` planes, one after the
   * other from `counters`, lowest bit first, each `planeBytes` long. Processes the first `bytes` bytes of every
   * plane, a multiple of 16. Counts zeros if `invert` is −1, and ones if it is 0.
   */
  addPlanes(
    list: number,
    invert: number,
    counters: number,
    bytes: number,
    counterBits: number,
    planeBytes: number,
  ): void
}

/** Number of planes that one call of `addPlanes` adds. */
export const planesAtOnce = 16
export const counterBits = 10

/** Rows per plane. */
export const planeRows = 32_768
/** One extra cache line separates two planes, so that they do not compete for the same cache sets. */
export const planeBytes = planeRows / 8 + 64

const pageBytes = 65_536

/** A zeroed memory of at least `bytes`. */
export function createMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / pageBytes)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}

const module = new WebAssembly.Module(readFileSync(new URL('kernels.wasm', import.meta.url)))

/** One module can be bound to any number of memories. */
export const bindKernels = (memory: WasmMemory): Kernels =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as Kernels
