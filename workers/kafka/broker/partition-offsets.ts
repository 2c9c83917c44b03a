import type { CrashCounts, GroupCrashCounts } from './crash-counts.js'
import type { PartitionCommit } from './group.js'
import { OffsetLedger } from './offset-ledger.js'

/** A commit, with the messages that it notes as begun. */
export interface NotedCommit extends PartitionCommit {
  readonly noted: readonly bigint[]
}

/**
 * Offsets of the partitions that this worker is assigned: what is taken, what is finished, and what the brokers know of it. Offsets
 * are committed up to the first message that is not finished.
 */
export class PartitionOffsets {
  readonly #crashes: CrashCounts | undefined
  readonly #ledgers = new Map<number, OffsetLedger>()
  readonly #committed = new Map<number, NotedCommit>()
  #assigned: ReadonlySet<number> = new Set()

  /** @param crashes where given, a note of it stands beside each offset */
  constructor(crashes?: CrashCounts) {
    this.#crashes = crashes
  }

  get assigned(): ReadonlySet<number> {
    return this.#assigned
  }

  assign(partitions: readonly number[]): void {
    this.#assigned = new Set(partitions)
    // Others may have committed meanwhile.
    this.#committed.clear()
    for (const partition of this.#ledgers.keys())
      if (!this.#assigned.has(partition)) this.#ledgers.delete(partition)
  }

  /** Of a partition that is assigned. */
  ledgerOf(partition: number): OffsetLedger {
    const ledger = this.#ledgers.get(partition) ?? new OffsetLedger()
    this.#ledgers.set(partition, ledger)
    return ledger
  }

  /** False for a ledger of an earlier assignment. */
  isCurrent(partition: number, ledger: OffsetLedger): boolean {
    return this.#ledgers.get(partition) === ledger
  }

  /** Takes over what stands beside the group's offsets. */
  learn({ partitions }: GroupCrashCounts): void {
    for (const { partition, offset, note } of partitions)
      if (offset >= 0n) this.#committed.set(partition, { partition, next: offset, note, noted: [] })
  }

  /** Whether the brokers know that the message has begun, or may have. */
  isNoted(partition: number, offset: bigint): boolean {
    return this.#committed.get(partition)?.noted.includes(offset) === true
  }

  /**
   * What the brokers do not know yet.
   * @param offsetsToNote the messages of a partition that are to be noted as begun
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
    // A note needs an offset to stand beside, also where nothing is finished.
    const unfinished = this.#crashes === undefined ? undefined : (ledger?.firstOpen ?? before?.next)
    const next = ledger?.next ?? unfinished
    if (next === undefined) return []
    const note = this.#crashes?.note(partition, next, noted)
    return before?.next === next && before.note === note ? [] : [{ partition, next, note, noted }]
  }
}
