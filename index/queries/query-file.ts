import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileTypeFromFile } from 'file-type'
import { fileError } from '../../pipeline/decode/clip-file.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { isPhoto } from '../../pipeline/photos/process-photo.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import { isVideoName } from '../../pipeline/decode/video-names.js'

/** So that a damaged one is refused as a photo. */
const photoExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff', '.heic'])

/** What a file that a person is asked by is, by its content where that tells it, else by its name. */
export async function kindOfFile(path: string): Promise<'photo' | 'clip' | 'unknown'> {
  const type = await fileTypeFromFile(path).catch(() => undefined)
  if (type?.mime.startsWith('image/') === true) return 'photo'
  // Many containers are known by their names alone.
  if (type?.mime.startsWith('video/') === true || isVideoName(path)) return 'clip'
  const isNamedSo = photoExtensions.has(extname(path).toLowerCase())
  return isNamedSo || (await isPhoto(path)) ? 'photo' : 'unknown'
}

/** Throws `code` where there is nothing: a clip of an archive was moved, a path that was just given is wrong. */
export async function checkGiven(path: string, code: 'CLIP_GONE' | 'IMAGE_UNREADABLE'): Promise<void> {
  try {
    await stat(path)
  } catch (cause) {
    if (fileError(path, cause).code === 'CLIP_GONE')
      throw new CameoError(code, `there is no file ${oneLine(path)}: check the path`, { cause })
  }
}
