import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { CameoError } from '../pipeline/errors.js'

/**
 * What hnswlib's index file says of itself. The file is this header, one record a vector (links of the base layer,
 * vector, label), then for each vector the length of its upper-layer links and the links (`saveIndex` in hnswalg.h).
 * All numbers are little-endian.
 */
export interface HnswHeader {
  readonly count: number
  readonly recordBytes: number
  /** Offset of the vector in a record, and of the label behind it. */
  readonly vectorOffset: number
  readonly labelOffset: number
  readonly m: number
  readonly maxLinks: number
  readonly efConstruction: number
}

export const hnswHeaderBytes = 96

/** Byte offsets of the header's fields; size_t is 8 bytes. */
const at = {
  count: 16,
  recordBytes: 24,
  labelOffset: 32,
  vectorOffset: 40,
  maxLinks: 64,
  m: 72,
  efConstruction: 88,
} as const

/** Third byte of a record: hnswlib keeps the mark of `markDelete` above the 16-bit link count. */
const deleteMarkOffset = 2
const deleteMark = 1

const chunkBytes = 8 * 1024 * 1024

export interface FileSeal {
  readonly bytes: number
  /** Of the whole file, hex. */
  readonly sha256: string
}

function parseHeader(buffer: Buffer): HnswHeader {
  const read = (offset: number): number => Number(buffer.readBigUInt64LE(offset))
  return {
    count: read(at.count),
    recordBytes: read(at.recordBytes),
    labelOffset: read(at.labelOffset),
    vectorOffset: read(at.vectorOffset),
    maxLinks: read(at.maxLinks),
    m: read(at.m),
    efConstruction: read(at.efConstruction),
  }
}

/** The header of an HNSW file. Throws SNAPSHOT_DAMAGED where the file is shorter than one. */
export async function readHnswHeader(file: string): Promise<HnswHeader> {
  const handle = await open(file, 'r')
  try {
    return await headerOf(handle, file)
  } finally {
    await handle.close()
  }
}

async function headerOf(handle: FileHandle, file: string): Promise<HnswHeader> {
  const buffer = Buffer.alloc(hnswHeaderBytes)
  await readFully(handle, buffer, 0, file)
  return parseHeader(buffer)
}

/**
 * In the bytes of an empty index (as hnswlib wrote it), room for `maxLinks` links a record in the base layer instead
 * of 2·M, which is all its constructor can set.
 */
export function widenEmptyIndex(bytes: Buffer, dimension: number, maxLinks: number): void {
  const vectorOffset = 4 + 4 * maxLinks
  const labelOffset = vectorOffset + 4 * dimension
  bytes.writeBigUInt64LE(BigInt(labelOffset + 8), at.recordBytes)
  bytes.writeBigUInt64LE(BigInt(labelOffset), at.labelOffset)
  bytes.writeBigUInt64LE(BigInt(vectorOffset), at.vectorOffset)
  bytes.writeBigUInt64LE(BigInt(maxLinks), at.maxLinks)
}

/**
 * Reads back a file that hnswlib has just written (it reports no errors itself), overwrites the vectors of erased
 * labels with zeros, and flushes it to disk. Throws SNAPSHOT_DAMAGED where the file is cut short.
 */
export async function sealHnswFile(file: string): Promise<FileSeal> {
  const handle = await open(file, 'r+')
  try {
    const { size } = await handle.stat()
    const hash = createHash('sha256')
    const head = Buffer.alloc(hnswHeaderBytes)
    await readFully(handle, head, 0, file)
    hash.update(head)
    const header = parseHeader(head)
    const recordsEnd = hnswHeaderBytes + header.count * header.recordBytes
    if (size < recordsEnd) throw cutShort(file)

    const recordsAtOnce = Math.max(1, Math.floor(chunkBytes / header.recordBytes))
    const chunk = Buffer.alloc(recordsAtOnce * header.recordBytes)
    for (let position = hnswHeaderBytes; position < recordsEnd; position += chunk.length) {
      const records = chunk.subarray(0, Math.min(chunk.length, recordsEnd - position))
      await readFully(handle, records, position, file)
      if (zeroErased(records, header)) await handle.write(records, 0, records.length, position)
      hash.update(records)
    }

    const upperLinks = Buffer.alloc(size - recordsEnd)
    await readFully(handle, upperLinks, recordsEnd, file)
    hash.update(upperLinks)
    if (!holdsUpperLinks(upperLinks, header.count)) throw cutShort(file)
    await handle.sync()
    return { bytes: size, sha256: hash.digest('hex') }
  } finally {
    await handle.close()
  }
}

function zeroErased(records: Buffer, header: HnswHeader): boolean {
  let changed = false
  for (let start = 0; start < records.length; start += header.recordBytes) {
    if (((records[start + deleteMarkOffset] ?? 0) & deleteMark) === 0) continue
    records.fill(0, start + header.vectorOffset, start + header.labelOffset)
    changed = true
  }
  return changed
}

function holdsUpperLinks(bytes: Buffer, count: number): boolean {
  let position = 0
  for (let i = 0; i < count; i++) {
    if (position + 4 > bytes.length) return false
    position += 4 + bytes.readUInt32LE(position)
  }
  return position === bytes.length
}

/** Size and SHA-256 of a file. */
export async function digestFile(file: string): Promise<FileSeal> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const hash = createHash('sha256')
    const chunk = Buffer.alloc(Math.min(chunkBytes, Math.max(1, size)))
    for (let position = 0; position < size; position += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, size - position))
      await readFully(handle, part, position, file)
      hash.update(part)
    }
    return { bytes: size, sha256: hash.digest('hex') }
  } finally {
    await handle.close()
  }
}

async function readFully(handle: FileHandle, target: Buffer, position: number, file: string): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done)
    if (bytesRead === 0) throw cutShort(file)
    done += bytesRead
  }
}

function cutShort(file: string): CameoError {
  return new CameoError(
    'SNAPSHOT_DAMAGED',
    `${file} is cut short: is the disk full? The archive itself is not harmed`,
  )
}
