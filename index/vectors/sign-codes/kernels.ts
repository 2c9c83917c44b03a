import { readFileSync } from 'node:fs'

/** What this file uses of the global of that name, which TypeScript declares only along with a browser. */
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
/** Can be posted to other threads, which then work in the same memory. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}

/** The functions of `assembly/kernels.ts`, working in one memory. Parameters are addresses in bytes. */
export interface Kernels {
  /**
   * Inner products of the float32 vector at `query` with rows of the matrix at `rows`. The uint32 row numbers (at
   * least one) lie from `list` to `listEnd`; the float32 results go to `out`.
   * @param floats values of a vector, a multiple of 16
   */
  dots(query: number, rows: number, list: number, listEnd: number, out: number, floats: number): void
  /**
   * As `dots`, of an int16 vector at `query` with uint8 rows; the results are int32.
   * @param values of a row, a multiple of 32
   */
  byteDots(query: number, rows: number, list: number, listEnd: number, out: number, values: number): void
  /**
   * Adds planes to counters. A plane has a bit a row and lies in memory as its rows do, 128 of them in 16 bytes;
   * `list` has the addresses of `planesAtOnce` of them (uint32). Counters are `counterBits` planes one after the
   * other, the lowest bit first, from `counters`, each `planeBytes` long; `bytes` of every plane are worked on, a
   * multiple of 16. With `invert` −1 zeros are counted, with 0 ones.
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

/** Planes that one call of `addPlanes` takes. */
export const planesAtOnce = 16
export const counterBits = 10

/** Rows of a plane. */
export const planeRows = 32_768
/** A cache line lies between two planes so that they do not compete for the same places of the cache. */
export const planeBytes = planeRows / 8 + 64

const pageBytes = 65_536

/** A zeroed memory of at least `bytes`. */
export function createMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / pageBytes)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}

const module = new WebAssembly.Module(readFileSync(new URL('kernels.wasm', import.meta.url)))

/** One module serves any number of memories. */
export const bindKernels = (memory: WasmMemory): Kernels =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as Kernels
