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

/** Returns how many were described; undefined where it was stopped. */
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

/** Gives a track's faces in the order in which they were pooled at first. */
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
 * The swap: rows of the archive's recipe become rows of the new one, whose descriptors are searched from now on. Rows that are
 * written get new checksums: those of damaged clips stay with the old recipe, and are of clips that are to be processed anew.
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
 * Erases the descriptors that another space is searched instead of, their spaces, and their snapshots. Those of tracks that
 * the active space does not have stay: they are of clips that are to be processed anew.
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
