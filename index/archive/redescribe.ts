import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import type { Recipe } from '../../pipeline/recipe/recipe.js'
import type { Archive } from './open-archive.js'
import { removeFromEngine, vectorEngineOf } from './choose-engine.js'
import { finishErasure } from './finish-erasure.js'
import { openSpaceIndex } from './open-archive-index.js'
import { toUint16 } from '../store/blobs.js'
import { isWhole } from '../store/checksum.js'
import { findDamagedContent, missingRows, type Damage, type DamagedContent } from '../store/damage.js'
import { createDescriptorStore } from '../store/descriptors.js'
import { noteErasure } from '../store/erasure.js'
import {
  activateSpace,
  activeSpace,
  addSpace,
  spacesOf,
  writeArchiveRecipe,
  type ArchiveRecipe,
  type Space,
} from '../store/meta.js'

export interface RedescribeOptions {
  /** What the archive's recipe becomes: its own with another head, or with none. */
  readonly recipe: Recipe
  readonly headFile: string | undefined
  /** Of the new descriptors. */
  readonly dimension: number
  /** One descriptor a track, L2-normalised. */
  readonly describe: (tracks: readonly (readonly FaceEmbeddings[])[]) => Promise<readonly Float32Array[]>
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
  readonly onNotice?: (message: string) => void
  /** How long to wait for processes that read the archive until the old descriptors are in none of its files. */
  readonly waitMs?: number
}

export interface Redescribed {
  /** `unchanged`: the archive was of this head before. */
  readonly status: 'done' | 'unchanged' | 'interrupted'
  /** Of the archive, and those that were described now: an interrupted run's are not described again. */
  readonly tracks: number
  readonly described: number
  /** What was left out because it is damaged. */
  readonly damage: readonly Damage[]
}

/** Tracks read, described and written at once: one commit, and 2 MB of descriptors. */
const pageTracks = 512

/*
 * Below, `+` keeps SQLite from looking a track's descriptors up by their space, which every row of it shares.
 */

/** Labels erased in one transaction, so that the write-ahead log stays small. */
const erasedAtOnce = 4096

/**
 * Describes every track of an archive anew from its stored embeddings. The new descriptors are written beside the old ones,
 * which are searched meanwhile; one transaction then makes the new ones those that are searched, and their recipe the
 * archive's; at last the old ones are erased. Killed at any moment, the archive is searched by the old or by the new ones, and
 * the same call goes on from there. The caller holds the archive's lock.
 * @throws ERASURE_PENDING where all is done but that
 */
export async function redescribe(archive: Archive, options: RedescribeOptions): Promise<Redescribed> {
  const { database } = archive
  const own = archive.recipe
  const old = activeSpace(database)
  if (own === undefined || old === undefined) throw new Error('an archive without clips has no descriptors')
  const isUnchanged = own.digest === options.recipe.digest
  let described = 0
  let damaged: DamagedContent | undefined
  if (!isUnchanged) {
    damaged = findDamagedContent(database)
    const next = addSpace(database, options.recipe, options.dimension)
    const written = await describeTracks(archive, own, { old, next, damaged }, options)
    if (written === undefined) return { status: 'interrupted', tracks: 0, described: 0, damage: [] }
    described = written
    // Its snapshot is there when the space is activated: the first search after it does not wait for it.
    const { onNotice } = options
    const index = await openSpaceIndex(archive, next.spaceId, onNotice === undefined ? {} : { onNotice })
    await index.close()
    activate(archive, own, damaged, options)
  } else if (own.headFile !== options.headFile) {
    // The same head, which lies elsewhere now.
    writeArchiveRecipe(database, { ...own, headFile: options.headFile })
  }
  await eraseOldSpaces(archive)
  await finishErasure(archive, {
    ...{ waitMs: options.waitMs ?? 30_000, hasFollower: false },
    ...(options.onNotice === undefined ? {} : { onWait: options.onNotice, onNotice: options.onNotice }),
  })
  const tracks = createDescriptorStore(database).count(activeSpace(database)?.spaceId ?? 0)
  return { status: isUnchanged ? 'unchanged' : 'done', tracks, described, damage: damaged?.damage ?? [] }
}

const rewrittenTables = ['runs', 'segments', 'tracks', 'context_features'] as const

