import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { deflateRawSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import type { FaceName } from '../../scripts/demo/demo-photos.js'
import { ffmpeg, makeFacePhoto } from './faces.js'

/**
 * Photos as people have them: one function per kind, made from the bytes of an intact photo of one face.
 * Every function returns the file's bytes.
 */

/** A JPEG of one face, 400 px high and wide. @param path a temporary file */
export async function intactJpeg(path: string, face: FaceName): Promise<Buffer> {
  const photo = readFileSync(await makeFacePhoto(path, face))
  const jpeg = await sharp(photo).resize(400, 400).jpeg({ quality: 90 }).toBuffer()
  writeFileSync(path, jpeg)
  return jpeg
}

/** The file without its end. @param bytes number of missing bytes */
export const cutOff = (photo: Buffer, bytes: number) => photo.subarray(0, photo.length - bytes)

/** The end of the JPEG's first segment, APP0. */
const afterApp0 = (jpeg: Buffer) => 4 + jpeg.readUInt16BE(4)

/** 18 zero bytes between two segments. */
export const zerosBetweenMarkers = (jpeg: Buffer) =>
  Buffer.concat([jpeg.subarray(0, afterApp0(jpeg)), Buffer.alloc(18), jpeg.subarray(afterApp0(jpeg))])

/** Junk before the photo: an answer stored with its header, or a byte-order mark from a web page. */
export const junkBefore = (photo: Buffer, junk = '\xef\xbb\xbfHTTP/1.1 200 OK\r\n\r\n') =>
  Buffer.concat([Buffer.from(junk, 'latin1'), photo])

/** EXIF with offsets that point outside it. */
export function damagedExif(jpeg: Buffer): Buffer {
  const exif = Buffer.from('Exif\0\0MM\0*\xff\xff\xff\xf0\0\x09\x01\x12\0\x03', 'latin1')
  const header = Buffer.from([0xff, 0xe1, 0, exif.length + 2])
  return Buffer.concat([jpeg.subarray(0, 2), header, exif, jpeg.subarray(2)])
}

export const progressiveJpeg = (photo: Buffer) => sharp(photo).jpeg({ progressive: true }).toBuffer()
export const cmykJpeg = (photo: Buffer) => sharp(photo).toColourspace('cmyk').jpeg().toBuffer()
export const greyJpeg = (photo: Buffer) => sharp(photo).greyscale().jpeg().toBuffer()
export const png = (photo: Buffer) => sharp(photo).png().toBuffer()
export const png16 = (photo: Buffer) => sharp(photo).toColourspace('rgb16').png().toBuffer()
export const transparentPng = (photo: Buffer) => sharp(photo).ensureAlpha(0.9).png().toBuffer()
export const webp = (photo: Buffer) => sharp(photo).webp({ quality: 90 }).toBuffer()
export const losslessWebp = (photo: Buffer) => sharp(photo).webp({ lossless: true }).toBuffer()
export const gif = (photo: Buffer) => sharp(photo).gif().toBuffer()
export const avif = (photo: Buffer) => sharp(photo).avif({ effort: 0 }).toBuffer()
/** The directory is at the end of the file. */
export const tiff = (photo: Buffer) => sharp(photo).tiff({ compression: 'lzw' }).toBuffer()

/** A TIFF of ten strips with its directory before the pixels, by the format's specification. */
export async function tiffWithDirectoryFirst(photo: Buffer): Promise<Buffer> {
  const strips = 10
  const { data, info } = await sharp(photo).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const rows = info.height / strips
  const [short, long] = [3, 4]
  const directoryAt = 8
  const valuesAt = directoryAt + 2 + 9 * 12 + 4
  const [offsetsAt, lengthsAt, pixelsAt] = [valuesAt + 6, valuesAt + 46, valuesAt + 86]
  const entries = [
    ...[[256, long, 1, info.width], [257, long, 1, info.height], [258, short, 3, valuesAt]],
    ...[[259, short, 1, 1], [262, short, 1, 2], [273, long, strips, offsetsAt], [277, short, 1, 3]],
    ...[[278, long, 1, rows], [279, long, strips, lengthsAt]],
  ] // prettier-ignore
  const head = Buffer.alloc(pixelsAt)
  head.write('II*\0', 'latin1')
  head.writeUInt32LE(directoryAt, 4)
  head.writeUInt16LE(entries.length, directoryAt)
  for (const [i, [tag = 0, type = 0, count = 0, value = 0]] of entries.entries()) {
    const at = directoryAt + 2 + i * 12
    head.writeUInt16LE(tag, at)
    head.writeUInt16LE(type, at + 2)
    head.writeUInt32LE(count, at + 4)
    head.writeUInt32LE(value, at + 8)
  }
  for (let channel = 0; channel < 3; channel++) head.writeUInt16LE(8, valuesAt + 2 * channel)
  for (let strip = 0; strip < strips; strip++) {
    const length = rows * info.width * 3
    head.writeUInt32LE(pixelsAt + strip * length, offsetsAt + 4 * strip)
    head.writeUInt32LE(length, lengthsAt + 4 * strip)
  }
  return Buffer.concat([head, data])
}

/** A JPEG with a header that states 20,001×10,000 pixels. Its data holds fewer. */
export function hugeJpeg(jpeg: Buffer): Buffer {
  const huge = Buffer.from(jpeg)
  const frame = huge.indexOf(Buffer.from([0xff, 0xc0]))
  huge.writeUInt16BE(10_000, frame + 5)
  huge.writeUInt16BE(20_001, frame + 7)
  return huge
}

/** Three pictures: black, the photo, black. */
export async function animatedWebp(photo: Buffer): Promise<Buffer> {
  return sharp(await framesOf(photo), { join: { animated: true } })
    .webp({ quality: 90, loop: 0 })
    .toBuffer()
}

export async function animatedGif(photo: Buffer): Promise<Buffer> {
  return sharp(await framesOf(photo), { join: { animated: true } })
    .gif()
    .toBuffer()
}

export const animatedPng = (photo: Buffer, path: string) => animated(photo, path, ['-f', 'apng'])

export const animatedAvif = (photo: Buffer, path: string) =>
  animated(photo, path, ['-c:v', 'libaom-av1', '-cpu-used', '8', '-crf', '20', '-f', 'avif'])

/** @param path base name of the temporary files for ffmpeg @param encoding its options */
async function animated(photo: Buffer, path: string, encoding: readonly string[]): Promise<Buffer> {
  const files = (await framesOf(photo)).map((bytes, k) => {
    writeFileSync(`${path}-${k}.png`, bytes)
    return `${path}-${k}.png`
  })
  await ffmpeg('-framerate', '5', '-i', `${path}-%d.png`, ...encoding, `${path}.animated`)
  const bytes = readFileSync(`${path}.animated`)
  for (const file of [...files, `${path}.animated`]) rmSync(file)
  return bytes
}

async function framesOf(photo: Buffer): Promise<Buffer[]> {
  const { width, height } = await sharp(photo).metadata()
  const black = await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .png()
    .toBuffer()
  const still = await png(photo)
  return [black, still, black]
}

/** Fills 2^`doublings` squares from a few bytes: drawing them takes seconds. */
export function nestedSvg(doublings = 20): string {
  const groups = Array.from(
    { length: doublings },
    (_, k) => `<g id="g${k + 1}"><use href="#g${k}"/><use href="#g${k}"/></g>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><defs><rect id="g0" width="9" height="9"/>${groups.join('')}</defs><use href="#g${doublings}"/></svg>`
}

/** What may stand before or around a valid SVG drawing. */
export function svgFiles(): Record<string, Buffer> {
  const svg = nestedSvg()
  const before =
    '<?xml version="1.0"?>\n<!-- by a program -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">\n'
  const utf16 = Buffer.from(`\ufeff${svg}`, 'utf16le')
  return {
    'plain.svg': Buffer.from(svg),
    'mark.svg': Buffer.from(`\ufeff${svg}`),
    'doctype.svg': Buffer.from(`${before}<!-- ${'x'.repeat(5000)} -->${svg}`),
    'prefixed.svg': Buffer.from('<a:svg xmlns:a="http://www.w3.org/2000/svg"/>'),
    'utf16le.svg': utf16,
    'utf16be.svg': Buffer.from(utf16).swap16(),
    'photo.jpg': Buffer.from(`\n\n${svg}`),
  }
}

/** Files that are not photos, each with the expected message. */
export function noPhotos(): Record<string, readonly [Buffer, RegExp]> {
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08free', 'latin1')
  return {
    'empty.jpg': [Buffer.alloc(0), /is empty \(0 bytes\)/],
    'notes.jpg': [Buffer.from('no photo\n'), /is a text file/],
    'page.jpg': [Buffer.from('<!doctype html><title>404</title>'), /is a web page/],
    'drawing.svgz': [gzipSync(nestedSvg()), /gzip/],
    'paper.pdf': [Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n'), /another kind of file \(PDF\)/],
    'film.exr': [Buffer.from('\x76\x2f\x31\x01\x02\0\0\0channels\0', 'latin1'), /not a photo/],
    'stars.fits': [Buffer.from(`SIMPLE  =                    T${' '.repeat(2851)}`), /not a photo/],
    'lab.mat': [Buffer.from(`MATLAB 5.0 MAT-file${' '.repeat(105)}\0\x01IM`, 'latin1'), /not a photo/],
    'old.bmp': [Buffer.from('BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0', 'latin1'), /unsupported format \(BMP\)/],
    'song.mp3': [Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1'), Buffer.from('\xff\xfb\x90\x44', 'latin1')]), /is an audio file/],
    'phone.heic': [heic, /HEIC photo, which cannot be decoded here/],
    'noise.jpg': [deflateRawSync(Buffer.from('y'.repeat(9))), /file of an unknown kind/],
  } // prettier-ignore
}
