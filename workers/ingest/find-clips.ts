import { lstatSync } from 'node:fs'
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileError } from '../../pipeline/decode/clip-file.js'
import { isDamagedText, showDamagedText } from '../../pipeline/common/damaged-text.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { isAnimatedGif } from '../../pipeline/decode/still-image.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { isBelowAny } from '../../index/store/whole-path.js'
import { fileTypeAt, fileTypeOf } from '../../pipeline/decode/file-type.js'
import { isVideoName } from '../../pipeline/decode/video-names.js'

/** A file that may be a clip, or the reason why it is not. Paths are absolute. */
export type FoundFile =
  | { readonly kind: 'clip'; readonly folder: string; readonly path: string; readonly sizeBytes: number }
  | { readonly kind: 'failed'; readonly folder: string; readonly path: string; readonly error: CameoError }
  /** Not a video by its name and its first bytes. */
  | { readonly kind: 'skipped'; readonly path: string }

export interface FindLimits {
  /** Folders that are not entered: the archive itself. */
  readonly excluded?: readonly string[]
  /** Real folders. A link that leads out of them is reported as failed. Default: links may lead anywhere. */
  readonly within?: readonly string[] | undefined
}

/** What a search meets on its way. */
interface WalkState {
  /** Real folders that were visited, or that are not entered. */
  readonly closed: Set<string>
  readonly within: readonly string[] | undefined
}

const startOf = async ({ excluded = [], within }: FindLimits): Promise<WalkState> => ({
  closed: new Set(await Promise.all(excluded.map(realpathOrSame))),
  within,
})

/**
 * Finds every clip among the given files and below the given folders, in a stable order. Follows links, and
 * visits each folder once, so that link loops end. A given file is always a clip. Below folders, the first
 * bytes decide about files without a video's name.
 */
export async function* findClips(
  inputs: readonly string[],
  limits: FindLimits = {},
): AsyncGenerator<FoundFile> {
  // A given file may also lie in a given folder. It is reported once, and never skipped.
  const given = new Map(inputs.map((input) => [resolve(input), { isTold: false }]))
  for await (const file of findAll(inputs, limits)) {
    const own = given.get(file.path)
    if (own?.isTold === true || (own !== undefined && file.kind === 'skipped')) continue
    if (own !== undefined) own.isTold = true
    yield file
  }
}

/**
 * Finds what is at a path below a folder that was searched before, by the rules of that search: a file, or all clips
 * below a folder. A file that is not there any more is found as failed.
 */
export async function* findAt(
  path: string,
  root: string,
  limits: FindLimits = {},
): AsyncGenerator<FoundFile> {
  yield* entry(path, basename(path), root, await startOf(limits))
}

async function* findAll(inputs: readonly string[], limits: FindLimits): AsyncGenerator<FoundFile> {
  const state = await startOf(limits)
  for (const input of inputs) {
    const path = resolve(input)
    let isFolder: boolean
    try {
      isFolder = (await stat(path)).isDirectory()
    } catch (error) {
      yield await failedInput(path, error)
      continue
    }
    const folder = isFolder ? path : resolve(path, '..')
    if (isFolder) yield* walk(path, path, state)
    else yield (await outside(path, folder, state)) ?? (await clipAt(folder, path))
  }
}

async function* walk(folder: string, root: string, state: WalkState): AsyncGenerator<FoundFile> {
  let names: Buffer[]
  try {
    const real = await realpath(folder)
    const refused = await outside(folder, root, state)
    if (refused !== undefined) {
      yield refused
      return
    }
    if (state.closed.has(real)) return
    state.closed.add(real)
    names = await readNames(folder)
  } catch (error) {
    yield failed(root, folder, fileError(folder, error))
    return
  }
  for (const bytes of names) {
    const name = bytes.toString('utf8')
    const path = join(folder, name)
    if (!Buffer.from(name).equals(bytes)) {
      const shown = join(folder, escapeBytes(bytes))
      if (await isOtherFile(Buffer.concat([Buffer.from(join(folder, '/')), bytes]), name)) {
        yield { kind: 'skipped', path: shown }
        continue
      }
      const message = `the name ${escapeBytes(bytes)} is not valid UTF-8 (bytes shown as \\xNN): rename the file`
      yield failed(root, shown, new CameoError('CLIP_NAME_UNSUPPORTED', message))
      continue
    }
    yield* entry(path, name, root, state)
  }
}

