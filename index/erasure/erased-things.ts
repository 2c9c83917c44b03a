import { readFileSync, statSync } from 'node:fs'
import { sha256OfBytes } from '../../pipeline/common/digest.js'
import type { AuditSubject } from '../audit/audit-entry.js'
import type { AuditLog } from '../audit/audit-log.js'
import { labelHmac } from '../audit/sealed-parts.js'
import type { Archive } from '../archive/open-archive.js'
import type { ErasureNote } from '../store/audit/erasure-notes.js'
import { toBlob } from '../store/blobs.js'
import {
  countClipRows,
  countFacesWith,
  countNameRows,
  countTrackRows,
  descriptorsOfTracks,
  emptyGroups,
  groupsOfTracks,
  type RowCounts,
  type VectorToErase,
} from '../store/erased-rows.js'
import { findIdentity } from '../store/identities.js'
import { activeSpace } from '../store/meta.js'
import { referenceFaces } from '../store/reference-faces.js'
import { trackIdsOf } from '../store/retention.js'
import { notesOf } from './noted-erasures.js'
import type { SubjectHmac } from './receipt.js'

/** The check afterwards searches with so many vectors at the most. */
const mostVectors = 1000
/** Larger files of enrolled photos are not read, to find what the log says about them. */
const mostPhotoBytes = 64 * 1024 * 1024

interface Counted {
  readonly before: RowCounts
  readonly count: () => RowCounts
  /** All rows must be gone, not only some. */
  readonly isWhole: () => boolean
}

/** Collects what an erasure is about to erase, and looks for it afterwards. */
export class ErasedThings {
  readonly #archive: Archive
  readonly #log: AuditLog
  readonly #note: (notes: readonly ErasureNote[]) => void
  readonly #counted: Counted[] = []
  readonly #vectors: VectorToErase[] = []
  readonly #groups = new Set<number>()
  readonly #subjects: AuditSubject[] = []
  readonly #names: { readonly name: string; readonly photos: readonly AuditSubject[] }[] = []
  readonly #hmacs: SubjectHmac[] = []
  readonly #faces: Uint8Array[] = []

  /** @param note keeps what is about to go, until the keys are destroyed */
  constructor(archive: Archive, log: AuditLog, note: (notes: readonly ErasureNote[]) => void) {
    this.#archive = archive
    this.#log = log
    this.#note = note
  }

  /** A clip with everything derived from it. @param names that have faces from it, and may go with it */
  addClip(clipId: string, names: readonly string[]): void {
    const { database } = this.#archive
    const clip = { kind: 'clip' as const, label: clipId }
    this.#note(notesOf(this.#log, clip))
    this.#addTracks(trackIdsOf(database, clipId))
    this.#count(() => countClipRows(database, clipId))
    this.#subjects.push(clip)
    for (const name of names) this.addName(name)
  }

  /** A name with its faces, or a name that loses some of them and goes with the last one. */
  addName(name: string): void {
    // It was counted before it lost anything.
    if (this.#names.some((known) => known.name === name)) return
    const { database } = this.#archive
    this.#count(
      () => countNameRows(database, name),
      () => findIdentity(database, name) === undefined,
    )
    const photos = this.#photosOf(name)
    this.#note(notesOf(this.#log, { kind: 'name', label: name }, photos))
    this.#names.push({ name, photos })
  }

  /** A face of a name. @param vectors float16 embeddings, one by each embedder */
  addFace(name: string, vectors: readonly Uint8Array[]): void {
    for (const vector of vectors) this.#addHmac('face', faceLabel(name, vector))
    this.#faces.push(...vectors)
    this.addName(name)
  }

  /** Tracks that show people without names. */
  addUnnamed(clipId: string, trackIds: readonly number[]): void {
    const { database } = this.#archive
    this.#addTracks(trackIds)
    this.#count(() => countTrackRows(database, trackIds))
    this.#addHmac('unnamed', clipId)
  }

