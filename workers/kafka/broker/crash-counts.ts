import { z } from 'zod'

/** The notes that a group's members stored beside its offsets, and the current members. */
export interface GroupCrashCounts {
  /** Client ids of the members. */
  readonly members: ReadonlySet<string>
  readonly partitions: readonly {
    readonly partition: number
    /** The committed offset that the note belongs to. */
    readonly offset: bigint
    readonly note: string | undefined
  }[]
}

/** A message that a worker handles, or handled when it died. */
export interface NotedMessage {
  readonly offset: bigint
  /** Number of workers that died while they handled it. */
  readonly deaths: number
  readonly isInWork: boolean
}

/** How many workers died while they handled the messages of this member's partitions. */
export class CrashCounts {
  readonly #self: string
  readonly #byPartition = new Map<number, Map<bigint, number>>()

  /** @param self the name of this process in the notes */
  constructor(self: string) {
    this.#self = self
  }

  /** Takes over the notes of all members, including this one. */
  learn({ partitions, members }: GroupCrashCounts): void {
    const alive = new Set([...members, this.#self])
    for (const noted of partitions) this.#byPartition.set(noted.partition, countCrashes(noted, alive))
  }

  /** Number of workers that died while they handled a message. */
  of(partition: number, offset: bigint): number {
    return this.#byPartition.get(partition)?.get(offset) ?? 0
  }

  /** The message is finished. */
  forget(partition: number, offset: bigint): void {
    this.#byPartition.get(partition)?.delete(offset)
  }

  /** The note to store beside a partition's offset `next`, while the messages at `inWork` are handled. */
  note(partition: number, next: bigint, inWork: readonly bigint[]): string | undefined {
    const others = [...(this.#byPartition.get(partition)?.keys() ?? [])].filter(
      (offset) => !inWork.includes(offset),
    )
    const noted = (isInWork: boolean) => (offset: bigint) => ({
      offset,
      deaths: this.of(partition, offset),
      isInWork,
    })
    return writeNote(this.#self, next, [...inWork.map(noted(true)), ...others.map(noted(false))])
  }
}

/** Brokers accept 4096 bytes by default. */
const maxNoteBytes = 4000

const counts = z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()])).max(maxNoteBytes)
/** Offsets are relative to the committed offset. */
const noteSchema = z.object({ member: z.string(), work: counts, died: counts })

/** A note for a partition, committed with its offset `next`; undefined if there is nothing to store. */
export function writeNote(
  member: string,
  next: bigint,
  messages: readonly NotedMessage[],
): string | undefined {
  // If not all of them fit, messages without deaths are left out first.
  const listed = messages
    .filter(({ offset }) => offset >= next)
    .sort((a, b) => b.deaths - a.deaths || Number(a.offset - b.offset))
  for (let kept = listed.length; kept > 0; kept--) {
    const pairs = (isInWork: boolean) =>
      listed
        .slice(0, kept)
        .filter((message) => message.isInWork === isInWork)
        .map(({ offset, deaths }) => [Number(offset - next), deaths])
    const note = JSON.stringify({ member, work: pairs(true), died: pairs(false) })
    if (note.length <= maxNoteBytes) return note
  }
  return undefined
}

/**
 * Number of workers that died while they handled each message of a partition, by offset. If a member has left
 * the group with messages in work, one of these messages killed it. All of them count. A member that stops
 * properly leaves no message in work.
 */
export function countCrashes(
  { offset: next, note }: GroupCrashCounts['partitions'][number],
  alive: GroupCrashCounts['members'],
): Map<bigint, number> {
  const parsed = note === undefined ? undefined : parseNote(note)
  if (parsed === undefined) return new Map()
  const isAlive = alive.has(parsed.member)
  const deaths = [
    ...parsed.died,
    ...parsed.work.map(([offset, before]) => [offset, before + (isAlive ? 0 : 1)] as const),
  ]
  return new Map(deaths.flatMap(([offset, count]) => (count > 0 ? [[next + BigInt(offset), count]] : [])))
}

/** Undefined if the note was not written by Cameo. */
function parseNote(note: string): z.infer<typeof noteSchema> | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(note)).data
  } catch {
    return undefined
  }
}
