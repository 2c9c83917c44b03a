import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { CameoError } from '../../../pipeline/common/errors.js'

/**
 * The index file of hnswlib: a header, one record per vector (links of the base layer, vector, label), then for each
 * vector the length of its upper-layer links and the links (`saveIndex` in hnswalg.h). Numbers are little-endian.
 */
export interface HnswLayout {
  readonly dimension: number
  /** Number of links per vector in each layer. The base layer has room for twice as many. */
  readonly m: number
  readonly efConstruction: number
}

export interface FileSeal {
  readonly bytes: number
  /** SHA-256 of the whole file, hex. */
  readonly sha256: string
}

/** Called for each vector of the file. `vector` is only valid during the call. */
export type RecordVisitor = (label: number, vector: Float32Array, erased: boolean) => void

const headerBytes = 96

/** Byte offsets of header fields. Each field is a size_t of 8 bytes. */
const headerAt = { count: 16, recordBytes: 24, labelOffset: 32, vectorOffset: 40, m: 72, efConstruction: 88 }

/** Third byte of a record: hnswlib stores the mark of `markDelete` above the 16-bit link count. */
const deleteMarkOffset = 2
const deleteMark = 1

const chunkBytes = 8 * 1024 * 1024

/**
 * Reads back a file that hnswlib has just written (hnswlib reports no errors), overwrites the vectors of erased
 * labels with zeros, and flushes the file to disk.
 * @throws SNAPSHOT_DAMAGED if the file is truncated
 */
export async function sealHnswFile(file: string, layout: HnswLayout): Promise<FileSeal> {
  const { labelOffset, vectorOffset } = recordLayout(layout)
  return overFile(file, 'r+', layout, (record) => {
    if (!isErased(record)) return false
    record.fill(0, vectorOffset, labelOffset)
    return true
  })
}

/**
 * Calls `visit` for every vector of a file and computes the digest.
 * @throws SNAPSHOT_DAMAGED if the file has another layout
 */
export async function readHnswFile(
  file: string,
  layout: HnswLayout,
  visit: RecordVisitor,
): Promise<FileSeal> {
  const { labelOffset, vectorOffset } = recordLayout(layout)
  const vector = new Float32Array(layout.dimension)
  const bytes = new Uint8Array(vector.buffer)
  return overFile(file, 'r', layout, (record) => {
    bytes.set(record.subarray(vectorOffset, labelOffset))
    visit(record.readUInt32LE(labelOffset), vector, isErased(record))
    return false
  })
}

function isErased(record: Buffer): boolean {
  return ((record[deleteMarkOffset] ?? 0) & deleteMark) !== 0
}

function recordLayout(layout: HnswLayout): {
  vectorOffset: number
  labelOffset: number
  recordBytes: number
} {
  const vectorOffset = 4 + 4 * 2 * layout.m
  const labelOffset = vectorOffset + 4 * layout.dimension
  return { vectorOffset, labelOffset, recordBytes: labelOffset + 8 }
}

/** Calls `change` with every record. If `change` returns true, the record is written back. Flushes the file. */
async function overFile(
  file: string,
  flags: 'r' | 'r+',
  layout: HnswLayout,
  change: (record: Buffer) => boolean,
): Promise<FileSeal> {
  const handle = await open(file, flags)
  try {
    const { size } = await handle.stat()
    const hash = createHash('sha256')
    const header = await readExactly(handle, Buffer.alloc(headerBytes), 0, file)
    hash.update(header)
    checkHeader(header, layout, file)
    const { recordBytes } = recordLayout(layout)
    const count = Number(header.readBigUInt64LE(headerAt.count))
    const recordsEnd = headerBytes + count * recordBytes
    if (size < recordsEnd) throw damaged(file, 'is truncated')

    const chunk = Buffer.alloc(Math.max(1, Math.floor(chunkBytes / recordBytes)) * recordBytes)
    for (let position = headerBytes; position < recordsEnd; position += chunk.length) {
      const length = Math.min(chunk.length, recordsEnd - position)
      const records = await readExactly(handle, chunk.subarray(0, length), position, file)
      let changed = false
      for (let start = 0; start < length; start += recordBytes)
        changed = change(records.subarray(start, start + recordBytes)) || changed
      if (changed) await handle.write(records, 0, length, position)
      hash.update(records)
    }

    const upperLinks = await readExactly(handle, Buffer.alloc(size - recordsEnd), recordsEnd, file)
    hash.update(upperLinks)
    if (!holdsUpperLinks(upperLinks, count)) throw damaged(file, 'is truncated')
    if (flags === 'r+') await handle.sync()
    return { bytes: size, sha256: hash.digest('hex') }
  } finally {
    await handle.close()
  }
}

function checkHeader(header: Buffer, layout: HnswLayout, file: string): void {
  const expected = { ...recordLayout(layout), m: layout.m, efConstruction: layout.efConstruction }
  for (const field of ['recordBytes', 'labelOffset', 'vectorOffset', 'm', 'efConstruction'] as const)
    if (Number(header.readBigUInt64LE(headerAt[field])) !== expected[field])
      throw damaged(file, 'has another dimension or other settings')
}

function holdsUpperLinks(bytes: Buffer, count: number): boolean {
  let position = 0
  for (let i = 0; i < count; i++) {
    if (position + 4 > bytes.length) return false
    position += 4 + bytes.readUInt32LE(position)
  }
  return position === bytes.length
}

async function readExactly(
  handle: FileHandle,
  target: Buffer,
  position: number,
  file: string,
): Promise<Buffer> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done)
    if (bytesRead === 0) throw damaged(file, 'is truncated')
    done += bytesRead
  }
  return target
}

function damaged(file: string, what: string): CameoError {
  return new CameoError('SNAPSHOT_DAMAGED', `the index file ${file} ${what}`)
}
