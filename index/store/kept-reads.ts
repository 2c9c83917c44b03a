import { createChangeReader } from './change-reader.js'
import type { Database } from './sqlite.js'

interface Kept {
  readonly change: string
  readonly value: unknown
  readonly readAtMs: number
  readonly tookMs: number
}

/**
 * A value that is read again after the archive has changed takes at most this share of the time: while clips are added without a
 * pause, it is as old as ten reads take. In a small archive that is a few milliseconds.
 */
const mostShare = 0.1

/**
 * What was read from a whole archive, kept until the archive changes: reading every row for each question would take a second in an
 * archive of 50,000 clips.
 */
export class KeptReads {
  readonly #readChange: () => string
  readonly #now: () => number
  readonly #kept = new Map<string, Kept>()

  /** @param now ms */
  constructor(database: Database, now: () => number = () => performance.now()) {
    this.#readChange = createChangeReader(database)
    this.#now = now
  }

  /** @param read must not change the database */
  get<Value>(name: string, read: () => Value): Value
  get(name: string, read: () => unknown): unknown {
    const change = this.#readChange()
    const known = this.#kept.get(name)
    if (known !== undefined && (known.change === change || this.#isYoung(known))) return known.value
    const begunMs = this.#now()
    const value = read()
    const readAtMs = this.#now()
    this.#kept.set(name, { change, value, readAtMs, tookMs: readAtMs - begunMs })
    return value
  }

  #isYoung({ readAtMs, tookMs }: Kept): boolean {
    return this.#now() - readAtMs < tookMs / mostShare
  }
}

/** The reads of each connection; they go with it. */
const readsOfConnections = new WeakMap<Database, KeptReads>()

export function keptReadsOf(database: Database): KeptReads {
  const known = readsOfConnections.get(database) ?? new KeptReads(database)
  readsOfConnections.set(database, known)
  return known
}
