import { randomUUID } from 'node:crypto'
import { constants, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { access, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { maxDimension } from '../../../pipeline/common/limits.js'
import { makePrivateFolder, privateFileMode } from '../../../pipeline/common/private-files.js'
import { archiveError } from '../../store/database.js'
import { lockSnapshots } from '../../store/locks.js'
import type { LoadedIndex, VectorSpace } from '../vector-engine.js'
import type { FileSeal } from './hnsw-file.js'
import { HnswIndex, type HnswOptions } from './hnsw-index.js'
import type { HnswParameters } from './hnsw-memory.js'

/** Increased whenever the meaning of the manifest or of its file changes. */
const formatVersion = 1

const manifestSchema = z.object({
  formatVersion: z.literal(formatVersion),
  /** The archive of these labels (`meta.archive_id`). */
  archiveId: z.string(),
  spaceId: z.int(),
  spaceDigest: z.string(),
  dimension: z.int().positive().max(maxDimension),
  m: z.int(),
  efConstruction: z.int(),
  /** Number of vectors that can be found. */
  count: z.int().nonnegative(),
  /** The last applied row of `descriptor_changes`. */
  lastChange: z.int().nonnegative(),
  /** Number of labels that are still in the graph, without their vectors. */
  erased: z.int().nonnegative(),
  /** Name of the HNSW file in the same folder, its size and SHA-256. */
  file: z.string().regex(/^vectors-\d+-[0-9a-f-]+\.hnsw$/),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

type Manifest = z.infer<typeof manifestSchema>

/** The facts that a snapshot must match to be used. */
export interface SnapshotSubject extends Pick<VectorSpace, 'archiveId' | 'spaceId' | 'digest' | 'dimension'> {
  readonly parameters: HnswParameters
}

export interface SnapshotState {
  readonly index: HnswIndex
  /** The last applied row of `descriptor_changes`. */
  readonly lastChange: number
}

/** A snapshot is a pair of files: the manifest `vectors-<space>.json` names `vectors-<space>-<uuid>.hnsw`. */
const manifestName = (spaceId: number): string => `vectors-${spaceId}.json`

/**
 * Loads the snapshot that the manifest names, after checking its size and digest.
 * @param newestChange newest change of the archive; see `VectorEngine.load`
 * @param options of the index. `mayHold` is called before memory is reserved.
 */
export async function loadSnapshot(
  dir: string,
  subject: SnapshotSubject,
  newestChange: number,
  options: HnswOptions = {},
): Promise<LoadedIndex> {
  const manifestFile = join(dir, manifestName(subject.spaceId))
  for (;;) {
    const before = parseManifest(manifestFile)?.file
    const loaded = await loadFiles(dir, manifestFile, subject, newestChange, options)
    // Another process may have replaced the files while they were read.
    if (loaded.kind !== 'unusable' || parseManifest(manifestFile)?.file === before) return loaded
  }
}

async function loadFiles(
  dir: string,
  manifestFile: string,
  subject: SnapshotSubject,
  newestChange: number,
  options: HnswOptions,
): Promise<LoadedIndex> {
  if (!existsSync(manifestFile)) return { kind: 'absent' }
  const unusable = (reason: string): LoadedIndex => ({ kind: 'unusable', reason })
  const manifest = parseManifest(manifestFile)
  if (manifest === undefined)
    return unusable('has a damaged manifest or was written by another version of Cameo')
  const difference = differenceOf(manifest, subject)
  if (difference !== undefined) return unusable(`belongs to ${difference}`)
  if (manifest.lastChange > newestChange) return unusable('is newer than the archive')
  options.mayHold?.(manifest.count + manifest.erased, 0)
  const file = join(dir, manifest.file)
  try {
    const index = await HnswIndex.load(file, manifest, subject.dimension, {
      ...options,
      parameters: subject.parameters,
    })
    const { live, erased } = index.counts
    if (live === manifest.count && erased === manifest.erased)
      return { kind: 'loaded', index, lastChange: manifest.lastChange }
    await index.close()
    return unusable('is damaged (wrong count)')
  } catch (error) {
    return unusable(`is damaged (${messageOf(error)})`)
  }
}

function parseManifest(file: string): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    // Unreadable or not JSON: the same as a manifest with wrong content.
    return undefined
  }
}

function differenceOf(manifest: Manifest, subject: SnapshotSubject): string | undefined {
  const { parameters } = subject
  if (manifest.archiveId !== subject.archiveId) return 'another archive'
  if (manifest.spaceId !== subject.spaceId || manifest.spaceDigest !== subject.digest)
    return 'another descriptor space'
  if (manifest.dimension !== subject.dimension) return 'another dimension'
  const sameSettings = manifest.m === parameters.m && manifest.efConstruction === parameters.efConstruction
  return sameSettings ? undefined : 'other index settings'
}

/**
 * Writes the index next to the current snapshot, flushes it, and updates the manifest. If this is interrupted between
 * any two steps, the old snapshot stays in use, and the next snapshot removes the leftovers. Afterwards, the new
 * snapshot is the only one of this space in the folder, so none of its files contains erased vectors.
 * @throws ARCHIVE_FULL or ARCHIVE_READ_ONLY; the old snapshot can still be used
 * @param newest called when no other process can write here, so that vectors erased by others do not come back
 */
export async function writeSnapshot(
  dir: string,
  subject: SnapshotSubject,
  newest: () => Promise<SnapshotState>,
): Promise<void> {
  await alone(dir, async () => {
    const { index, lastChange } = await newest()
    await writeFiles(dir, subject, index, lastChange)
  })
}

/**
 * Runs `work` while no other process writes or removes snapshots in the folder. Each process removes files that look
 * like leftovers.
 */
async function alone(dir: string, work: () => Promise<void>): Promise<void> {
  makePrivateFolder(dir)
  const lock = await lockSnapshots(dir)
  try {
    await work()
  } finally {
    lock.release()
  }
}

async function writeFiles(
  dir: string,
  subject: SnapshotSubject,
  index: HnswIndex,
  lastChange: number,
): Promise<void> {
  const file = `vectors-${subject.spaceId}-${randomUUID()}.hnsw`
  const temporary = join(dir, `${file}.tmp`)
  const manifestFile = join(dir, manifestName(subject.spaceId))
  try {
    const seal = await index.write(temporary)
    await rename(temporary, join(dir, file))
    const manifest = manifestOf(subject, index, lastChange, file, seal)
    await writeFlushed(`${manifestFile}.tmp`, JSON.stringify(manifest))
    // The data file's name must be on disk before the manifest that names it.
    await syncFolder(dir)
    await rename(`${manifestFile}.tmp`, manifestFile)
    await syncFolder(dir)
  } catch (error) {
    // Frees disk space, because the disk may be full.
    for (const left of [temporary, join(dir, file), `${manifestFile}.tmp`])
      if (parseManifest(manifestFile)?.file !== file) rmSync(left, { force: true })
    if (error instanceof CameoError && error.code === 'SNAPSHOT_DAMAGED')
      throw new CameoError(
        'ARCHIVE_FULL',
        `the snapshot of the vector index was not completely written to ${dir}: free some space on that disk`,
        { cause: error },
      )
    throw archiveError(dir, error) ?? error
  }
  removeLeftovers(dir, subject.spaceId, file)
}

function manifestOf(
  { archiveId, spaceId, digest, dimension, parameters }: SnapshotSubject,
  index: HnswIndex,
  lastChange: number,
  file: string,
  seal: FileSeal,
): Manifest {
  const { m, efConstruction } = parameters
  const { live: count, erased } = index.counts
  const subject = { archiveId, spaceId, spaceDigest: digest, dimension, m, efConstruction }
  return { formatVersion, ...subject, count, lastChange, erased, file, ...seal }
}

/** Removes the snapshot of a space, and leftovers from crashes. */
export async function removeSnapshot(dir: string, spaceId: number): Promise<void> {
  if (!existsSync(dir)) return
  await alone(dir, async () => {
    rmSync(join(dir, manifestName(spaceId)), { force: true })
    removeLeftovers(dir, spaceId, undefined)
    await syncFolder(dir)
  })
}

/** The snapshots in a folder with their last change. −1 if the manifest cannot be read. */
export function snapshotsIn(dir: string): { readonly spaceId: number; readonly lastChange: number }[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir).flatMap((name) => {
    const spaceId = /^vectors-(\d+)\.json$/.exec(name)?.[1]
    if (spaceId === undefined) return []
    const lastChange = parseManifest(join(dir, name))?.lastChange ?? -1
    return [{ spaceId: Number(spaceId), lastChange }]
  })
}

/** Removes files that no manifest names. Killed processes leave them behind. */
export async function removeStrayFiles(dir: string): Promise<void> {
  if (strayFiles(dir).length === 0) return
  await alone(dir, async () => {
    for (const name of strayFiles(dir)) rmSync(join(dir, name), { force: true })
    await syncFolder(dir)
  })
}

function strayFiles(dir: string): string[] {
  if (!existsSync(dir)) return []
  const named = new Set(
    snapshotsIn(dir).map(({ spaceId }) => parseManifest(join(dir, manifestName(spaceId)))?.file),
  )
  return readdirSync(dir).filter((name) => /^vectors-\d+(-.*|\.json\.tmp)$/.test(name) && !named.has(name))
}

/** Bytes of the current snapshot and of leftovers. 0 if there are none. */
export function snapshotBytesOnDisk(dir: string, spaceId: number): number {
  return filesOf(dir, spaceId)
    .map((name) => statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
}

function removeLeftovers(dir: string, spaceId: number, keep: string | undefined): void {
  for (const name of filesOf(dir, spaceId)) if (name !== keep) rmSync(join(dir, name), { force: true })
}

/** HNSW files and temporary files of the space, without the manifest. */
function filesOf(dir: string, spaceId: number): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir).filter(
    (name) => name.startsWith(`vectors-${spaceId}-`) || name === `${manifestName(spaceId)}.tmp`,
  )
}

async function writeFlushed(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', privateFileMode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes renames in a folder durable. Windows has no such call and does not need it. */
async function syncFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** False if snapshots cannot be written because of permissions or a read-only file system. */
export async function canWriteTo(dir: string): Promise<boolean> {
  try {
    makePrivateFolder(dir)
    await access(dir, constants.W_OK)
    return true
  } catch {
    return false
  }
}
