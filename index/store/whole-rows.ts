import type { Database } from './sqlite.js'
import { isWhole } from './checksum.js'
import {
  createClipCheck,
  createTrackCheck,
  damagedClips,
  findDamagedRows,
  missingRows,
  type Damage,
} from './damage.js'
import { createDescriptorStore } from './descriptors.js'
import { keptReadsOf } from './kept-reads.js'
import { keptRowsOf } from './kept-rows.js'
import { perConnection } from './per-connection.js'
import { createOwners } from './row-owners.js'

/** Checks the rows of an answer, each once against its checksum. Damaged rows are skipped and recorded. */
export interface WholeRows {
  /**
   * The clip of a label. Undefined if the track was erased since the index was written, or if the track or its clip
   * is damaged.
   */
  clipOf(label: number): string | undefined
  isWholeTrack(trackId: number, clipId: string): boolean
  /** Says whether the rows of a clip itself are intact. */
  isWholeClip(clipId: string): boolean
  note(damage: Damage): void
  /**
   * All damage: recorded by this object, marked in the archive before, in rows that the index skipped, and in clips
   * that the coverage summary does not count.
   */
  damage(): Damage[]
}

interface LabelRow {
  readonly trackId: number
  readonly clipId: string | null
  readonly isWhole: number
}

const labelStatements = perConnection((database) => ({
  select: database.prepare<[number], LabelRow>(
    `SELECT track_id AS trackId, clip_id AS clipId, ${isWhole('descriptors')} AS isWhole
     FROM descriptors LEFT JOIN tracks USING (track_id) WHERE label = ?`,
  ),
  selectRow: database.prepare<[number], Record<string, unknown>>('SELECT * FROM descriptors WHERE label = ?'),
}))

/** @param damagedLabels rows that the index skipped because they are damaged */
export function createWholeRows(database: Database, damagedLabels: ReadonlySet<number>): WholeRows {
  const { select, selectRow } = labelStatements(database)
  const kept = keptRowsOf(database)
  const clipDamage = kept.of('damage of a clip', createClipCheck(database))
  const clipOfTrack = kept.of('clip of a whole track', createTrackCheck(database))
  const rowOf = kept.of('label', (label: number) => select.get(label))
  const noted = new Map<string, Damage>()

  const note = (damage: Damage): void => {
    noted.set(JSON.stringify(damage), damage)
  }

  function noteLabel(label: number): void {
    const owners = createOwners(database)('descriptors', selectRow.get(label) ?? {})
    if (owners.length === 0) note({ what: 'descriptors' })
    for (const owner of owners) note({ ...owner, what: 'descriptors' })
  }

  function isWholeTrack(trackId: number, clipId: string): boolean {
    if (clipOfTrack(trackId) === clipId) return true
    note({ clipId, trackId, what: 'tracks' })
    return false
  }

  function isWholeClip(clipId: string): boolean {
    const what = clipDamage(clipId)
    if (what !== undefined) note({ clipId, what })
    return what === undefined
  }

  const clipOf = memoised((label: number): string | undefined => {
    const row = rowOf(label)
    if (row === undefined) return undefined
    const { trackId, clipId } = row
    if (row.isWhole === 0 || clipId === null) {
      noteLabel(label)
      return undefined
    }
    return isWholeTrack(trackId, clipId) && isWholeClip(clipId) ? clipId : undefined
  })

  return {
    clipOf,
    isWholeTrack,
    isWholeClip,
    note,
    damage() {
      for (const label of damagedLabels) noteLabel(label)
      for (const damage of keptReadsOf(database).get(damageName, () => damageOfAll(database))) note(damage)
      return [...noted.values()]
    },
  }
}

/** What it is called among kept reads. */
export const damageName = 'damage'

/** What of the whole archive is damaged or lost, or marked so. */
export const damageOfAll = (database: Database): readonly Damage[] => [
  ...createDescriptorStore(database)
    .tracksWithout()
    .map((track) => ({ ...track, what: missingRows })),
  ...findDamagedRows(database, ['paths', 'clips', 'runs', 'segments']),
  ...damagedClips(database).map(({ clipId, detail }) => ({ clipId, what: detail })),
]

/** Computes the value of each key once. */
export function memoised<Key, Value>(work: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, { readonly value: Value }>()
  return (key) => {
    const entry = known.get(key) ?? { value: work(key) }
    known.set(key, entry)
    return entry.value
  }
}
