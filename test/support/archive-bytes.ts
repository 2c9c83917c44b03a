import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openArchive } from '../../index/archive/open-archive.js'
import { temporaryDir } from './cameo.js'

/** Every value about faces that an archive stores, as bytes. */
export function faceBytes(archive: string): Buffer[] {
  const opened = openArchive(archive)
  try {
    return [
      'SELECT vector FROM embeddings',
      'SELECT vector FROM descriptors',
      'SELECT vector FROM reference_faces',
      'SELECT jpeg FROM reference_pictures',
      'SELECT jpeg FROM thumbnails',
      'SELECT vector FROM context_features',
      'SELECT message FROM pending_parts',
      'SELECT bytes FROM checkpoints',
    ].flatMap((sql) => opened.database.prepare<[], Buffer>(sql).pluck().all())
  } finally {
    opened.close()
  }
}

/**
 * Number of values that occur in the archive's files, searched by 32 bytes from their middle. Another process
 * copies the files before the search, because a process that closes a file loses the locks of its connections
 * on it.
 */
export function countInFiles(archive: string, values: readonly Buffer[]): number {
  const copies = temporaryDir()
  execFileSync('cp', ['-r', archive, copies])
  const files = readdirSync(copies, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  return values.filter((value) => {
    const middle = value.subarray(value.length >> 1, (value.length >> 1) + 32)
    return files.some((bytes) => bytes.includes(middle))
  }).length
}