async function* entry(path: string, name: string, root: string, state: WalkState): AsyncGenerator<FoundFile> {
  let status
  try {
    status = await stat(path)
  } catch (error) {
    if (!isVideoName(name) && (await isLink(path))) yield { kind: 'skipped', path }
    else yield failed(root, path, await statError(path, error))
    return
  }
  if (status.isDirectory()) {
    if (!name.startsWith('.')) yield* walk(path, root, state)
    return
  }
  // On foreign file systems macOS stores attributes in ._NAME files beside the real files.
  if (name.startsWith('._') || !(await looksLikeVideo(path, status.isFile()))) yield { kind: 'skipped', path }
  else
    yield (await outside(path, root, state)) ?? { kind: 'clip', folder: root, path, sizeBytes: status.size }
}

/** The failure of a link that leads out of the folders within which clips are searched. */
async function outside(path: string, root: string, { within }: WalkState): Promise<FoundFile | undefined> {
  try {
    await checkWithin(path, within)
    return undefined
  } catch (error) {
    if (error instanceof CameoError) return failed(root, path, error)
    throw error
  }
}

/**
 * Checks where a path really leads.
 * @param within real folders; undefined: anywhere
 * @throws CLIP_NOT_ALLOWED if it leads out of them, or where it leads cannot be found out
 */
export async function checkWithin(path: string, within: readonly string[] | undefined): Promise<void> {
  if (within === undefined) return
  const real = await realpath(path).catch(() => undefined)
  if (real !== undefined && isBelowAny(within, real)) return
  throw new CameoError(
    'CLIP_NOT_ALLOWED',
    `${clipName(path)} is a link out of the folders that may be ingested`,
  )
}

/** A given path that cannot be inspected. */
async function failedInput(path: string, error: unknown): Promise<FoundFile> {
  const folder = resolve(path, '..')
  if (!isDamagedText(path) || (await isLink(path))) return failed(folder, path, await statError(path, error))
  const shown = showDamagedText(path)
  const message = `the name ${basename(shown)} is not valid UTF-8 (invalid parts are shown as \\ufffd): rename the file`
  return failed(folder, shown, new CameoError('CLIP_NAME_UNSUPPORTED', message, { cause: error }))
}

/** Whether something exists at the path, including a broken link, as far as the given name can show. */
export function mayExist(path: string): boolean {
  try {
    return isDamagedText(path) || lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    return fileError(path, error).code !== 'CLIP_GONE'
  }
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (status) => status.isSymbolicLink(),
    () => false,
  )
}

async function statError(path: string, cause: unknown): Promise<CameoError> {
  const error = fileError(path, cause)
  const isLoop = cause instanceof Error && 'code' in cause && cause.code === 'ELOOP'
  if (isLoop) return new CameoError('CLIP_GONE', `the link ${clipName(path)} points to itself`, { cause })
  if (error.code !== 'CLIP_GONE') return error
  const name = clipName(path)
  const message = (await isLink(path))
    ? `${name} is a broken link: its target was moved or deleted, or is not mounted`
    : `there is no file or folder ${name}: it was moved or deleted, or it never existed`
  return new CameoError('CLIP_GONE', message, { cause })
}

/** Bytes of a file that are enough to detect its type. */
const fileTypeBytes = 64 * 1024

/** Video types whose MIME type does not start with `video/`. */
const otherVideoTypes = new Set(['application/mxf', 'application/vnd.rn-realmedia', 'image/apng'])

const isVideoType = (mime: string) => mime.startsWith('video/') || otherVideoTypes.has(mime)

async function looksLikeVideo(path: string, isFile: boolean): Promise<boolean> {
  if (isVideoName(path)) return true
  if (!isFile) return false
  try {
    const mime = (await fileTypeAt(path))?.mime ?? ''
    return mime === 'image/gif' ? await isAnimatedGif(path) : isVideoType(mime)
  } catch {
    return false
  }
}

/** True if the file is not a video. For files with a name that is not valid text. */
async function isOtherFile(path: Buffer, name: string): Promise<boolean> {
  if (isVideoName(name)) return false
  try {
    if (!(await stat(path)).isFile()) return false
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(fileTypeBytes), position: 0 })
      const mime = (await fileTypeOf(buffer.subarray(0, bytesRead)))?.mime ?? ''
      return !isVideoType(mime) && mime !== 'image/gif'
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
}

async function clipAt(folder: string, path: string): Promise<FoundFile> {
  try {
    return { kind: 'clip', folder, path, sizeBytes: (await stat(path)).size }
  } catch (error) {
    return failed(folder, path, fileError(path, error))
  }
}

async function readNames(folder: string): Promise<Buffer[]> {
  const names = await readdir(folder, { encoding: 'buffer' })
  return names.sort((a, b) => Buffer.compare(a, b))
}

function failed(folder: string, path: string, error: CameoError): FoundFile {
  return { kind: 'failed', folder, path, error }
}

function escapeBytes(bytes: Buffer): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('')
}

async function realpathOrSame(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path))
}
