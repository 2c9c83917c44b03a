import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileError } from '../../pipeline/decode/clip-file.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { isPhoto } from '../../pipeline/photos/process-photo.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import { fileTypeAt } from '../../pipeline/decode/file-type.js'
import { isVideoName } from '../../pipeline/decode/video-names.js'

/** Used to report a damaged photo as a photo. */
const photoExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff', '.heic'])

/** The kind of a query file. Detected from its content if possible, otherwise from its name. */
export async function kindOfFile(path: string): Promise<'photo' | 'clip' | 'unknown'> {
  const type = await fileTypeAt(path)
  if (type?.mime.startsWith('image/') === true) return 'photo'
  // Many containers can be recognised only by their names.
  if (type?.mime.startsWith('video/') === true || isVideoName(path)) return 'clip'
  const isNamedAsPhoto = photoExtensions.has(extname(path).toLowerCase())
  return isNamedAsPhoto || (await isPhoto(path)) ? 'photo' : 'unknown'
}

/** Throws `code` if the file does not exist. The path was just given by a person, so the message says to check it. */
export async function checkGiven(path: string, code: 'CLIP_GONE' | 'IMAGE_UNREADABLE'): Promise<void> {
  try {
    await stat(path)
  } catch (cause) {
    if (fileError(path, cause).code === 'CLIP_GONE')
      throw new CameoError(code, `there is no file ${oneLine(path)}: check the path`, { cause })
  }
}
