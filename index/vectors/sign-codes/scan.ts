import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { WasmMemory } from './kernels.js'
import { blockRows, type Block } from './block.js'
import type { CodeLayout, CodeQuery } from './code-search.js'
import { comparedPlaces } from './codes.js'

/** With fewer blocks, the search ends before another thread wakes up. */
const leastShared = 4
/** A search is limited by memory bandwidth: more threads than this are hardly faster. */
const maxThreads = 4

/**
 * Positions in the int32 array that the threads share. `claims` contains the round (upper 16 bits) and the next block
 * to search in it. A thread takes a block by increasing the number. This fails if the round is not the one of the
 * query that the thread knows.
 */
export const shared = { round: 0, claims: 1, searched: 2, rows: 3, floor: 4, places: 5 } as const
const wordsAt = shared.places + comparedPlaces

/** The words of the query: the int16 values after the places. */
export const wordsIn = (control: Int32Array): Int16Array =>
  new Int16Array(control.buffer, control.byteOffset + 4 * wordsAt)

/** A message to a thread: first the array, then each block. */
export type ScanMessage =
  { readonly control: SharedArrayBuffer } | { readonly memory: WasmMemory; readonly layout: CodeLayout }

/** Number of rows in block `index` if there are `rows` in total. */
export const rowsOfBlock = (index: number, rows: number): number =>
  Math.max(0, Math.min(blockRows, rows - index * blockRows))

const noneLeft = 0xffff

/** About half a millisecond. */
const looksBeforeWaiting = 50_000

/** Takes the next block of a round if its number is below `known`. Undefined if none is left or the round is over. */
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
 * Searches the codes of all blocks. Other threads help from the second search on, so that a single search does not
 * wait for their start. They end with the process.
 */
export class Scan {
  readonly #blocks: readonly Block[]
  readonly #control: Int32Array
  #threads: Worker[] = []
  /** Number of blocks that the threads know. */
  #announced = 0
  #scans = 0
  #query: CodeQuery | undefined

  /** @param bits number of bits per code */
  constructor(blocks: readonly Block[], bits: number) {
    this.#blocks = blocks
    this.#control = new Int32Array(new SharedArrayBuffer(4 * wordsAt + 2 * bits))
  }

  /** Starts the search in the other threads. No row may change until `finish` returns. */
  start(query: CodeQuery, rows: number): void {
    this.#query = query
    this.#scans++
    if (this.#scans > 1 && this.#blocks.length >= leastShared) this.#startThreads()
    const round = this.#round
    const control = this.#control
    Atomics.store(control, shared.claims, (round << 16) | noneLeft)
    control.set(query.places, shared.places)
    wordsIn(control).set(query.words)
    control[shared.floor] = query.floor
    control[shared.searched] = 0
    control[shared.rows] = rows
    Atomics.store(control, shared.claims, round << 16)
    Atomics.store(control, shared.round, round)
    Atomics.notify(control, shared.round)
  }

  /** Searches the remaining blocks. Returns all rows that agree enough, in ascending order, with their scores. */
  finish(): { rows: Uint32Array; scores: Int32Array } {
    const control = this.#control
    const count = control[shared.rows] ?? 0
    const filled = Math.ceil(count / blockRows)
    if (this.#query !== undefined)
      for (let i = this.#claim(); i !== undefined; i = this.#claim()) {
        this.#blocks[i]?.codes.search(this.#query, rowsOfBlock(i, count))
        Atomics.add(control, shared.searched, 1)
      }
    // Waking up takes longer than a thread needs for its last block, so this thread polls first.
    let looks = 0
    for (let searched = 0; searched < filled; searched = Atomics.load(control, shared.searched))
      if (looks++ > looksBeforeWaiting) Atomics.wait(control, shared.searched, searched)
    const results = this.#blocks.slice(0, filled).map(({ codes }) => codes.results())
    const total = results.reduce((sum, { rows }) => sum + rows.length, 0)
    const all = { rows: new Uint32Array(total), scores: new Int32Array(total) }
    let at = 0
    for (const [block, { rows, scores }] of results.entries()) {
      for (let i = 0; i < rows.length; i++) all.rows[at + i] = block * blockRows + (rows[i] ?? 0)
      all.scores.set(scores, at)
      at += rows.length
    }
    return all
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
      this.#tell({ control: this.#control.buffer as SharedArrayBuffer })
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
