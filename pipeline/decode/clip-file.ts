import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CameoError, messageOf } from '../common/errors.js'
import { clipName } from '../common/display-name.js'

/** Checks what can be known about a clip without ffmpeg. Throws if it is gone, unreadable, empty or not a file. */
export async function checkClipFile(path: string): Promise<void> {
  try {
    const status = await stat(path)
    if (status.isDirectory()) {
      throw new CameoError('CLIP_NOT_VIDEO', `${clipName(path)} is a folder, not a video file`)
    }
    if (!status.isFile()) return // opening a pipe would wait for its writer; ffmpeg's watchdog handles that
    if (status.size === 0) {
      throw new CameoError(
        'CLIP_EMPTY',
        `${clipName(path)} is empty (0 bytes): copy it again from its source`,
      )
    }
    await (await open(path, 'r')).close()
  } catch (error) {
    throw error instanceof CameoError ? error : fileError(path, error)
  }
}

/** Size of a clip's file; undefined for pipes and for files that no longer exist. */
export async function regularFileBytes(path: string): Promise<number | undefined> {
  const status = await stat(path).catch(() => undefined)
  return status?.isFile() === true ? status.size : undefined
}

/**
 * Any camera's video takes more bytes per second than this. A file with less states a wrong duration, or it is so small
 * that measuring costs nothing.
 */
export const leastBytesPerS = 2000

/**
 * Bytes of a clip's file; fewer if the file ends before. Empty if it cannot be read or is not a regular file: ffmpeg
 * reports that better.
 */
export async function readPart(path: string, from: number, length: number): Promise<Buffer> {
  // Opening a pipe would wait for its writer.
  if ((await regularFileBytes(path)) === undefined) return Buffer.alloc(0)
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    return Buffer.alloc(0)
  }
}

/** Whether the whole file can be read. */
export async function isReadable(path: string): Promise<boolean> {
  try {
    await pipeline(createReadStream(path), new Writable({ write: (_chunk, _encoding, done) => done() }))
    return true
  } catch {
    return false
  }
}

/** The error for a failed system call on a clip's file. */
export function fileError(path: string, cause: unknown): CameoError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const name = clipName(path)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new CameoError('CLIP_GONE', `${name} is no longer there: it was moved or deleted`, { cause })
    case 'EACCES':
    case 'EPERM':
      return new CameoError(
        'CLIP_UNREADABLE',
        `there is no permission to read ${name}: give this user permission to read it`,
        {
          cause,
        },
      )
    case 'ERR_INVALID_ARG_VALUE':
    case 'ENAMETOOLONG':
      return new CameoError('CLIP_NAME_UNSUPPORTED', `${name} is not a valid file name: rename it`, {
        cause,
      })
    default:
      return new CameoError(
        'CLIP_UNREADABLE',
        `${name} cannot be read (${messageOf(cause)}): check the disk or network share`,
        { cause },
      )
  }
}

/** Kinds of the first box of an MP4 or QuickTime file. */
const mp4Boxes = new Set(['ftyp', 'mdat', 'moov', 'wide', 'free', 'skip', 'pnot', 'moof', 'styp'])

/** True if the file begins like an MP4, whatever its name is. */
export async function beginsLikeMp4(path: string): Promise<boolean> {
  return mp4Boxes.has((await readPart(path, 0, 8)).toString('latin1', 4, 8))
}
