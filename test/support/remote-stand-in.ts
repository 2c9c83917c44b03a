import { setTimeout as sleep } from 'node:timers/promises'
import { ExactIndex } from '../../index/vectors/exact/exact-index.js'
import type { VectorEngineFactory, VectorSpace } from '../../index/vectors/vector-engine.js'
import type { ChangeBatch, VectorIndex } from '../../index/vectors/vector-index.js'
import { createRandom } from './vectors.js'

export interface StandInOptions {
  readonly latencyMs?: number
  /** Share of calls that fail: half of them before they take effect, half of them afterwards. */
  readonly failing?: number
}

interface StoredSpace {
  readonly index: ExactIndex
  /** Labels that were erased before they were added. */
  readonly erasedUnseen: Set<number>
  lastChange: number
}

/** Largest number of consecutive failures, so that a test never fails by chance. */
const mostFailures = 2

/**
 * A vector engine "on another machine". It stores spaces longer than an index lives, answers late, and fails
 * at random.
 */
export class RemoteStandIn {
  /** If true, every call fails. */
  isDown = false
  /** Number of calls, including failed ones. */
  calls = 0
  /** Called when a search arrives, before it is answered. */
  onSearch: () => void = () => undefined
  /** Called when a batch of changes is stored, before the call resolves. */
  onApplied: () => void = () => undefined
  readonly #spaces = new Map<string, StoredSpace>()
  readonly #random = createRandom(7)
  readonly #options: Required<StandInOptions>
  #failures = 0

  constructor({ latencyMs = 0, failing = 0 }: StandInOptions = {}) {
    this.#options = { latencyMs, failing }
  }

  readonly factory: VectorEngineFactory = (space) => ({
    open: () => this.#call(() => this.#indexOf(space)),
    remove: () => this.#call(() => void this.#spaces.delete(keyOf(space))),
    reach: { retries: 8, firstPauseMs: 0.1 },
  })

  /** Number of stored vectors of all spaces. */
  async stored(): Promise<number> {
    const counts = await Promise.all([...this.#spaces.values()].map(({ index }) => index.count()))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async #call<T>(work: () => Promise<T> | T): Promise<T> {
    this.calls++
    const { latencyMs, failing } = this.#options
    if (latencyMs > 0) await sleep(latencyMs * 2 * this.#random())
    const draw = this.#random()
    const fails = this.isDown || (draw < failing && this.#failures < mostFailures)
    this.#failures = fails ? this.#failures + 1 : 0
    if (fails && (this.isDown || draw < failing / 2)) throw new Error('connect ECONNREFUSED')
    const result = await work()
    if (fails) throw new Error('read ECONNRESET')
    return result
  }

  #spaceOf(space: VectorSpace): StoredSpace {
    const key = keyOf(space)
    const stored = this.#spaces.get(key) ?? {
      index: new ExactIndex(space.dimension),
      ...{ erasedUnseen: new Set<number>(), lastChange: 0 },
    }
    this.#spaces.set(key, stored)
    return stored
  }

  #indexOf(space: VectorSpace): VectorIndex {
    const call = <T>(work: (stored: StoredSpace) => Promise<T> | T) =>
      this.#call(() => work(this.#spaceOf(space)))
    const calls = new Set<Promise<unknown>>()
    const counted = <T>(answer: Promise<T>): Promise<T> => {
      calls.add(answer)
      return answer
    }
    return {
      dimension: space.dimension,
      count: () => call(({ index }) => index.count()),
      has: (labels) => call((stored) => hasAny(stored, labels)),
      add: (vectors) => counted(call(({ index }) => index.add(vectors))),
      erase: (labels) => call(({ index }) => index.erase(labels)),
      search: (queries, k) => {
        this.onSearch()
        return counted(call(({ index }) => index.search(queries, k)))
      },
      close: () => Promise.allSettled(calls).then(() => undefined),
      durable: {
        lastChange: () => call(({ lastChange }) => lastChange),
        apply: (batch) =>
          call(async (stored) => {
            await applyTo(stored, batch)
            this.onApplied()
          }),
        clear: () => this.#call(() => void this.#spaces.delete(keyOf(space))),
      },
    }
  }
}

const keyOf = ({ archiveId, spaceId, digest }: VectorSpace) => `${archiveId}/${spaceId}/${digest}`

async function hasAny({ index, erasedUnseen }: StoredSpace, labels: readonly number[]): Promise<boolean[]> {
  const known = await index.has(labels)
  return labels.map((label, i) => known[i] === true || erasedUnseen.has(label))
}

async function applyTo(stored: StoredSpace, { add, erase, lastChange = 0 }: ChangeBatch): Promise<void> {
  const isKnown = await hasAny(
    stored,
    add.map(({ label }) => label),
  )
  await stored.index.add(add.filter((_, i) => isKnown[i] !== true))
  await stored.index.erase(erase)
  for (const label of erase) stored.erasedUnseen.add(label)
  stored.lastChange = Math.max(stored.lastChange, lastChange)
}
