import { CameoError } from '../../../pipeline/common/errors.js'
import type { BoxXyxyPx } from '../../../pipeline/data/geometry.js'
import { encodeFloat16 } from '../../../pipeline/data/float16.js'
import { ByteReader, DamagedFile } from './byte-reader.js'
import { readPickle } from './pickle.js'
import { numbersOf } from './numpy-dtype.js'
import { itemsOf, NumpyArray, PickleDict, type PickleValue } from './pickle-values.js'
import { counted } from '../../../pipeline/common/counted.js'

/** A row of an iQIYI-VID 2019 feature file. */
export interface PickledFace {
  readonly frame: number
  readonly boxXyxyPx: BoxXyxyPx
  /** 0..1. */
  readonly detectionScore: number
  /** About −30..200. */
  readonly quality: number
  /** Float16 bits, not normalised. */
  readonly embedding: Uint16Array
}

export interface PickledClip {
  /** As in the file, without ".mp4". */
  readonly name: string
  readonly faces: readonly PickledFace[]
}

export interface ClipPickleOptions {
  /** Called for each clip, for progress. */
  readonly onBytes?: ((bytes: number, totalBytes: number) => void) | undefined
}

/**
 * The clips of an iQIYI-VID 2019 feature file: a pickled dict from the video's name to a list of rows `[frame, [x1,
 * y1, x2, y2], detection score, quality, float16 × d]`. Only one clip is in memory at a time. The rows are checked
 * without zod, because there are millions of them.
 * @throws FEATURES_INVALID, with the file, the byte and the number of clips read
 */
export function* readClipPickle(path: string, options: ClipPickleOptions = {}): Generator<PickledClip> {
  const reader = new ByteReader(path)
  let clips = 0
  try {
    const entries = readPickle(reader)
    for (;;) {
      const next = entries.next()
      if (next.done === true) {
        if (next.value instanceof PickleDict) return
        throw new DamagedFile(reader.offset, 'it is not a dict from video names to faces')
      }
      const clip = clipOf(next.value.key, next.value.value, reader.offset)
      clips++
      options.onBytes?.(reader.offset, reader.size)
      yield clip
    }
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error
    throw new CameoError(
      'FEATURES_INVALID',
      `${path} cannot be read as features at byte ${error.offset}, after ${counted(clips, 'clip')}: ${error.message}`,
      { cause: error },
    )
  } finally {
    reader.close()
  }
}

function clipOf(key: PickleValue, value: PickleValue, offset: number): PickledClip {
  const name = key instanceof Uint8Array ? Buffer.from(key).toString('utf8') : key
  if (typeof name !== 'string' || name === '') throw new DamagedFile(offset, 'a key that is not a video name')
  const rows = itemsOf(value)
  if (rows === undefined) throw new DamagedFile(offset, `the clip ${name} has no list of faces`)
  const faces = rows.map((row, i) => {
    const face = faceOf(row)
    if (typeof face !== 'string') return face
    throw new DamagedFile(offset, `face ${i + 1} of the clip ${name} has ${face}`)
  })
  return { name, faces }
}

/** Returns the face, or a description of what is wrong. */
function faceOf(row: PickleValue): PickledFace | string {
  const [frame, box, detectionScore, quality, array, ...more] = itemsOf(row) ?? []
  if (array === undefined || more.length > 0)
    return 'not the five columns frame, box, detection score, quality and features'
  const [x1, y1, x2, y2] = coordinatesOf(box)
  if (!isFiniteNumber(frame)) return 'no frame number'
  if (x1 === undefined || y1 === undefined || x2 === undefined || y2 === undefined)
    return 'no box x1, y1, x2, y2'
  if (!isFiniteNumber(detectionScore)) return 'no finite detection score'
  if (!isFiniteNumber(quality)) return 'no finite quality'
  if (!(array instanceof NumpyArray) || !array.dtype.isNumber || array.dtype.type === 'b')
    return 'no array of numbers for features'
  const embedding = halvesOf(array)
  if (embedding.length === 0) return 'empty features'
  if (!areFiniteHalves(embedding)) return 'a feature that is not finite in half precision'
  return { frame, boxXyxyPx: [x1, y1, x2, y2], detectionScore, quality, embedding }
}

function coordinatesOf(box: PickleValue | undefined): number[] {
  return (box instanceof NumpyArray ? box.values() : (itemsOf(box) ?? [])).filter(isFiniteNumber)
}

function isFiniteNumber(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function halvesOf({ dtype, data }: NumpyArray): Uint16Array {
  if (dtype.type === 'f' && dtype.itemBytes === 2 && dtype.littleEndian)
    return data.byteLength === data.buffer.byteLength
      ? new Uint16Array(data.buffer)
      : new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))
  return encodeFloat16(Float32Array.from(numbersOf(dtype, data)))
}

/** Infinities and NaN have an exponent of all ones. A plain loop: this runs over every value of tens of GB. */
export function areFiniteHalves(bits: Uint16Array): boolean {
  for (let i = 0; i < bits.length; i++) if (((bits[i] ?? 0) & 0x7c00) === 0x7c00) return false
  return true
}
