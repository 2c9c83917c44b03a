import { open, stat } from 'node:fs/promises'
import { CameoError, messageOf } from '../../common/errors.js'
import type { RgbImage } from '../../data/image.js'
import { completedWebp, endsEarly } from './broken-image.js'
import { clipName } from '../../common/display-name.js'
import { imageLibrary } from '../../image/image-library.js'
import type { SizePx } from '../image-sizes.js'
import { contentHeadBytes, contentOf, type PictureFormat } from './image-content.js'

/** A decompression bomb is refused before it is decoded: the largest cameras have 200 megapixels. */
const maxPhotoPixels = 200_000_000

/** Limit of the file, which is read into memory: less than 3 bytes for each of those pixels. */
const maxPhotoBytes = 512 * 1024 * 1024

/** A time limit, because the size does not limit the decoding time. The largest photo takes a few seconds. */
const maxDecodeS = 60

const giveAnother = 'give a JPEG, PNG, WebP, GIF, AVIF or TIFF file'

export const unreadable = (name: string, why: string, cause?: unknown) =>
  new CameoError('IMAGE_UNREADABLE', `${name} ${why}`, cause === undefined ? {} : { cause })

/** All bytes of a photo's file. @throws IMAGE_UNREADABLE */
export async function readPhotoFile(path: string): Promise<Buffer> {
  const name = clipName(path)
  try {
    const status = await stat(path)
    if (status.isDirectory()) throw unreadable(name, `is a folder, not a photo: ${giveAnother}`)
    if (!status.isFile()) throw unreadable(name, `is a pipe or a device, not a file: ${giveAnother}`)
    if (status.size > maxPhotoBytes)
      throw unreadable(
        name,
        `is too large for a photo: it has ${status.size} bytes; the limit is ${maxPhotoBytes}`,
      )
    const file = await open(path, 'r')
    try {
      // Read no more than this, even if the file is growing.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(status.size), 0, status.size, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof CameoError) throw error
    throw unreadable(name, `cannot be read (${messageOf(error)}): check the path and its permissions`, error)
  }
}

/**
 * A photo's file, which may hold several pictures. A file that is cut off or damaged is decoded as far as possible, and
 * `notices` report it. Only formats that hold pixels are opened; the content decides, not the name.
 */
export class PictureFile {
  readonly #bytes: Buffer
  readonly #name: string
  readonly #format: PictureFormat
  readonly #isCutOff: boolean
  readonly #notices = new Set<string>()

  private constructor(bytes: Buffer, name: string, format: PictureFormat, isCutOff: boolean) {
    this.#bytes = bytes
    this.#name = name
    this.#format = format
    this.#isCutOff = isCutOff
  }

  /** @param name for messages @throws IMAGE_UNREADABLE; the message says what the file holds instead */
  static async open(file: Buffer, name: string): Promise<PictureFile> {
    if (file.length === 0) throw unreadable(name, `is empty (0 bytes): ${giveAnother}`)
    const content = await contentOf(file.subarray(0, contentHeadBytes))
    if (content.kind === 'other') throw unreadable(name, `is ${content.what}, not a photo: ${giveAnother}`)
    const { format, startsAt } = content
    const bytes = file.subarray(startsAt)
    const isCutOff = endsEarly(format, bytes)
    const isCompleted = isCutOff && format === 'webp'
    const picture = new PictureFile(isCompleted ? completedWebp(bytes) : bytes, name, format, isCutOff)
    if (startsAt > 0)
      picture.#notices.add(
        `${name} begins with ${startsAt} bytes that do not belong to the picture: they were skipped`,
      )
    if (isCompleted) picture.#tellDamage(undefined)
    return picture
  }

  /** Number of pictures that can be read one by one; 1 for an animated PNG or AVIF. @throws IMAGE_UNREADABLE */
  async count(): Promise<number> {
    const { pages = 1 } = await this.#metadata(0)
    return pages
  }

  /** Sentences about problems while the file was read. */
  get notices(): readonly string[] {
    return [...this.#notices]
  }

  /** Size of a picture as displayed. @param number from 0 @throws IMAGE_UNREADABLE, also if the picture is too large */
  async size(number: number): Promise<SizePx> {
    const { autoOrient } = await this.#metadata(number)
    const { width, height } = autoOrient
    if (width * height > maxPhotoPixels)
      throw unreadable(
        this.#name,
        `is too large: it has ${width}×${height} pixels, ${inThousands(width * height)} in all; the limit is ${inThousands(maxPhotoPixels)}: scale it down first`,
      )
    return { width, height }
  }

  /** A picture in RGB, turned as displayed and scaled to `size`. @param number from 0 @throws IMAGE_UNREADABLE */
  async rgb(number: number, size: SizePx): Promise<RgbImage> {
    try {
      return await this.#decode(number, size, 'warning')
    } catch (strict) {
      try {
        const image = await this.#decode(number, size, 'none')
        this.#tellDamage(strict)
        return image
      } catch (error) {
        throw this.#broken(error)
      }
    }
  }

  async #decode(number: number, size: SizePx, failOn: 'warning' | 'none'): Promise<RgbImage> {
    const sharp = await imageLibrary()
    const { data, info } = await sharp(this.#bytes, {
      ...{ failOn, page: number, limitInputPixels: maxPhotoPixels },
    })
      .timeout({ seconds: maxDecodeS })
      .autoOrient()
      .resize(size.width, size.height, { fit: 'fill' })
      .flatten({ background: '#808080' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) throw new Error(`${info.channels} channels instead of red, green and blue`)
    return { width: info.width, height: info.height, data }
  }

  async #metadata(number: number) {
    try {
      const sharp = await imageLibrary()
      return await sharp(this.#bytes, { failOn: 'none', page: number, limitInputPixels: false }).metadata()
    } catch (error) {
      throw this.#broken(error)
    }
  }

  #tellDamage(cause: unknown): void {
    this.#notices.add(
      this.#isCutOff
        ? `${this.#name} is cut off: only the part that exists was processed`
        : `${this.#name} is damaged (${firstWords(cause)}): only the part that can be read was processed`,
    )
  }

  #broken(cause: unknown): CameoError {
    const format = this.#format.toUpperCase()
    if (this.#isCutOff)
      return unreadable(
        this.#name,
        `is cut off: no part of such a ${format} file can be decoded; copy it again from its source`,
        cause,
      )
    if (this.#format === 'heif' && !this.#bytes.subarray(0, 64).includes('avi'))
      return unreadable(
        this.#name,
        `is a HEIC photo, which cannot be decoded here (${firstWords(cause)}): convert it to JPEG`,
        cause,
      )
    return unreadable(
      this.#name,
      `is a ${format} file that cannot be decoded (${firstWords(cause)}): ${giveAnother}`,
      cause,
    )
  }
}

const inThousands = (count: number) => count.toLocaleString('en-GB')

/** The first line of the message: libvips repeats it for every row. */
function firstWords(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  return line.slice(0, 160)
}