/** Returns how many were described; undefined where it was stopped. */
async function describeTracks(
  { database }: Archive,
  own: ArchiveRecipe,
  { old, next, damaged }: { readonly old: Space; readonly next: Space; readonly damaged: DamagedContent },
  { describe, signal, onProgress }: RedescribeOptions,
): Promise<number | undefined> {
  const descriptors = createDescriptorStore(database)
  const selectPage = database.prepare<
    [number, number, number],
    { label: number; trackId: number; clipId: string; isDone: number }
  >(
    `SELECT label, track_id AS trackId, clip_id AS clipId,
       EXISTS (SELECT 1 FROM descriptors done WHERE done.track_id = d.track_id AND +done.space_id = ?) AS isDone
     FROM descriptors d JOIN tracks USING (track_id) WHERE space_id = ? AND label > ? ORDER BY label LIMIT ${pageTracks}`,
  )
  const readFaces = facesReader(database, own)
  const store = database.transaction((trackIds: readonly number[], vectors: readonly Float32Array[]) => {
    for (const [i, vector] of vectors.entries()) descriptors.insert(next.spaceId, trackIds[i] ?? 0, vector)
  })
  const total = descriptors.count(old.spaceId)
  let [done, described, label] = [0, 0, -1]
  for (;;) {
    if (signal.aborted) return undefined
    const page = selectPage.all(next.spaceId, old.spaceId, label)
    const trackIds = page.flatMap(({ trackId, clipId, isDone }) =>
      isDone === 1 || damaged.trackIds.has(trackId) || damaged.clipIds.has(clipId) ? [] : [trackId],
    )
    store.immediate(trackIds, await describe(trackIds.map(readFaces)))
    done += page.length
    described += trackIds.length
    onProgress(done, total)
    const last = page.at(-1)
    if (last === undefined || page.length < pageTracks) return described
    label = last.label
  }
}

/** Gives a track's faces in the order in which they were pooled at first. */
function facesReader(database: Archive['database'], own: ArchiveRecipe) {
  const select = database.prepare<
    [number],
    { faceId: number; quality: number; embedder: string; vector: Uint8Array }
  >(
    `SELECT face_id AS faceId, faces.quality AS quality, embedder, vector
     FROM faces JOIN embeddings USING (face_id) WHERE track_id = ? ORDER BY face_id`,
  )
  return (trackId: number): FaceEmbeddings[] => {
    const faces = new Map<
      number,
      { quality: number; float16: Uint16Array; extraEmbeddings: { embedder: string; float16: Uint16Array }[] }
    >()
    for (const { faceId, quality, embedder, vector } of select.iterate(trackId)) {
      const face = faces.get(faceId) ?? { quality, float16: new Uint16Array(0), extraEmbeddings: [] }
      faces.set(faceId, face)
      const float16 = toUint16(vector)
      if (embedder === own.embedderDigest) face.float16 = float16
      else face.extraEmbeddings.push({ embedder, float16 })
    }
    return [...faces.values()]
  }
}

/**
 * The swap: rows of the archive's recipe become rows of the new one, whose descriptors are searched from now on. Rows that are
 * written get new checksums: those of damaged clips stay with the old recipe, and are of clips that are to be processed anew.
 */
function activate(
  { database }: Archive,
  own: ArchiveRecipe,
  { damage }: DamagedContent,
  options: RedescribeOptions,
): void {
  const rewritten: ReadonlySet<string> = new Set(rewrittenTables)
  const kept = damage.flatMap(({ clipId, what }) =>
    clipId !== undefined && (rewritten.has(what) || what === missingRows) ? [clipId] : [],
  )
  const { recipe, dimension, headFile } = options
  const { digest, spaceDigest } = recipe
  database
    .transaction(() => {
      // Runs and what hangs on them change one after the other.
      database.pragma('defer_foreign_keys = ON')
      for (const table of rewrittenTables)
        database
          .prepare(
            `UPDATE ${table} SET recipe = ?
             WHERE recipe = ? AND clip_id NOT IN (SELECT value FROM json_each(?)) AND ${isWhole(table)}`,
          )
          .run(digest, own.digest, JSON.stringify(kept))
      writeArchiveRecipe(database, { ...own, digest, spaceDigest, headFile })
      activateSpace(database, recipe, dimension)
    })
    .immediate()
}

/**
 * Erases the descriptors that another space is searched instead of, their spaces, and their snapshots. Those of tracks that
 * the active space does not have stay: they are of clips that are to be processed anew.
 */
async function eraseOldSpaces(archive: Archive): Promise<void> {
  const { database } = archive
  const active = activeSpace(database)
  const erase = database.prepare<[number, number, number]>(
    `DELETE FROM descriptors WHERE label IN (SELECT label FROM descriptors old WHERE space_id = ?
       AND EXISTS (SELECT 1 FROM descriptors kept WHERE kept.track_id = old.track_id AND +kept.space_id = ?)
       LIMIT ?)`,
  )
  const eraseSome = database.transaction((spaceId: number, activeId: number): number => {
    const { changes } = erase.run(spaceId, activeId, erasedAtOnce)
    if (changes > 0) noteErasure(database)
    return changes
  })
  for (const { spaceId } of spacesOf(database)) {
    if (active === undefined || spaceId === active.spaceId) continue
    while (eraseSome.immediate(spaceId, active.spaceId) === erasedAtOnce);
    if (createDescriptorStore(database).count(spaceId) > 0) continue
    await removeFromEngine(archive, vectorEngineOf(archive), [spaceId])
    database.prepare('DELETE FROM spaces WHERE space_id = ?').run(spaceId)
  }
}
