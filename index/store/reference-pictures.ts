import { z } from 'zod'
import type { FacePicture } from '../../pipeline/align/face-picture.js'
import { isWhole } from './checksum.js'
import { parseBox } from './clip-columns.js'
import { parseColumn } from './json-column.js'
import type { Database } from './sqlite.js'

const pointSchema = z.tuple([z.number(), z.number()]).transform(([x, y]) => ({ x, y }))
const landmarksSchema = z.tuple([pointSchema, pointSchema, pointSchema, pointSchema, pointSchema])

/** Stores a picture of a face of a name. Returns its id. */
export function addPicture(
  database: Database,
  identityId: number,
  { jpeg, boxXyxyPx, landmarksPx }: FacePicture,
): number {
  const { lastInsertRowid } = database
    .prepare('INSERT INTO reference_pictures (identity_id, jpeg, box, landmarks) VALUES (?, ?, ?, ?)')
    .run(identityId, jpeg, JSON.stringify(boxXyxyPx), JSON.stringify(landmarksPx.map(({ x, y }) => [x, y])))
  return Number(lastInsertRowid)
}

/** The intact pictures of a name, by id. */
export function picturesOf(database: Database, identityId: number): ReadonlyMap<number, FacePicture> {
  const rows = database
    .prepare<[number], { pictureId: number; jpeg: Uint8Array; box: string; landmarks: string }>(
      `SELECT picture_id AS pictureId, jpeg, box, landmarks FROM reference_pictures
       WHERE identity_id = ? AND ${isWhole('reference_pictures')} ORDER BY picture_id`,
    )
    .all(identityId)
  return new Map(
    rows.map(({ pictureId, jpeg, box, landmarks }) => [
      pictureId,
      {
        jpeg,
        boxXyxyPx: parseBox(box),
        landmarksPx: parseColumn(landmarksSchema, landmarks, 'place of an enrolled face'),
      },
    ]),
  )
}

/** Deletes the pictures of a name's faces from one source. The faces stay. Returns the number of deleted rows. */
export function deletePicturesFrom(database: Database, identityId: number, source: string): number {
  return database
    .prepare(
      `DELETE FROM reference_pictures WHERE picture_id IN
       (SELECT picture_id FROM reference_faces WHERE identity_id = ? AND source = ?)`,
    )
    .run(identityId, source).changes
}
