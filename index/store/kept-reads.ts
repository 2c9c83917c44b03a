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

/** A read that takes longer than this is done elsewhere, ms: the questions of others would wait for it. */
const longMs = 100

/**
 * Reads a value of a database again, elsewhere: for example in another thread. Undefined if it cannot.
 * @param file of the database
 */
export type ReadElsewhere = (file: string, name: string) => Promise<unknown> | undefined

let readElsewhere: ReadElsewhere = () => undefined

/** For all archives of this thread: long reads are done again by `read`, and until then the old values are answers. */
export function readAgainElsewhere(read: ReadElsewhere): void {
  readElsewhere = read
}

/**
 * What was read from a whole archive, kept until the archive changes: reading every row for each question would take a second in an
 * archive of 50,000 clips.
 */
export class KeptReads {
  readonly #file: string
  readonly #readChange: () => string
  readonly #now: () => number
  readonly #underWay = new Set<string>()
  readonly #kept = new Map<string, Kept>()

  /** @param now ms */
  constructor(database: Database, now: () => number = () => performance.now()) {
    this.#file = database.name
    this.#readChange = createChangeReader(database)
    this.#now = now
  }

  /** @param read must not change the database */
  get<Value>(name: string, read: () => Value): Value
  get(name: string, read: () => unknown): unknown {
    const change = this.#readChange()
    const known = this.#kept.get(name)
    if (known !== undefined && (known.change === change || this.#isYoung(known))) return known.value
    if (known !== undefined && known.tookMs > longMs && this.#readElsewhere(name, known, change))
      return known.value
    const begunMs = this.#now()
    const value = read()
    const readAtMs = this.#now()
    this.#kept.set(name, { change, value, readAtMs, tookMs: readAtMs - begunMs })
    return value
  }

  /** True if the value comes from elsewhere, sooner or later. */
  #readElsewhere(name: string, known: Kept, change: string): boolean {
    if (this.#underWay.has(name)) return true
    const begunMs = this.#now()
    const reading = readElsewhere(this.#file, name)
    if (reading === undefined) return false
    this.#underWay.add(name)
    void reading
      .then(
        (value) => {
          const readAtMs = this.#now()
          this.#kept.set(name, { change, value, readAtMs, tookMs: readAtMs - begunMs })
        },
        // It is tried again after a while.
        () => this.#kept.set(name, { ...known, readAtMs: this.#now() }),
      )
      .finally(() => this.#underWay.delete(name))
    return true
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
