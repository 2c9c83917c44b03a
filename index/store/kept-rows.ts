import { createChangeReader } from './change-reader.js'
import { perConnection } from './per-connection.js'
import type { Database } from './sqlite.js'

/** The rows of a track take a few kilobytes, so that this is some hundred megabytes. */
const mostRowsOfKind = 131_072

/**
 * What was read of single rows, kept until the archive changes, so that the hits of one search need not be read and checked again
 * for the next. Once there is too much of a kind, what was not used for the longest time goes.
 */
export class KeptRows {
  readonly #mostRows: number
  readonly #kinds = new Map<string, RecentValues>()

  /** @param mostRows so many rows of each kind are kept at most */
  constructor(mostRows = mostRowsOfKind) {
    this.#mostRows = mostRows
  }

  /** What `read` returns, read once. @param read must not change the database */
  value<Value>(kind: string, read: () => Value): Value {
    return this.of(kind, read)(undefined)
  }

  /** A function that reads like `read`, each key once. A list counts as its rows. @param read must not change the database */
  of<Key, Value>(kind: string, read: (key: Key) => Value): (key: Key) => Value
  of(kind: string, read: (key: unknown) => unknown): (key: unknown) => unknown {
    const values = this.#kinds.get(kind) ?? new RecentValues(this.#mostRows)
    this.#kinds.set(kind, values)
    return (key) => {
      const known = values.get(key)
      if (known !== undefined) return known.value
      const value = read(key)
      values.set(key, { value })
      return value
    }
  }
}

interface Held {
  readonly value: unknown
}

/** Keeps the values that were used last: two maps, of which the older one is dropped when the younger one is full. */
class RecentValues {
  readonly #mostOfAge: number
  #youngRows = 0
  #young = new Map<unknown, Held>()
  #old = new Map<unknown, Held>()

  constructor(mostRows: number) {
    this.#mostOfAge = mostRows / 2
  }

  get(key: unknown): Held | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: unknown, held: Held): void {
    const rows = Array.isArray(held.value) ? Math.max(1, held.value.length) : 1
    if (this.#youngRows + rows > this.#mostOfAge) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngRows = 0
    }
    // A value with more rows than may be kept is not.
    if (rows > this.#mostOfAge) return
    this.#young.set(key, held)
    this.#youngRows += rows
  }
}

const stateOf = perConnection((database) => ({
  readChange: createChangeReader(database),
  change: '',
  rows: new KeptRows(),
}))

/**
 * What is known of the rows as they are now. Within a transaction nothing is known: it may be undone.
 * The result is of this moment. Ask again after the archive may have changed.
 */
export function keptRowsOf(database: Database): KeptRows {
  if (database.inTransaction) return new KeptRows()
  const state = stateOf(database)
  const change = state.readChange()
  if (change !== state.change) {
    state.change = change
    state.rows = new KeptRows()
  }
  return state.rows
}
