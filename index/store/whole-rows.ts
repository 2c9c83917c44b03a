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
import { createOwners } from './row-owners.js'

/** The rows that an answer is made of, each compared with its checksum once; what is damaged is left out and noted. */
export interface WholeRows {
  /** Clip of a label; undefined where the track was erased since the index was written, or it or its clip is damaged. */
  clipOf(label: number): string | undefined
  isWholeTrack(trackId: number, clipId: string): boolean
  note(damage: Damage): void
  /**
   * What was noted, what the archive has noted of its clips before, what the index could not be given, and damaged clips that
   * are not counted in what is said of the archive as a whole.
   */
  damage(): Damage[]
}

interface LabelRow {
  readonly trackId: number
  readonly clipId: string | null
  readonly isWhole: number
}

/** @param damagedLabels rows that the index left out */
export function createWholeRows(database: Database, damagedLabels: ReadonlySet<number>): WholeRows {
  const select = database.prepare<[number], LabelRow>(
    `SELECT track_id AS trackId, clip_id AS clipId, ${isWhole('descriptors')} AS isWhole
     FROM descriptors LEFT JOIN tracks USING (track_id) WHERE label = ?`,
  )
  const selectRow = database.prepare<[number], Record<string, unknown>>(
    'SELECT * FROM descriptors WHERE label = ?',
  )
  const ownersOf = createOwners(database)
  const clipDamage = memoised(createClipCheck(database))
  const trackIsWhole = memoised(createTrackCheck(database))
  const noted = new Map<string, Damage>()

  const note = (damage: Damage): void => {
    noted.set(JSON.stringify(damage), damage)
  }

  function noteLabel(label: number): void {
    const owners = ownersOf('descriptors', selectRow.get(label) ?? {})
    if (owners.length === 0) note({ what: 'descriptors' })
    for (const owner of owners) note({ ...owner, what: 'descriptors' })
  }

  function isWholeTrack(trackId: number, clipId: string): boolean {
    if (trackIsWhole(trackId)) return true
    note({ clipId, trackId, what: 'tracks' })
    return false
  }

  function isWholeClip(clipId: string): boolean {
    const what = clipDamage(clipId)
    if (what !== undefined) note({ clipId, what })
    return what === undefined
  }

  const clipOf = memoised((label: number): string | undefined => {
    const row = select.get(label)
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
    note,
    damage() {
      for (const label of damagedLabels) noteLabel(label)
      for (const track of createDescriptorStore(database).tracksWithout())
        note({ ...track, what: missingRows })
      for (const damage of findDamagedRows(database, ['paths', 'clips', 'runs', 'segments'])) note(damage)
      for (const { clipId, detail } of damagedClips(database)) note({ clipId, what: detail })
      return [...noted.values()]
    },
  }
}

/** Works each key out once. */
export function memoised<Key, Value>(work: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, { readonly value: Value }>()
  return (key) => {
    const entry = known.get(key) ?? { value: work(key) }
    known.set(key, entry)
    return entry.value
  }
}
