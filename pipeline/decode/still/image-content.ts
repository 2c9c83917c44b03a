import { fileTypeOf } from '../file-type.js'

/** Formats that are opened as photos. */
export type PictureFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'heif'

/** What a file holds, by its first bytes. */
export type FileContent =
  /** @param startsAt offset in the file at which the picture begins, after bytes that are no part of it */
  | { readonly kind: 'picture'; readonly format: PictureFormat; readonly startsAt: number }
  /** @param what with its article, for a sentence: "an SVG drawing" */
  | { readonly kind: 'other'; readonly what: string }

/** `contentOf` needs this many bytes of a file. */
export const contentHeadBytes = 64 * 1024

/** HEIF and AVIF: brands of single pictures and of picture sequences. */
const heifBrands = new Set('avif avis heic heix heim heis hevc hevx hevm hevs mif1 msf1 miaf'.split(' '))

function formatAt(bytes: Buffer, at: number): PictureFormat | undefined {
  const is = (text: string, offset = 0) =>
    bytes.toString('latin1', at + offset, at + offset + text.length) === text
  if (is('\xff\xd8\xff')) return 'jpeg'
  if (is('\x89PNG\r\n\x1a\n')) return 'png'
  if (is('RIFF') && is('WEBP', 8)) return 'webp'
  if (is('GIF87a') || is('GIF89a')) return 'gif'
  if (is('II*\0') || is('MM\0*') || is('II+\0') || is('MM\0+')) return 'tiff'
  if (is('ftyp', 4) && heifBrands.has(bytes.toString('latin1', at + 8, at + 12))) return 'heif'
  return undefined
}

/**
 * Determines what a file holds. A picture may follow bytes that do not belong to it (a byte-order mark, the header of a
 * response).
 * @param head the first `contentHeadBytes` bytes, or the whole file if it is shorter
 */
export async function contentOf(head: Buffer): Promise<FileContent> {
  const format = formatAt(head, 0)
  const type =
    format === undefined || format === 'tiff' ? await fileTypeOf(head).catch(() => undefined) : undefined
  // Raw files of cameras are TIFF files in which libvips finds a thumbnail at best.
  if (format !== undefined && (type === undefined || !isRawPhoto(type.mime)))
    return { kind: 'picture', format, startsAt: 0 }
  const text = textOf(head)
  // UTF-16 letters look like sound; drawings and web pages look like XML.
  if (text !== undefined && (isMarkup(text) || utf16Of(head) !== undefined))
    return { kind: 'other', what: nameOfText(text) }
  if (type !== undefined && !isText(type.mime)) return { kind: 'other', what: nameOfType(type) }
  const startsAt = pictureWithin(head)
  const behind = startsAt === undefined ? undefined : formatAt(head, startsAt)
  if (startsAt !== undefined && behind !== undefined) return { kind: 'picture', format: behind, startsAt }
  return { kind: 'other', what: nameOfText(text) }
}

/** Whether these are the bytes of an animated PNG or AVIF. */
export function isAnimation(bytes: Buffer): boolean {
  const format = formatAt(bytes, 0)
  if (format === 'heif') return bytes.toString('latin1', 8, 12) === 'avis'
  const control = format === 'png' ? bytes.indexOf('acTL') : -1
  return control >= 0 && control < bytes.indexOf('IDAT')
}

interface FileType {
  readonly ext: string
  readonly mime: string
}

const isRawPhoto = (mime: string) => mime.startsWith('image/') && mime !== 'image/tiff'
const isText = (mime: string) => mime === 'application/xml' || mime.startsWith('text/')

function nameOfType({ ext, mime }: FileType): string {
  const [family] = mime.split('/')
  if (family === 'video') return 'a video'
  if (family === 'audio') return 'an audio file'
  if (mime === 'application/gzip') return 'a compressed file (gzip), for example an SVGZ drawing'
  const name = ext.toUpperCase()
  if (family === 'image') return `an image in an unsupported format (${name})`
  return `another kind of file (${name})`
}

/** Signatures in the middle of other bytes that only a picture begins with. */
const signatures = ['\xff\xd8\xff', '\x89PNG\r\n\x1a\n', 'WEBP', 'GIF87a', 'GIF89a']

/** Offset of the first picture in these bytes. */
function pictureWithin(head: Buffer): number | undefined {
  const found = signatures.map((text) => head.indexOf(text, 1, 'latin1') - (text === 'WEBP' ? 8 : 0))
  const places = found.filter((at) => at > 0)
  return places.length === 0 ? undefined : Math.min(...places)
}

const drawing = /<(?:!doctype\s+)?(?:\w+:)?svg[\s>]/i
const webPage = /<!doctype\s+html|<html[\s>]/i

const isMarkup = (text: string) => drawing.test(text) || webPage.test(text)

function nameOfText(text: string | undefined): string {
  if (text === undefined) return 'a file of an unknown kind'
  if (drawing.test(text)) return 'an SVG drawing'
  return webPage.test(text) ? 'a web page' : 'a text file'
}

/** The bytes as text, in UTF-8 or UTF-16; undefined if they are not text. */
function textOf(head: Buffer): string | undefined {
  const encoding = utf16Of(head) ?? 'utf-8'
  const text = new TextDecoder(encoding).decode(head)
  // The file, or its head, may end within a character.
  return /(?!\s)\p{Cc}|\ufffd(?!$)/u.test(text) ? undefined : text
}

/** Decides by the byte-order mark, otherwise by the zero byte in a letter of ASCII. */
function utf16Of(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const [a = 1, b = 1] = head
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return 'utf-16le'
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return 'utf-16be'
  return undefined
}
