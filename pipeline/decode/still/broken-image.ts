import type { PictureFormat } from './image-content.js'

/** Whether a picture's file ends before the picture does, as far as its structure shows. */
export function endsEarly(format: PictureFormat, bytes: Buffer): boolean {
  switch (format) {
    case 'jpeg':
      return lacksJpegEnd(bytes)
    case 'png':
      return !bytes.includes('IEND')
    case 'gif':
      return bytes.at(-1) !== gifEnd
    case 'webp':
      return riffEnd(bytes) > bytes.length
    case 'heif':
      return boxesEnd(bytes) > bytes.length
    case 'tiff':
      return directoryAt(bytes) >= bytes.length
  }
}

/** Compares the markers of the scan's start and of the end; those of an embedded thumbnail come before both. */
function lacksJpegEnd(bytes: Buffer): boolean {
  const end = bytes.lastIndexOf('\xff\xd9', undefined, 'latin1')
  return end < 0 || end < bytes.lastIndexOf('\xff\xda', undefined, 'latin1')
}

const gifEnd = 0x3b

/** Length of a RIFF file according to its header, in bytes; chunks are padded to whole words. */
const riffEnd = (bytes: Buffer) => (bytes.length < 8 ? Infinity : bytes.readUInt32LE(4) + 8)

/** Length of an MP4-like file according to its boxes, in bytes. */
function boxesEnd(bytes: Buffer): number {
  let at = 0
  while (at + 16 <= bytes.length) {
    const short = bytes.readUInt32BE(at)
    if (short === 0) return bytes.length
    const length = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short
    if (length < 8) return at
    at += length
  }
  return at
}

/** Offset of a TIFF's directory, which often comes after the pixels. */
function directoryAt(bytes: Buffer): number {
  if (bytes.length < 16) return Infinity
  const isLittle = bytes[0] === 0x49
  const isBig = bytes[isLittle ? 2 : 3] === 0x2b
  if (isBig) return Number(isLittle ? bytes.readBigUInt64LE(8) : bytes.readBigUInt64BE(8))
  return isLittle ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4)
}

/** Number of bytes that a WebP decoder may read past the end of the data before it stops. */
const paddingBytes = 1 << 20

const chunkHeader = 8
const firstChunk = 12

/**
 * Completes a WebP file that was cut off: libwebp does not open a file with chunks that are longer than the file. An
 * animation keeps its complete pictures. The data of a single picture are extended with zeros, which decode to
 * something.
 */
export function completedWebp(bytes: Buffer): Buffer {
  let at = firstChunk
  let lastWhole = firstChunk
  let hasFrame = false
  while (at + chunkHeader <= bytes.length) {
    const length = bytes.readUInt32LE(at + 4)
    const end = at + chunkHeader + length + (length % 2)
    if (end > bytes.length) break
    hasFrame ||= bytes.toString('latin1', at, at + 4) === 'ANMF'
    at = lastWhole = end
  }
  const isWithinChunk = at + chunkHeader <= bytes.length
  const whole =
    hasFrame || !isWithinChunk
      ? Buffer.from(bytes.subarray(0, lastWhole))
      : Buffer.concat([bytes, Buffer.alloc(paddingBytes - (bytes.length % 2))])
  if (!hasFrame && isWithinChunk) whole.writeUInt32LE(whole.length - at - chunkHeader, at + 4)
  whole.writeUInt32LE(whole.length - chunkHeader, 4)
  return whole
}
