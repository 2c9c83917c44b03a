import type { Database } from './database.js'

/** Writes that are made durable together: one flush to disk for what several threads finish within a moment. */
export interface GroupCommit {
  /** To be called before a write: opens the group's transaction where none is open. */
  begin(): void
  /** Calls `tell` when all that was written before is durable. */
  whenDurable(tell: () => void): void
  /** Makes everything durable now. */
  flush(): void
  /** Takes back what is not durable yet, after an error. */
  abandon(): void
}

/**
 * A flush takes 4 to 8 ms, in which no thread can be given work; four a clip were a tenth of a short clip's time. What is
 * reported as done is reported a quarter of a second later instead.
 */
const commitAfterMs = 250

/** @param onError told of a commit that failed; nothing of its group is durable */
export function createGroupCommit(database: Database, onError: (error: unknown) => void): GroupCommit {
  let timer: NodeJS.Timeout | undefined
  let waiting: (() => void)[] = []

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (database.inTransaction) database.exec('COMMIT')
    const told = waiting
    waiting = []
    for (const tell of told) tell()
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      try {
        flush()
      } catch (error) {
        onError(error)
      }
    }, commitAfterMs)
  }

  return {
    begin() {
      if (!database.inTransaction) database.exec('BEGIN IMMEDIATE')
      schedule()
    },
    whenDurable(tell) {
      waiting.push(tell)
      schedule()
    },
    flush,
    abandon() {
      clearTimeout(timer)
      timer = undefined
      waiting = []
      if (database.inTransaction) database.exec('ROLLBACK')
    },
  }
}
