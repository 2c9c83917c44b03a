import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, renameSync, rmSync, writeSync } from 'node:fs'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import { openPrivateFile } from '../../pipeline/common/private-files.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import type { Archive } from '../archive/open-archive.js'
import { toBlob } from '../store/blobs.js'
import { findDamagedRows } from '../store/damage.js'
import { listIdentities } from '../store/identities.js'
import type { Database } from '../store/sqlite.js'
import { readConsistently } from '../store/transaction.js'
import { describeName } from './describe-name.js'
import { referenceFacesOf, type EmbeddedReference } from './identities.js'
import { namesFileVersion, type FaceLine, type NamesLine } from './names-file-format.js'
import { readCorrections } from './verdicts.js'

export interface ExportRequest {
  readonly file: string
  /** Replace the file if there is one. Default: false. */
  readonly overwrite?: boolean
}

/** What was written. */
export interface ExportReport {
  readonly names: number
  readonly faces: number
  /** Faces with a picture, from which other models can embed them. */
  readonly pictures: number
  readonly corrections: number
  /** What is damaged, and left out. */
  readonly damaged: readonly DamagedThing[]
}

/**
 * Writes all names with their faces, pictures, aliases, notes and corrections into one file, readable only by its owner.
 * The file appears when it is complete.
 * @throws USAGE if the file exists; NAMES_NOT_WRITTEN
 */
export function exportNames(
  archive: Archive,
  request: ExportRequest,
  notify: Caller['notify'],
): ExportReport {
  const { file, overwrite = false } = request
  if (!overwrite && existsSync(file))
    throw new CameoError(
      'USAGE',
      `there is a file ${oneLine(file)} already: name another, or have it replaced`,
    )
  // Always the same: what a killed export left is overwritten by the next one.
  const temporary = `${file}.part`
  try {
    const counts = readConsistently(archive.database, () => writeNames(archive.database, temporary))
    renameSync(temporary, file)
    const tables = [
      'identities',
      'reference_faces',
      'reference_pictures',
      'identity_aliases',
      'corrections',
    ] as const
    return { ...counts, damaged: noteDamage(archive, findDamagedRows(archive.database, tables), notify) }
  } catch (error) {
    rmSync(temporary, { force: true })
    if (error instanceof CameoError || !(error instanceof Error && 'syscall' in error)) throw error
    throw new CameoError(
      'NAMES_NOT_WRITTEN',
      `the names could not be written to ${oneLine(file)}: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

function writeNames(database: Database, file: string): Omit<ExportReport, 'damaged'> {
  const handle = openPrivateFile(file)
  const hash = createHash('sha256')
  let lines = 0
  const write = (line: NamesLine) => {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at)
    hash.update(bytes)
    lines++
  }
  const counts = { names: 0, faces: 0, pictures: 0, corrections: 0 }
  try {
    write({ kind: 'cameo-names', version: namesFileVersion })
    for (const { name } of listIdentities(database)) {
      const { aliases, note } = describeName(database, name)
      write({ kind: 'name', name, aliases: [...aliases], note: note ?? null })
      counts.names++
      for (const face of groupFaces(referenceFacesOf(database, name))) {
        write({ kind: 'face', name, ...face })
        counts.faces++
        if (face.picture !== null) counts.pictures++
      }
      for (const { clipId, verdict, at, place } of readCorrections(database, name)) {
        write({ kind: 'correction', name, clipId, verdict, at, place })
        counts.corrections++
      }
    }
    write({ kind: 'end', lines, sha256: hash.copy().digest('hex') })
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  return counts
}

type Face = Omit<FaceLine, 'kind' | 'name'>

/**
 * Embeddings of one face come together. Rows of a face share its picture; without pictures, faces of a source are
 * written in the same order for every embedder.
 */
function groupFaces(rows: readonly EmbeddedReference[]): Face[] {
  const groups = new Map<unknown, EmbeddedReference[]>()
  const places = new Map<string, number>()
  for (const row of rows) {
    const order = JSON.stringify([row.source, row.embedder])
    const place = places.get(order) ?? 0
    if (row.picture === undefined) places.set(order, place + 1)
    const key = row.picture ?? JSON.stringify([row.source, place])
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].flatMap((own) => {
    const [first] = own
    if (first === undefined) return []
    const { source, quality, picture } = first
    return [
      {
        ...{ source, quality },
        embeddings: own.map(({ embedder, embedding: { norm, float16 } }) => ({
          ...{ embedder, norm, vector: toBlob(float16).toString('base64') },
        })),
        picture:
          picture === undefined
            ? null
            : {
                jpeg: Buffer.from(picture.jpeg).toString('base64'),
                box: [...picture.boxXyxyPx] as [number, number, number, number],
                landmarks: picture.landmarksPx.map(({ x, y }) => [x, y]) as NonNullable<
                  Face['picture']
                >['landmarks'],
              },
      },
    ]
  })
}
