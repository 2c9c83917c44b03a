import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { counted, pluralOf } from '../../../pipeline/common/counted.js'

/** Number of bytes read from the file at once. */
const chunkBytes = 1 << 20

/** Damage in a file at a byte offset. The reader of the format reports it as FEATURES_INVALID with the file name. */
export class DamagedFile extends Error {
  constructor(
    readonly offset: number,
    message: string,
  ) {
    super(message)
    this.name = 'DamagedFile'
  }
}

/** The source of a reader: a file, or bytes in memory. */
interface ByteSource {
  readonly size: number
  /** Fills `into` with bytes from `position` on. Returns the number of bytes read. */
  read(into: Uint8Array, position: number): number
  close(): void
}

/**
 * Reads a file sequentially, little-endian, with one chunk in memory. Synchronous, because one promise per value
 * would make a byte-wise format ten times slower.
 * @throws DamagedFile if the file ends early
 */
export class ByteReader {
  readonly size: number
  readonly #source: ByteSource
  /** A Uint8Array, because `slice` of a Buffer would be a view. */
  readonly #bytes = new Uint8Array(chunkBytes)
  readonly #chunk = Buffer.from(this.#bytes.buffer)
  /** Offset of the chunk's first byte in the file. */
  #chunkStart = 0
  #length = 0
  #at = 0

  /** @throws FEATURES_INVALID if there is no such file */
  constructor(from: string | Uint8Array) {
    this.#source = typeof from === 'string' ? openFile(from) : inMemory(from)
    this.size = this.#source.size
  }

  get offset(): number {
    return this.#chunkStart + this.#at
  }

  close(): void {
    this.#source.close()
  }

  uint8(): number {
    this.#need(1)
    return this.#chunk[this.#at++] ?? 0
  }

  uint16(): number {
    return this.#chunk.readUInt16LE(this.#take(2))
  }

  uint32(): number {
    return this.#chunk.readUInt32LE(this.#take(4))
  }

  int32(): number {
    return this.#chunk.readInt32LE(this.#take(4))
  }

  /** Reads a length. An impossible length counts as damage. */
  uint64(): number {
    const value = Number(this.#chunk.readBigUInt64LE(this.#take(8)))
    if (!Number.isSafeInteger(value)) throw new DamagedFile(this.offset - 8, `a length of ${value} bytes`)
    return value
  }

  /** Big-endian, as in pickles. */
  float64BigEndian(): number {
    return this.#chunk.readDoubleBE(this.#take(8))
  }

  /** A copy of the next `count` bytes. Checks the file size before it allocates memory. */
  bytes(count: number): Uint8Array {
    if (count <= this.#length - this.#at) {
      this.#at += count
      return this.#bytes.slice(this.#at - count, this.#at)
    }
    if (count > this.size - this.offset) this.#tooShort(count)
    const copy = new Uint8Array(count)
    let done = Math.min(count, this.#length - this.#at)
    copy.set(this.#chunk.subarray(this.#at, this.#at + done))
    this.#at += done
    while (done < count) {
      const got = this.#source.read(copy.subarray(done), this.offset)
      if (got === 0) this.#tooShort(count - done)
      done += got
      this.#chunkStart = this.offset + got
      this.#at = this.#length = 0
    }
    return copy
  }

  /** Reads ASCII text up to a line feed and skips the line feed. */
  line(maxBytes: number): string {
    const start = this.offset
    let text = ''
    for (let byte = this.uint8(); byte !== 0x0a; byte = this.uint8()) {
      text += String.fromCharCode(byte)
      if (text.length > maxBytes) throw new DamagedFile(start, `a line of more than ${maxBytes} bytes`)
    }
    return text
  }

  #take(count: number): number {
    this.#need(count)
    this.#at += count
    return this.#at - count
  }

  #need(count: number): void {
    if (this.#length - this.#at >= count) return
    this.#chunkStart = this.offset
    this.#chunk.copyWithin(0, this.#at, this.#length)
    this.#length -= this.#at
    this.#at = 0
    while (this.#length < count) {
      const got = this.#source.read(this.#chunk.subarray(this.#length), this.#chunkStart + this.#length)
      if (got === 0) this.#tooShort(count)
      this.#length += got
    }
  }

  #tooShort(count: number): never {
    throw new DamagedFile(
      this.offset,
      `the file ends after ${counted(this.size, 'byte')}, but ${count} more ${pluralOf(count, 'is', 'are')} needed`,
    )
  }
}

function openFile(path: string): ByteSource {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw new CameoError('FEATURES_INVALID', `${path} cannot be read (${messageOf(error)})`, {
      cause: error,
    })
  }
  return {
    size: fstatSync(file).size,
    read: (into, position) => readSync(file, into, 0, into.length, position),
    close: () => closeSync(file),
  }
}

function inMemory(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(into, position) {
      const part = bytes.subarray(position, position + into.length)
      into.set(part)
      return part.length
    },
    close: () => undefined,
  }
}
