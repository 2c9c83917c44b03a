import { CameoError } from '../../../pipeline/common/errors.js'
import { ByteReader, DamagedFile } from './byte-reader.js'
import { readPickle } from './pickle.js'
import { itemsOf, NumpyArray, type PickleValue } from './pickle-values.js'
import { counted } from '../../../pipeline/common/counted.js'

export interface ImageBin {
  /** Encoded aligned faces (JPEG or PNG): images 2p and 2p + 1 are pair p. */
  readonly images: readonly Uint8Array[]
  /** For each pair: true if both images show the same person. */
  readonly isSame: readonly boolean[]
}

/**
 * Reads a `.bin` file of InsightFace (LFW, CFP-FP, AgeDB, CALFW, CPLFW): a pickled pair of encoded images and
 * same/different flags. Reads the whole file into memory, about 100 MB.
 * @throws FEATURES_INVALID
 */
export function readImageBin(path: string): ImageBin {
  const reader = new ByteReader(path)
  try {
    const next = readPickle(reader).next()
    const value = next.done === true ? next.value : null
    const [images, flags] = itemsOf(value) ?? []
    const bin = { images: itemsOf(images)?.map(bytesOf) ?? [], isSame: flagsOf(flags) }
    if (bin.images.length === 0 || bin.images.length !== 2 * bin.isSame.length)
      throw new DamagedFile(
        reader.offset,
        `it has ${counted(bin.images.length, 'image')} and ${counted(bin.isSame.length, 'pair')}, but two images per pair are needed`,
      )
    return bin
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error
    throw new CameoError(
      'FEATURES_INVALID',
      `${path} cannot be read as a .bin of face pairs at byte ${error.offset}: ${error.message}`,
      { cause: error },
    )
  } finally {
    reader.close()
  }

  function bytesOf(image: PickleValue, index: number): Uint8Array {
    if (image instanceof Uint8Array) return image
    if (image instanceof NumpyArray && image.dtype.itemBytes === 1) return image.data
    throw new DamagedFile(reader.offset, `image ${index + 1} is not an encoded image`)
  }

  function flagsOf(value: PickleValue | undefined): boolean[] {
    return (itemsOf(value) ?? []).map((flag, index) => {
      if (flag === true || flag === 1) return true
      if (flag === false || flag === 0) return false
      throw new DamagedFile(reader.offset, `flag ${index + 1} is neither true nor false`)
    })
  }
}
