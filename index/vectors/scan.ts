import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { AgreementLayout, AgreementQuery } from './agreements.js'
import type { WasmMemory } from './assembler.js'
import { blockRows, type Block } from './block.js'
import { comparedPlaces } from './sign-code.js'

/** Fewer blocks are counted sooner than another thread wakes up. */
const leastShared = 4
/** Counting waits for memory: more threads than this are hardly faster. */
const maxThreads = 4

/**
 * Places in the int32 array that threads share. `claims` holds the round (upper 16 bits) and the next block to be
 * counted in it: a thread takes a block by raising the number, which fails where the round is not the one whose query
 * it knows.
 */
export const shared = { round: 0, claims: 1, counted: 2, rows: 3, floor: 4, places: 5 } as const
const sharedLength = shared.places + comparedPlaces

/** What a thread is told, at first the array, then each block. */
export type ScanMessage =
  | { readonly control: SharedArrayBuffer; readonly floats: number }
  | { readonly memory: WasmMemory; readonly layout: AgreementLayout }

/** Rows of block `index` where there are `rows` in all. */
export const rowsOfBlock = (index: number, rows: number): number =>
  Math.max(0, Math.min(blockRows, rows - index * blockRows))

const noneLeft = 0xffff

/** Takes the next of a round's blocks, if it is below `known`; undefined where none is left or the round is over. */
export function claimBlock(control: Int32Array, round: number, known: number): number | undefined {
  for (;;) {
    const claims = Atomics.load(control, shared.claims)
    const block = claims & 0xffff
    if (claims >>> 16 !== round || block >= known) return undefined
    if (rowsOfBlock(block, Atomics.load(control, shared.rows)) === 0) return undefined
    if (Atomics.compareExchange(control, shared.claims, claims, claims + 1) === claims) return block
  }
}

/**
 * Counts agreements in all blocks, with the help of other threads from the second time on: whoever searches once does
 * not wait for their start. They end with the process.
 */
export class Scan {
  readonly #blocks: readonly Block[]
  readonly #floats: number
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * sharedLength))
  #threads: Worker[] = []
  /** Blocks that the threads know. */
  #announced = 0
  #scans = 0
  #query: AgreementQuery = { places: new Uint32Array(comparedPlaces), floor: 0 }

  constructor(blocks: readonly Block[], floats: number) {
    this.#blocks = blocks
    this.#floats = floats
  }

  /** The other threads start to count; no row may change until `forEachReached` returns. */
  start(query: AgreementQuery, rows: number): void {
    this.#query = query
    this.#scans++
    if (this.#scans > 1 && this.#blocks.length >= leastShared) this.#startThreads()
    const round = this.#round
    const control = this.#control
    Atomics.store(control, shared.claims, (round << 16) | noneLeft)
    control.set(query.places, shared.places)
    control[shared.floor] = query.floor
    control[shared.counted] = 0
    control[shared.rows] = rows
    Atomics.store(control, shared.claims, round << 16)
    Atomics.store(control, shared.round, round)
    Atomics.notify(control, shared.round)
  }

  /** Counts what is left to count, and calls `found` for all rows that reached the floor, in ascending order. */
  forEachReached(found: (row: number, agreements: number) => void): void {
    const control = this.#control
    const rows = control[shared.rows] ?? 0
    const query = this.#query
    const filled = Math.ceil(rows / blockRows)
    for (let i = this.#claim(); i !== undefined; i = this.#claim()) {
      this.#blocks[i]?.agreements.count(query, 0, rowsOfBlock(i, rows))
      Atomics.add(control, shared.counted, 1)
    }
    for (let counted = 0; counted < filled; counted = Atomics.load(control, shared.counted))
      Atomics.wait(control, shared.counted, counted)
    for (let i = 0; i < filled; i++)
      this.#blocks[i]?.agreements.forEachReached(query, 0, rowsOfBlock(i, rows), (row, agreements) => {
        found(i * blockRows + row, agreements)
      })
  }

  close(): void {
    for (const thread of this.#threads) void thread.terminate()
    this.#threads = []
    this.#announced = 0
  }

  get #round(): number {
    return this.#scans & 0xffff
  }

  #claim(): number | undefined {
    return claimBlock(this.#control, this.#round, this.#blocks.length)
  }

  #startThreads(): void {
    if (this.#threads.length === 0) {
      const count = Math.min(maxThreads, availableParallelism()) - 1
      this.#threads = Array.from({ length: count }, () => {
        const thread = new Worker(new URL('./scan-thread.js', import.meta.url))
        thread.unref()
        return thread
      })
      this.#tell({ control: this.#control.buffer, floats: this.#floats })
    }
    for (; this.#announced < this.#blocks.length; this.#announced++) {
      const block = this.#blocks[this.#announced]
      if (block !== undefined) this.#tell({ memory: block.memory, layout: block.layout })
    }
  }

  #tell(message: ScanMessage): void {
    for (const thread of this.#threads) thread.postMessage(message)
  }
}
