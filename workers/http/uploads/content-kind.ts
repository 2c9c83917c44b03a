import { isUtf8 } from 'node:buffer'
import { CameoError } from '../../../pipeline/common/errors.js'
import { fileTypeOf } from '../../../pipeline/decode/file-type.js'
import { contentHeadBytes, contentOf } from '../../../pipeline/decode/still/image-content.js'

/** What an upload may be: something that shows a person, or a list of labels. */
export type UploadKind = 'image' | 'clip' | 'list'

/** So many first bytes of a file are looked at. */
export const headBytes = contentHeadBytes

/** Videos for which a type of content of another family is registered. */
const videoExtensions = new Set(['mxf', 'asf', 'ogv', 'rm'])

/** What a file holds by its first bytes, and the extension for it; neither its name nor its stated type is trusted. */
export interface Content {
  readonly kind: UploadKind
  readonly extension: string
}

/**
 * @param head the first `headBytes` bytes, or the whole file if it is shorter
 * @throws IMAGE_UNREADABLE for everything else: drawings, pages, playlists, archives, …
 */
export async function contentOfUpload(head: Buffer): Promise<Content> {
  const content = await contentOf(head)
  if (content.kind === 'picture') return { kind: 'image', extension: content.format }
  const type = await fileTypeOf(head).catch(() => undefined)
  if (type !== undefined && (type.mime.startsWith('video/') || videoExtensions.has(type.ext)))
    return { kind: 'clip', extension: type.ext }
  throw new CameoError('IMAGE_UNREADABLE', `the file is neither a photo nor a video: it is ${content.what}`)
}

/** @throws GROUND_TRUTH_INVALID if it is not text */
export function contentOfList(head: Buffer): Content {
  // The head may end within a character.
  const isText = [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)))
  if (isText && !head.includes(0)) return { kind: 'list', extension: 'txt' }
  throw new CameoError('GROUND_TRUTH_INVALID', 'the file is not a text of lines with labels')
}
