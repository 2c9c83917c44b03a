import type { CrashCounts, GroupCrashCounts } from './crash-counts.js'
import type { PartitionCommit } from './group.js'
import { OffsetLedger } from './offset-ledger.js'

/** A commit, with the messages that it notes as started. */
export interface NotedCommit extends PartitionCommit {
  readonly noted: readonly bigint[]
}

/**
 * Offsets of the partitions assigned to this worker: which messages are taken and finished, and what the
 * brokers know of it. Offsets are committed up to the first unfinished message.
 */
export class PartitionOffsets {
  readonly #crashes: CrashCounts | undefined
  readonly #ledgers = new Map<number, OffsetLedger>()
  readonly #committed = new Map<number, NotedCommit>()
  #assigned: ReadonlySet<number> = new Set()

  /** @param crashes if given, its note is stored beside each offset */
  constructor(crashes?: CrashCounts) {
    this.#crashes = crashes
  }

  get assigned(): ReadonlySet<number> {
    return this.#assigned
  }

  assign(partitions: readonly number[]): void {
    this.#assigned = new Set(partitions)
    // Other workers may have committed in the meantime.
    this.#committed.clear()
    for (const partition of this.#ledgers.keys())
      if (!this.#assigned.has(partition)) this.#ledgers.delete(partition)
  }

  /** The ledger of an assigned partition. */
  ledgerOf(partition: number): OffsetLedger {
    const ledger = this.#ledgers.get(partition) ?? new OffsetLedger()
    this.#ledgers.set(partition, ledger)
    return ledger
  }

  /** False for a ledger of an earlier assignment. */
  isCurrent(partition: number, ledger: OffsetLedger): boolean {
    return this.#ledgers.get(partition) === ledger
  }

  /** Takes over the notes stored beside the group's offsets. */
  learn({ partitions }: GroupCrashCounts): void {
    for (const { partition, offset, note } of partitions)
      if (offset >= 0n) this.#committed.set(partition, { partition, next: offset, note, noted: [] })
  }

  /** Whether the brokers know, or may know, that the message has started. */
  isNoted(partition: number, offset: bigint): boolean {
    return this.#committed.get(partition)?.noted.includes(offset) === true
  }

  /**
   * The commits that the brokers do not have yet.
   * @param offsetsToNote the messages of a partition to note as started
   */
  newCommits(offsetsToNote: (partition: number) => readonly bigint[]): NotedCommit[] {
    return [...this.#assigned].flatMap((partition) => this.#newCommit(partition, offsetsToNote(partition)))
  }

  setCommitted(commits: readonly NotedCommit[]): void {
    for (const commit of commits) this.#committed.set(commit.partition, commit)
  }

  #newCommit(partition: number, noted: readonly bigint[]): NotedCommit[] {
    const ledger = this.#ledgers.get(partition)
    const before = this.#committed.get(partition)
    // A note needs an offset to be stored beside, even if nothing is finished.
    const unfinished = this.#crashes === undefined ? undefined : (ledger?.firstOpen ?? before?.next)
    const next = ledger?.next ?? unfinished
    if (next === undefined) return []
    const note = this.#crashes?.note(partition, next, noted)
    return before?.next === next && before.note === note ? [] : [{ partition, next, note, noted }]
  }
}
