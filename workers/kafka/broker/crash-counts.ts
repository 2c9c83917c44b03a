import { z } from 'zod'

/** What the members of a group wrote down beside its offsets, and who is in it now. */
export interface GroupCrashCounts {
  /** Client ids of the members. */
  readonly members: ReadonlySet<string>
  readonly partitions: readonly {
    readonly partition: number
    /** The committed offset that the note stands beside. */
    readonly offset: bigint
    readonly note: string | undefined
  }[]
}

/** A message that is being handled, or was when a worker died. */
export interface NotedMessage {
  readonly offset: bigint
  /** Workers that died while they handled it. */
  readonly deaths: number
  readonly isInWork: boolean
}

/** What a member knows of the workers that died over messages of its partitions. */
export class CrashCounts {
  readonly #self: string
  readonly #byPartition = new Map<number, Map<bigint, number>>()

  /** @param self this process in the notes */
  constructor(self: string) {
    this.#self = self
  }

  /** Takes over what all members noted, this one among them. */
  learn({ partitions, members }: GroupCrashCounts): void {
    const alive = new Set([...members, this.#self])
    for (const noted of partitions) this.#byPartition.set(noted.partition, countCrashes(noted, alive))
  }

  /** Workers that died over a message. */
  of(partition: number, offset: bigint): number {
    return this.#byPartition.get(partition)?.get(offset) ?? 0
  }

  /** The message is finished. */
  forget(partition: number, offset: bigint): void {
    this.#byPartition.get(partition)?.delete(offset)
  }

  /** The note to stand beside a partition's offset `next`, while the messages at `inWork` are handled. */
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

/** Brokers take 4096 bytes by default. */
const maxNoteBytes = 4000

const counts = z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()])).max(maxNoteBytes)
/** Offsets are counted from the committed one. */
const noteSchema = z.object({ member: z.string(), work: counts, died: counts })

/** A note for a partition whose offset `next` is committed with it; undefined where there is nothing to say. */
export function writeNote(
  member: string,
  next: bigint,
  messages: readonly NotedMessage[],
): string | undefined {
  // Where not all of them fit, those that were never suspected are left out.
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
 * How many workers died over each message of a partition, by its offset. What a member that has left the group had in work
 * killed it, or was in work beside what did: whoever stops properly leaves nothing in work.
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

/** Undefined for what others wrote there. */
function parseNote(note: string): z.infer<typeof noteSchema> | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(note)).data
  } catch {
    return undefined
  }
}