  /** Subjects of the log that are gone now. Call this after the erasure. */
  subjects(): AuditSubject[] {
    const { database } = this.#archive
    const names = this.#names.filter(({ name }) => findIdentity(database, name) === undefined)
    return [
      ...this.#subjects,
      ...names.flatMap(({ name, photos }) => [{ kind: 'name' as const, label: name }, ...photos]),
      ...this.emptyGroups().map((id) => ({ kind: 'group' as const, label: `${id}` })),
    ]
  }

  /** For the receipt: what is gone, without its name. */
  hmacs(): SubjectHmac[] {
    const own = this.subjects().map(({ kind, label }) => ({
      ...{ kind, hmac: labelHmac(this.#log.macs, { kind, label }).toString('hex') },
    }))
    return [...own, ...this.#hmacs]
  }

  emptyGroups(): number[] {
    return emptyGroups(this.#archive.database, [...this.#groups])
  }

  vectors(): readonly VectorToErase[] {
    return this.#vectors
  }

  /** How many rows are gone, by table. */
  erasedRows(): RowCounts {
    const erased = new Map<string, number>()
    for (const { before, count } of this.#counted) {
      const after = count()
      for (const [table, rows] of Object.entries(before)) {
        const gone = rows - (after[table] ?? 0)
        if (gone > 0) erased.set(table, (erased.get(table) ?? 0) + gone)
      }
    }
    return Object.fromEntries(erased)
  }

  /** Looks for everything that must be gone. */
  lookUp(): { readonly idsLookedUp: number; readonly rowsFound: number } {
    const whole = this.#counted.filter(({ isWhole }) => isWhole())
    const rows = whole.flatMap(({ count }) => Object.values(count()))
    return {
      idsLookedUp: whole.length + this.#faces.length,
      rowsFound: rows.reduce((sum, n) => sum + n, 0) + countFacesWith(this.#archive.database, this.#faces),
    }
  }

  #count(count: () => RowCounts, isWhole = () => true): void {
    this.#counted.push({ before: count(), count, isWhole })
  }

  #addTracks(trackIds: readonly number[]): void {
    const { database } = this.#archive
    const groups = groupsOfTracks(database, trackIds)
    this.#note(groups.flatMap((id) => notesOf(this.#log, { kind: 'group', label: `${id}` })))
    for (const id of groups) this.#groups.add(id)
    const space = activeSpace(database)
    const left = mostVectors - this.#vectors.length
    if (space !== undefined && left > 0)
      this.#vectors.push(...descriptorsOfTracks(database, space.spaceId, trackIds, left))
  }

  #addHmac(kind: 'face' | 'unnamed', label: string): void {
    this.#hmacs.push({ kind, hmac: hmacOf(this.#log, kind, label) })
  }

  /** Searches with these photos are in the log under their digests. */
  #photosOf(name: string): AuditSubject[] {
    const sources = new Set(referenceFaces(this.#archive.database, name).map(({ source }) => source))
    return [...sources].flatMap((source) => {
      try {
        const status = statSync(source)
        if (!status.isFile() || status.size > mostPhotoBytes) return []
        return [
          { kind: 'photo' as const, label: this.#log.digestOfQuery(sha256OfBytes(readFileSync(source))) },
        ]
      } catch {
        return [] // the file is not there any more
      }
    })
  }
}

/** A face is found again by its embedding. */
export const faceLabel = (name: string, vector: Uint8Array): string =>
  JSON.stringify([name, Buffer.from(vector).toString('base64')])

/** HMAC of what has no key in the log. Hex. */
export const hmacOf = (log: AuditLog, kind: 'face' | 'unnamed', label: string): string =>
  log.macs.mac('label', JSON.stringify([kind, label])).toString('hex')

/** The embeddings of a face, as they are stored. */
export const vectorsOf = (faces: readonly { readonly float16: Uint16Array }[]): Uint8Array[] =>
  faces.map(({ float16 }) => toBlob(float16))
