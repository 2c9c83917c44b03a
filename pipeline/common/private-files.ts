import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/**
 * Files with what is known of people's faces are their owner's alone, whatever the umask. It is given with the call that makes
 * the file, for a worker thread cannot set the umask, and for a moment in between the file would be open to others.
 */
export const privateFileMode = 0o600
const privateFolderMode = 0o700
const othersMode = 0o077

/** Makes a folder where there is none, and those above it as any other. One that is there stays as it is. */
export function makePrivateFolder(dir: string): void {
  mkdirSync(dirname(dir), { recursive: true })
  mkdirSync(dir, { recursive: true, mode: privateFolderMode })
}

/** Makes an empty file where there is none, for libraries that would make it by the umask. */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', privateFileMode))
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** Writes a file, or one that is there anew. */
export function writePrivateFile(file: string, content: string | Uint8Array): void {
  const handle = openPrivateFile(file)
  try {
    writeFileSync(handle, content)
  } finally {
    closeSync(handle)
  }
}

/** Opens a file to be written anew; the caller closes it. Where another user owns it, it stays as open as it is. */
export function openPrivateFile(file: string): number {
  const handle = openSync(file, 'w', privateFileMode)
  try {
    // Not a terminal or /dev/null.
    if (fstatSync(handle).isFile()) fchmodSync(handle, privateFileMode)
  } catch (error) {
    if (!hasCode(error, 'EPERM')) {
      closeSync(handle)
      throw error
    }
  }
  return handle
}

/**
 * Takes from other users what they may do with a file or folder; from its owner nothing. By its path: a process that opens and
 * closes a file loses the locks that SQLite has on it.
 * @returns `open` where they still may, the file being another user's or on a file system without permissions
 */
export function closeToOthers(path: string): 'private' | 'tightened' | 'open' {
  const before = modeOf(path)
  if (before === undefined || process.platform === 'win32' || (before & othersMode) === 0) return 'private'
  try {
    chmodSync(path, before & 0o7777 & ~othersMode)
  } catch (error) {
    if (['EPERM', 'EROFS', 'ENOTSUP', 'EACCES'].some((code) => hasCode(error, code))) return 'open'
    if (!hasCode(error, 'ENOENT')) throw error
  }
  return ((modeOf(path) ?? 0) & othersMode) === 0 ? 'tightened' : 'open'
}

const modeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.mode

const hasCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code
