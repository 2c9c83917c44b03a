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
 * Files with data about people's faces are readable only by their owner, whatever the umask is. The mode is passed to
 * the call that creates the file: a worker thread cannot set the umask, and a later chmod would leave the file open to
 * others for a moment.
 */
export const privateFileMode = 0o600
const privateFolderMode = 0o700
const othersMode = 0o077

/**
 * Makes a private folder if there is none; its parent folders get the usual mode. An existing folder keeps its mode.
 */
export function makePrivateFolder(dir: string): void {
  mkdirSync(dirname(dir), { recursive: true })
  mkdirSync(dir, { recursive: true, mode: privateFolderMode })
}

/** Makes an empty private file if there is none, for libraries that would create it with the umask's mode. */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', privateFileMode))
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** Writes a private file; replaces an existing one. */
export function writePrivateFile(file: string, content: string | Uint8Array): void {
  const handle = openPrivateFile(file)
  try {
    writeFileSync(handle, content)
  } finally {
    closeSync(handle)
  }
}

/**
 * Opens a private file for writing and empties it; the caller closes it. A file that another user owns keeps its mode.
 */
export function openPrivateFile(file: string): number {
  const handle = openSync(file, 'w', privateFileMode)
  try {
    // The target can also be a terminal or /dev/null.
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
 * Removes other users' permissions on a file or folder; the owner keeps all of theirs. It works on the path: a process
 * that opens and closes a file loses SQLite's locks on that file.
 * @returns `open` if others still have access: another user owns the file, or the file system has no permissions
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
