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

/** An open file, and a path that always opens this file, even if another file takes its place. */
export interface PinnedFile {
  /** Ends with the file's own name, because ffmpeg detects some formats by the name and messages show it. */
  readonly path: string
  /** The file's path without links when it was opened. */
  readonly realPath: string
  /** True while the opened file is still at `realPath`. */
  isInPlace(): boolean
  /** One call is enough. */
  close(): void
}

/**
 * Do not wait for the writer of a pipe. Do not follow a link that replaced the file after its path was
 * resolved.
 */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY

/**
 * Opens a file, and then checks where the open file lies. Folders and links on the way can be replaced
 * between a check of the path and its use. On Linux the returned path is a link to the open file itself, in a
 * folder that only this process uses, so hashing and ffmpeg read the checked file. On other systems it is the
 * resolved path, and `isInPlace` checks it afterwards.
 * @param links creates or finds a folder for such links that only this user can write to
 * @param check throws if the file at this path, without links, may not be read
 * @throws CLIP_GONE, CLIP_UNREADABLE, CLIP_CHANGED; CLIP_NOT_VIDEO if it is not a file; errors of `check`
 */
export function pinFile(path: string, links: () => string, check: (realPath: string) => void): PinnedFile {
  const resolved = systemCall(path, () => realpathSync(path))
  check(resolved)
  // Before the open call: opening a device or a pipe can have effects.
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

/** Throws CLIP_NOT_VIDEO if it is not a file. A retry would not help. */
function checkKind(path: string, status: BigIntStats): void {
  if (status.isFile()) return
  // A link replaced the resolved file.
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
  return new CameoError('CLIP_CHANGED', `${clipName(path)} was replaced while it was opened: submit it again`)
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

/** The kernel's path of an open file; undefined if the kernel does not tell it. */
function pathOfOpen(descriptor: number): string | undefined {
  try {
    return readlinkSync(processFile(descriptor))
  } catch {
    return undefined
  }
}

/**
 * Undefined if processes have no folder of their open files, or if another process could not open them there.
 */
function linkTo(descriptor: number, opened: BigIntStats, name: string, links: () => string) {
  if (!isSameFile(statOf(processFile(descriptor)), opened)) return undefined
  try {
    // Other users cannot read this folder, and only this user can write to the scratch folder.
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
