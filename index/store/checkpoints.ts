import type { CheckpointUpdate, StoredCheckpoint } from '../../pipeline/segments/segment-checkpoint.js'
import { isWhole } from './checksum.js'
import type { RunKey } from './clip-facts.js'
import type { Database } from './sqlite.js'

/**
 * Checkpoints of unfinished segments of planned runs. `ClipStore` deletes them when the segment is stored or has
 * failed.
 */
export interface CheckpointStore {
  /** Undefined if there is none or it is damaged. The segment then starts from the beginning. */
  read(key: RunKey, segment: number): StoredCheckpoint | undefined
  /** Call this within a transaction. */
  write(key: RunKey, update: CheckpointUpdate): void
}

export function createCheckpointStore(database: Database): CheckpointStore {
  const select = database.prepare<[string, string, number], { part: number; bytes: Buffer; isWhole: number }>(
    `SELECT part, bytes, ${isWhole('checkpoints')} AS isWhole FROM checkpoints
     WHERE clip_id = ? AND recipe = ? AND segment = ? ORDER BY part`,
  )
  const upsert = database.prepare<[string, string, number, number, Uint8Array]>(
    `INSERT INTO checkpoints (clip_id, recipe, segment, part, bytes) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET bytes = excluded.bytes`,
  )
  const deleteBeyond = database.prepare<[string, string, number, number]>(
    'DELETE FROM checkpoints WHERE clip_id = ? AND recipe = ? AND segment = ? AND part > ?',
  )
  return {
    read({ clipId, recipe }, segment) {
      const rows = select.all(clipId, recipe, segment)
      const [state, ...parts] = rows
      return state?.part === 0 && rows.every((row) => row.isWhole === 1)
        ? { state: state.bytes, parts: parts.map(({ bytes }) => bytes) }
        : undefined
    },
    write({ clipId, recipe }, { segment, state, parts, newPart }) {
      upsert.run(clipId, recipe, segment, 0, state)
      if (newPart !== undefined) upsert.run(clipId, recipe, segment, parts.length, newPart)
      // Parts of an earlier attempt that was not trusted.
      deleteBeyond.run(clipId, recipe, segment, parts.length)
    },
  }
}
