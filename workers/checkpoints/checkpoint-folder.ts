import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { decode, encode } from '@msgpack/msgpack'
import { z } from 'zod'
import { messageOf } from '../../pipeline/common/errors.js'
import type { CheckpointUpdate, StoredCheckpoint } from '../../pipeline/segments/segment-checkpoint.js'

/** Names the segments to look for. */
export interface CheckpointKey {
  readonly clipId: string
  readonly recipe: string
}

export interface FoundCheckpoint extends StoredCheckpoint {
  readonly segment: number
  /** The job that wrote the checkpoint. */
  readonly job: string
}

export interface FolderLimits {
  /** Limit for all files together; the oldest are removed first. */
  readonly maxBytes: number
  /** Older checkpoints are removed. */
  readonly maxAgeMs: number
}

/**
 * Checkpoints of several processes, and of several machines if they share the folder. Each segment has its
 * own folder inside the folder of its clip:
 *
 *     CLIP/RECIPE/SEGMENT/state            names the parts; always whole, because it is replaced by a rename
 *     CLIP/RECIPE/SEGMENT/DIGEST.part      never changes
 *
 * Two processes can safely work on one segment: a state without its parts is ignored. The folder holds
 * pictures of faces, so only its owner can read it. Errors of the folder never fail a clip.
 */
export interface CheckpointFolder {
  /** The checkpoints of a clip, one per segment. */
  read(key: CheckpointKey): FoundCheckpoint[]
  write(key: CheckpointKey, job: string, update: CheckpointUpdate): void
  drop(key: CheckpointKey, segment: number): void
  /** Erases the checkpoints of a clip, and stores none for it from now on. */
  forget(clipId: string): void
  /** Allows checkpoints for a forgotten clip again. */
  remember(clipId: string): void
  /** Removes what is too old or exceeds the size limit. Call it from time to time. */
  sweep(): void
}

export const defaultFolderLimits: FolderLimits = { maxBytes: 4 * 1024 ** 3, maxAgeMs: 7 * 24 * 3600 * 1000 }

/**
 * One folder per user, beside other temporary files. It outlives the worker, and other workers on this
 * machine find it.
 */
export function defaultCheckpointsDir(parent: string | undefined): string {
  return parent === undefined
    ? join(tmpdir(), `cameo-checkpoints-${userInfo().uid}`)
    : join(parent, 'cameo-checkpoints')
}

/**
 * Creates the folder on first use, and removes it when it is empty.
 * @param onTrouble called when the folder cannot be used; work continues without it
 */
export function openCheckpointFolder(
  dir: string,
  onTrouble: (text: string) => void,
  limits: FolderLimits = defaultFolderLimits,
): CheckpointFolder {
  const forgotten = new Set<string>()
  let told: string | undefined

  const folderOf = ({ clipId, recipe }: CheckpointKey) => join(dir, clipId, recipe)

  /** A clip without checkpoints only takes longer. */
  function guarded<T>(work: () => T, otherwise: T): T {
    try {
      checkOwn(dir)
      return work()
    } catch (error) {
      if (isGone(error)) return otherwise
      const text = `the folder of checkpoints ${dir} cannot be used: ${messageOf(error)}`
      if (text !== told) onTrouble(text)
      told = text
      return otherwise
    }
  }

  return {
    read: (key) =>
      guarded(
        () =>
          namesIn(folderOf(key))
            .flatMap((name) => readSegment(join(folderOf(key), name), Number(name)))
            .sort((a, b) => a.segment - b.segment),
        [],
      ),
    write(key, job, { segment, state, parts, newPart }) {
      if (forgotten.has(key.clipId)) return
      guarded(() => {
        const folder = join(folderOf(key), `${segment}`)
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        checkOwn(dir)
        const digest = parts.at(-1)
        if (newPart !== undefined && digest !== undefined) writeWhole(folder, `${digest}.part`, newPart)
        writeWhole(folder, 'state', encode({ job, parts, state }))
      }, undefined)
    },
    drop(key, segment) {
      guarded(() => {
        rmSync(join(folderOf(key), `${segment}`), { recursive: true, force: true })
        removeEmpty(folderOf(key), join(dir, key.clipId), dir)
      }, undefined)
    },
    forget(clipId) {
      forgotten.add(clipId)
      guarded(() => {
        rmSync(join(dir, clipId), { recursive: true, force: true })
        removeEmpty(dir)
      }, undefined)
    },
    remember(clipId) {
      forgotten.delete(clipId)
    },
    sweep: () => guarded(() => sweep(dir, limits), undefined),
  }
}

const stateSchema = z.object({
  job: z.string(),
  parts: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  state: z.instanceof(Uint8Array),
})

/** Otherwise another user could place files there. */
function checkOwn(dir: string): void {
  const status = lstatSync(dir, { throwIfNoEntry: false })
  if (status === undefined) return
  if (!status.isDirectory() || status.uid !== userInfo().uid)
    throw new Error('this user does not own the folder; use another folder')
}

/** Returns nothing if the checkpoint is damaged: the segment then starts again. */
function readSegment(folder: string, segment: number): FoundCheckpoint[] {
  try {
    const { job, parts, state } = stateSchema.parse(decode(readFileSync(join(folder, 'state'))))
    return [
      { segment, job, state, parts: parts.map((digest) => readFileSync(join(folder, `${digest}.part`))) },
    ]
  } catch {
    return []
  }
}

/** A reader sees either the old file or the new one, also after a power failure. */
function writeWhole(folder: string, name: string, bytes: Uint8Array): void {
  const temporary = join(folder, `.${randomUUID()}`)
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      for (let at = 0; at < bytes.byteLength;) at += writeSync(file, bytes, at)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, join(folder, name))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function sweep(dir: string, { maxBytes, maxAgeMs }: FolderLimits): void {
  const segments = namesIn(dir).flatMap((clip) =>
    namesIn(join(dir, clip)).flatMap((recipe) =>
      namesIn(join(dir, clip, recipe)).map((segment) => measured(join(dir, clip, recipe, segment))),
    ),
  )
  let bytes = 0
  for (const { path, sizeBytes, changedMs } of segments.sort((a, b) => b.changedMs - a.changedMs)) {
    bytes += sizeBytes
    if (bytes <= maxBytes && Date.now() - changedMs <= maxAgeMs) continue
    rmSync(path, { recursive: true, force: true })
    removeEmpty(dirname(path), dirname(dirname(path)), dir)
  }
}

function measured(path: string) {
  const files = namesIn(path).map((name) => statSync(join(path, name), { throwIfNoEntry: false }))
  return {
    path,
    sizeBytes: files.reduce((sum, file) => sum + (file?.size ?? 0), 0),
    changedMs: Math.max(0, ...files.map((file) => file?.mtimeMs ?? 0)),
  }
}

/** Returns an empty list if the folder is gone. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** Removes inner folders first. A folder in which another process has files stays. */
function removeEmpty(...folders: readonly string[]): void {
  for (const folder of folders)
    try {
      rmdirSync(folder)
    } catch {
      return
    }
}

/** Another process removed it first. */
const isGone = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
