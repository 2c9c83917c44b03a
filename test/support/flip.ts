import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseFileName, openDatabase } from '../../index/store/database.js'

/** The bytes of an archive's file, with an empty log. */
export function bytesOf(archiveDir: string): Buffer {
  openDatabase(archiveDir).close()
  return readFileSync(join(archiveDir, databaseFileName))
}

/** Flips a bit of the `at`th byte of a value in the archive's file. No trigger or checksum is updated. */
export function flipStored(archiveDir: string, value: Uint8Array, at: number, bit: number): void {
  const bytes = bytesOf(archiveDir)
  const place = placeOf(bytes, value) + at
  bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
  writeFileSync(join(archiveDir, databaseFileName), bytes)
}

/** Flips the lowest bit of the last byte in the first page of a table or index with only one page. */
export function flipLastOf(archiveDir: string, name: string): void {
  const database = openDatabase(archiveDir)
  const page = database
    .prepare<[string], { pageno: number; pgsize: number }>('SELECT pageno, pgsize FROM dbstat WHERE name = ?')
    .get(name)
  database.close()
  if (page === undefined) throw new Error(`there is no ${name}`)
  const bytes = bytesOf(archiveDir)
  const place = page.pageno * page.pgsize - 1
  bytes[place] = (bytes[place] ?? 0) ^ 1
  writeFileSync(join(archiveDir, databaseFileName), bytes)
}

/** Exchanges two stored values of equal length. */
export function swapStored(archiveDir: string, a: Uint8Array, b: Uint8Array): void {
  const bytes = bytesOf(archiveDir)
  const [placeOfA, placeOfB] = [placeOf(bytes, a), placeOf(bytes, b)]
  bytes.set(b, placeOfA)
  bytes.set(a, placeOfB)
  writeFileSync(join(archiveDir, databaseFileName), bytes)
}

/** The place of a value that is stored once. */
function placeOf(bytes: Buffer, value: Uint8Array): number {
  const place = bytes.indexOf(value)
  if (place < 0 || bytes.indexOf(value, place + 1) >= 0)
    throw new Error('the value is not stored exactly once')
  return place
}
