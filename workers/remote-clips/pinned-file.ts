import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  type BigIntStats,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileError } from '../../pipeline/decode/clip-file.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'

/** A file that is open, and a path by which everyone opens this file, whatever becomes of the path that it was found by. */
export interface PinnedFile {
  /** With the file's own name at its end, which tells ffmpeg formats apart and is shown in messages. */
  readonly path: string
  /** Where it lay when it was opened, without links. */
  readonly realPath: string
  /** True while the file that was opened lies where it lay. */
  isInPlace(): boolean
  /** Once is enough. */
  close(): void
}

/** Not waiting for the writer of a pipe, and not through a link that took the file's place since its path was resolved. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY

/**
 * Opens a file, and checks where the open file lies: between a look at a path and its use, folders and links on the way can be
 * exchanged. On Linux the path that is given out is a link, in a folder of this process alone, to the open file itself, so that
 * hashing and ffmpeg read what was checked. Elsewhere it is the resolved path, and `isInPlace` tells afterwards.
 * @param links makes or finds a folder for such links, into which nobody else may write
 * @param check throws where a file at this path, without links, may not be read
 * @throws CLIP_GONE, CLIP_UNREADABLE, CLIP_CHANGED; CLIP_NOT_VIDEO for what is no file; and what `check` throws
 */
export function pinFile(path: string, links: () => string, check: (realPath: string) => void): PinnedFile {
  const resolved = systemCall(path, () => realpathSync(path))
  check(resolved)
  // Before it is opened: to open a device or a pipe does something to it.
  checkKind(
    path,
    systemCall(path, () => lstatSync(resolved, { bigint: true })),
  )
  const descriptor = systemCall(path, () => openSync(resolved, openFlags))
  try {
    const opened = fstatSync(descriptor, { bigint: true })
    checkKind(path, opened)
    const realPath = pathOfOpen(descriptor) ?? resolved
    check(realPath)
    const isInPlace = () => isSameFile(statOf(realPath), opened) && resolvesTo(realPath)
    if (!isInPlace()) throw changed(path)
    const link = linkTo(descriptor, opened, basename(path), links)
    let isOpen = true
    return {
      path: link?.path ?? realPath,
      ...{ realPath, isInPlace },
      close() {
        if (!isOpen) return
        isOpen = false
        link?.remove()
        closeSync(descriptor)
      },
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Throws CLIP_NOT_VIDEO for what is no file; nothing is different about it the next time. */
function checkKind(path: string, status: BigIntStats): void {
  if (status.isFile()) return
  // A link that took the resolved file's place.
  if (status.isSymbolicLink()) throw changed(path)
  const kind = status.isDirectory()
    ? 'a folder'
    : status.isFIFO()
      ? 'a pipe'
      : status.isSocket()
        ? 'a socket'
        : 'a device'
  throw new CameoError('CLIP_NOT_VIDEO', `${clipName(path)} is ${kind}, not a video file`)
}

function changed(path: string): CameoError {
  return new CameoError(
    'CLIP_CHANGED',
    `${clipName(path)} was exchanged while it was opened: submit it again`,
  )
}

function systemCall<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    // O_NOFOLLOW met a link.
    if (error instanceof Error && 'code' in error && error.code === 'ELOOP') throw changed(path)
    throw fileError(path, error)
  }
}

const processFile = (descriptor: number) => `/proc/${process.pid}/fd/${descriptor}`

/** Where the kernel says that an open file lies; undefined where it does not say. */
function pathOfOpen(descriptor: number): string | undefined {
  try {
    return readlinkSync(processFile(descriptor))
  } catch {
    return undefined
  }
}

/** Undefined where processes have no folder of their open files, or another process could not open them there. */
function linkTo(descriptor: number, opened: BigIntStats, name: string, links: () => string) {
  if (!isSameFile(statOf(processFile(descriptor)), opened)) return undefined
  try {
    // Nobody else may look into it, and the scratch folder is not anybody's to write into.
    const folder = mkdtempSync(join(links(), 'clip-'))
    const path = join(folder, name)
    symlinkSync(processFile(descriptor), path)
    return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
  } catch (cause) {
    throw new CameoError(
      'SCRATCH_FULL',
      `nothing can be written into the scratch folder (${messageOf(cause)}); make room there, or use another`,
      { cause, details: { remedy: 'other-scratch' } },
    )
  }
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function resolvesTo(realPath: string): boolean {
  try {
    return realpathSync(realPath) === realPath
  } catch {
    return false
  }
}

const isSameFile = (a: BigIntStats | undefined, b: BigIntStats) => a?.dev === b.dev && a.ino === b.ino
