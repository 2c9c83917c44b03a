import type { Database } from './sqlite.js'

/** Writes that are made durable together: one flush to disk for what several threads finish within a moment. */
export interface GroupCommit {
  /** To be called before a write: opens the group's transaction where none is open. */
  begin(): void
  /** Calls `tell` when all that was written before is durable. */
  whenDurable(tell: () => void): void
  /** Makes everything durable now. */
  flush(): void
  /** Takes back what is not durable yet, after an error; nothing of it is told, and nothing can be written any more. */
  abandon(): void
}

/**
 * A flush takes 4 to 8 ms, in which no thread can be given work; four a clip were a tenth of a short clip's time. What is
 * reported as done is reported a quarter of a second later instead.
 */
const commitAfterMs = 250

/**
 * A group that failed is not durable in any part, and the writes after it may rest on it: the first failed commit is the
 * last, and what waited for it is never told. SQLite itself takes a transaction back when a write finds the disk full; a
 * later commit would then succeed without it.
 * @param onError told of a commit that failed; nothing of its group is durable
 */
export function createGroupCommit(database: Database, onError: (error: unknown) => void): GroupCommit {
  let timer: NodeJS.Timeout | undefined
  let waiting: (() => void)[] = []
  let isOpen = false
  let isLost = false

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (isLost) return
    try {
      if (isOpen) database.exec('COMMIT')
    } catch (error) {
      abandon()
      throw error
    }
    isOpen = false
    const told = waiting
    waiting = []
    for (const tell of told) tell()
  }

  function abandon(): void {
    clearTimeout(timer)
    timer = undefined
    waiting = []
    isLost = true
    if (database.inTransaction) database.exec('ROLLBACK')
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
      if (isLost || (isOpen && !database.inTransaction))
        throw new Error('an earlier write of this group was taken back')
      if (!isOpen) database.exec('BEGIN IMMEDIATE')
      isOpen = true
      schedule()
    },
    whenDurable(tell) {
      if (isLost) return
      waiting.push(tell)
      schedule()
    },
    flush,
    abandon,
  }
}
