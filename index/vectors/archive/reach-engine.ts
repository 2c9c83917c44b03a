import pRetry from 'p-retry'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { CallOrder } from '../call-order.js'
import { checkBatch, labelIsKnown } from '../check-vectors.js'
import type { ReachOptions } from '../vector-engine.js'
import type { LabelledVector, VectorIndex } from '../vector-index.js'

/** A restarting server is back within seconds. A caller should not wait longer. */
const defaultReach: ReachOptions = { retries: 4, firstPauseMs: 100, answerWithinMs: 60_000 }

/** Calls an engine, and retries if the engine could not be reached. */
export type Reach = <T>(call: () => Promise<T>) => Promise<T>

/**
 * Creates a `Reach`. Its calls reject with a CameoError: one from the engine itself, or ARCHIVE_BUSY if the engine
 * cannot be reached.
 */
export function createReach(engine: string, options: Partial<ReachOptions> = {}): Reach {
  const { retries, firstPauseMs, answerWithinMs } = { ...defaultReach, ...options }
  return (call) =>
    pRetry(
      async () => {
        try {
          return await answeredWithin(answerWithinMs, call())
        } catch (error) {
          throw error instanceof CameoError ? error : cannotReach(engine, error)
        }
      },
      {
        ...{ retries, minTimeout: firstPauseMs, maxTimeout: 10_000, factor: 4 },
        shouldRetry: ({ error }) => error instanceof CameoError && error.retriable,
      },
    )
}

const cannotReach = (engine: string, cause: unknown) =>
  new CameoError(
    'ARCHIVE_BUSY',
    `the vector engine "${engine}" of the archive cannot be reached (${messageOf(cause)}): try again when it answers`,
    { cause },
  )

async function answeredWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([answer, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

/** Wraps an index so that its calls go through `reach`. `close` waits for running calls and their retries. */
export function reachIndex(index: VectorIndex, reach: Reach): VectorIndex {
  const order = new CallOrder()
  const call: Reach = (work) => order.read(() => reach(work))
  const { durable } = index
  return {
    dimension: index.dimension,
    count: () => call(() => index.count()),
    has: (labels) => call(() => index.has(labels)),
    add: (vectors) => order.read(() => addOnce(index, vectors, reach)),
    erase: (labels) => call(() => index.erase(labels)),
    search: (queries, k, options) => call(() => index.search(queries, k, options)),
    close: () => order.close(() => index.close()),
    ...{ memory: index.memory, snapshots: index.snapshots },
    durable: durable && {
      lastChange: () => call(() => durable.lastChange()),
      apply: (batch) => call(() => durable.apply(batch)),
      clear: () => call(() => durable.clear()),
    },
  }
}

/**
 * Adds vectors exactly once. If only the reply was lost, the retry finds the vectors already stored. Labels that were
 * known before the first call are refused.
 */
async function addOnce(index: VectorIndex, vectors: readonly LabelledVector[], reach: Reach): Promise<void> {
  checkBatch(vectors, index.dimension, () => false)
  const labels = vectors.map(({ label }) => label)
  const before = await reach(() => index.has(labels))
  const used = labels.find((_, i) => before[i])
  if (used !== undefined) throw labelIsKnown(used)
  let isRepeated = false
  await reach(async () => {
    const known = isRepeated ? await index.has(labels) : []
    isRepeated = true
    await index.add(vectors.filter((_, i) => known[i] !== true))
  })
}
