import type { Logger } from 'pino'
import { messageOf } from '../../../pipeline/common/errors.js'
import type { Group } from './group.js'
import type { NotedCommit } from './partition-offsets.js'

export interface OffsetCommitterOptions {
  readonly log: Logger
  /** Returns the offsets to commit now. */
  readonly newCommits: () => NotedCommit[]
  readonly onCommitted: (commits: readonly NotedCommit[]) => void
  readonly everyMs?: number
  readonly againAfterMs?: number
}

const defaultEveryMs = 1000
const defaultAgainAfterMs = 3000

/** Commits a group's offsets, one request after the other. Retries a failed commit after a pause. */
export class OffsetCommitter {
  readonly #log: Logger
  readonly #newCommits: () => NotedCommit[]
  readonly #onCommitted: (commits: readonly NotedCommit[]) => void
  readonly #everyMs: number
  readonly #againAfterMs: number
  #group: Group | undefined
  #last = Promise.resolve(true)
  #timer: NodeJS.Timeout | undefined
  #isEnding = false

  constructor(options: OffsetCommitterOptions) {
    this.#log = options.log
    this.#newCommits = options.newCommits
    this.#onCommitted = options.onCommitted
    this.#everyMs = options.everyMs ?? defaultEveryMs
    this.#againAfterMs = options.againAfterMs ?? defaultAgainAfterMs
  }

  /** The group to commit to from now on. Without a group, nothing is committed. */
  setGroup(group: Group | undefined): void {
    this.#group = group
  }

  /** Commits within about a second. */
  commitSoon(): void {
    this.#commitIn(this.#everyMs)
  }

  /** False if it failed. */
  commit(): Promise<boolean> {
    // Collects the offsets only when this commit starts.
    this.#last = this.#last.then(() => this.#commitNow())
    return this.#last
  }

  /** From now on a failed commit is not retried automatically. */
  end(): void {
    this.#isEnding = true
  }

  #commitIn(ms: number): void {
    this.#timer ??= setTimeout(() => void this.commit(), ms)
  }

  async #commitNow(): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const group = this.#group
    if (group === undefined) return false
    try {
      const commits = this.#newCommits()
      if (commits.length === 0) return true
      await group.commit(commits)
      if (this.#group !== group) return false
      this.#onCommitted(commits)
      return true
    } catch (error) {
      // After a rebalance another worker may repeat this work. The result is the same.
      this.#log.warn({ error: messageOf(error) }, 'offsets were not committed, trying again')
      if (!this.#isEnding) this.#commitIn(this.#againAfterMs)
      return false
    }
  }
}
