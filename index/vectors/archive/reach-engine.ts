import pRetry from 'p-retry'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { CallOrder } from '../call-order.js'
import { checkBatch, labelIsKnown } from '../check-vectors.js'
import type { ReachOptions } from '../vector-engine.js'
import type { LabelledVector, VectorIndex } from '../vector-index.js'

/** A server that restarts is back within seconds; who asks from an archive does not wait for longer. */
const defaultReach: ReachOptions = { retries: 4, firstPauseMs: 100, answerWithinMs: 60_000 }

/** Makes a call to an engine, and makes it again where the engine could not be reached. */
export type Reach = <T>(call: () => Promise<T>) => Promise<T>

/** Calls reject with a CameoError: one that the engine threw itself, or ARCHIVE_BUSY where it cannot be reached. */
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

/** The same index, whose calls are made by `reach`; closing waits for them, however often they are repeated. */
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
    search: (queries, k) => call(() => index.search(queries, k)),
    close: () => order.close(() => index.close()),
    ...{ memory: index.memory, snapshots: index.snapshots },
    durable: durable && {
      lastChange: () => call(() => durable.lastChange()),
      apply: (batch) => call(() => durable.apply(batch)),
      clear: () => call(() => durable.clear()),
    },
  }
}

/** Where only the reply was lost, the vectors are there when the call is repeated; labels that were known before are refused. */
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
