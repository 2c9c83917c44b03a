import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import type { Recipe } from '../../pipeline/recipe/recipe.js'
import type { Archive } from './open-archive.js'
import { removeFromEngine, vectorEngineOf } from './choose-engine.js'
import { finishErasure } from './finish-erasure.js'
import { openSpaceIndex } from './open-archive-index.js'
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
import {
  deleteReplacedDescriptors,
  deleteSpace,
  describedTracks,
  moveToRecipe,
  recipeTables,
} from '../store/spaces.js'
import { trackEmbeddingsReader } from '../store/stored-faces.js'
import { inTransaction } from '../store/transaction.js'

export interface RedescribeOptions {
  /** The new recipe of the archive: its own recipe with another head or without a head. */
  readonly recipe: Recipe
  readonly headFile: string | undefined
  /** Dimension of the new descriptors. */
  readonly dimension: number
  /** Returns one descriptor per track, L2-normalised. */
  readonly describe: (tracks: readonly (readonly FaceEmbeddings[])[]) => Promise<readonly Float32Array[]>
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
  readonly onNotice?: (message: string) => void
  /** How long to wait for processes that read the archive, until none of its files contains the old descriptors. */
  readonly waitMs?: number
}

export interface Redescribed {
  /** `unchanged`: the archive already had this head. */
  readonly status: 'done' | 'unchanged' | 'interrupted'
  /** Number of tracks in the archive. */
  readonly tracks: number
  /** Number of tracks described by this call. Tracks of an interrupted run are not described again. */
  readonly described: number
  /** Rows that were skipped because they are damaged. */
  readonly damage: readonly Damage[]
}

/** Number of tracks that are read, described and written together: one commit, and 2 MB of descriptors. */
const pageTracks = 512

/** Number of labels erased in one transaction, so that the write-ahead log stays small. */
const erasedAtOnce = 4096

/**
 * Recomputes the descriptor of every track from the stored embeddings. Writes the new descriptors next to the old
 * ones, which are still searched. Then one transaction activates the new descriptors and their recipe. Finally,
 * erases the old ones. If the process is killed, searches use either the old or the new descriptors, and the same
 * call continues. The caller must hold the archive's lock.
 * @throws ERASURE_PENDING if everything is done except this erasure
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
    // Writes the snapshot before the space is activated, so that the next search does not wait for it.
    const { onNotice } = options
    const index = await openSpaceIndex(archive, next.spaceId, onNotice === undefined ? {} : { onNotice })
    await index.close()
    activate(archive, own, damaged, options)
  } else if (own.headFile !== options.headFile) {
    // The same head at another path.
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

/** Returns the number of described tracks. Undefined if it was stopped. */
async function describeTracks(
  { database }: Archive,
  own: ArchiveRecipe,
  { old, next, damaged }: { readonly old: Space; readonly next: Space; readonly damaged: DamagedContent },
  { describe, signal, onProgress }: RedescribeOptions,
): Promise<number | undefined> {
  const descriptors = createDescriptorStore(database)
  const wanted = { spaceId: old.spaceId, next: next.spaceId, limit: pageTracks }
  const pageAfter = describedTracks(database, wanted)
  const readFaces = facesReader(database, own)
  const store = (trackIds: readonly number[], vectors: readonly Float32Array[]) =>
    inTransaction(database, () => {
      for (const [i, vector] of vectors.entries()) descriptors.insert(next.spaceId, trackIds[i] ?? 0, vector)
    })
  const total = descriptors.count(old.spaceId)
  let [done, described, label] = [0, 0, -1]
  for (;;) {
    if (signal.aborted) return undefined
    const page = pageAfter(label)
    const trackIds = page.flatMap(({ trackId, clipId, isDone }) =>
      isDone || damaged.trackIds.has(trackId) || damaged.clipIds.has(clipId) ? [] : [trackId],
    )
    store(trackIds, await describe(trackIds.map(readFaces)))
    done += page.length
    described += trackIds.length
    onProgress(done, total)
    const last = page.at(-1)
    if (last === undefined || page.length < pageTracks) return described
    label = last.label
  }
}

/** Reads the faces of a track in the order in which they were first pooled. */
function facesReader(database: Archive['database'], own: ArchiveRecipe) {
  const embeddingsOf = trackEmbeddingsReader(database)
  return (trackId: number): FaceEmbeddings[] => {
    const faces = new Map<
      number,
      { quality: number; float16: Uint16Array; extraEmbeddings: { embedder: string; float16: Uint16Array }[] }
    >()
    for (const { faceId, quality, embedder, float16 } of embeddingsOf(trackId)) {
      const face = faces.get(faceId) ?? { quality, float16: new Uint16Array(0), extraEmbeddings: [] }
      faces.set(faceId, face)
      if (embedder === own.embedderDigest) face.float16 = float16
      else face.extraEmbeddings.push({ embedder, float16 })
    }
    return [...faces.values()]
  }
}

/**
 * Moves the archive's rows to the new recipe and activates its descriptors. Rewritten rows get new checksums, so the
 * rows of damaged clips stay with the old recipe. Those clips must be processed again.
 */
function activate(
  { database }: Archive,
  own: ArchiveRecipe,
  { damage }: DamagedContent,
  options: RedescribeOptions,
): void {
  const rewritten: ReadonlySet<string> = new Set(recipeTables)
  const kept = damage.flatMap(({ clipId, what }) =>
    clipId !== undefined && (rewritten.has(what) || what === missingRows) ? [clipId] : [],
  )
  const { recipe, dimension, headFile } = options
  const { digest, spaceDigest } = recipe
  inTransaction(database, () => {
    moveToRecipe(database, { from: own.digest, to: digest, exceptClipIds: kept })
    writeArchiveRecipe(database, { ...own, digest, spaceDigest, headFile })
    activateSpace(database, recipe, dimension)
  })
}

/**
 * Erases descriptors that the active space has replaced, with their spaces and snapshots. Keeps the descriptors of
 * tracks that the active space does not have: their clips must be processed again.
 */
async function eraseOldSpaces(archive: Archive): Promise<void> {
  const { database } = archive
  const active = activeSpace(database)
  const eraseSome = (spaceId: number, kept: number) =>
    inTransaction(database, () => {
      const erased = deleteReplacedDescriptors(database, { spaceId, kept, limit: erasedAtOnce })
      if (erased > 0) noteErasure(database)
      return erased
    })
  for (const { spaceId } of spacesOf(database)) {
    if (active === undefined || spaceId === active.spaceId) continue
    while (eraseSome(spaceId, active.spaceId) === erasedAtOnce);
    if (createDescriptorStore(database).count(spaceId) > 0) continue
    await removeFromEngine(archive, vectorEngineOf(archive), [spaceId])
    deleteSpace(database, spaceId)
  }
}
