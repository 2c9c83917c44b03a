import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, openSync, readFileSync, writeSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { summariseCoverage, type CoverageSum } from '../../index/coverage/sum-coverage.js'
import { checkDeeply } from '../../index/archive/deep-check.js'
import { referencesOf } from '../../index/identities/identities.js'
import { searchClips } from '../../index/search/search-clips.js'
import type { Damage } from '../../index/store/damage.js'
import { databaseFileName, sqliteError } from '../../index/store/database.js'
import type { Database } from '../../index/store/sqlite.js'
import { poolEmbeddings } from '../../pipeline/describe/pool.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { temporaryDir } from '../support/cameo.js'
import { seededRandom } from '../support/random.js'
import { storeClips, storedDimension } from '../support/stored-clips.js'
import type { ClipMatch } from '../../index/search/clip-match.js'

const dir = temporaryDir()
const pageBytes = 8192
const flips = Number(process.env.CAMEO_TEST_FLIPS ?? 120)

interface Answer {
  readonly matches: readonly ClipMatch[]
  readonly damage: readonly Damage[]
  readonly coverage: CoverageSum
}

/** As `cameo search --name` answers; an error's code where it cannot. */
async function searchAs(name: string, of: string): Promise<Answer | string> {
  return codeOf(of, async (archive) => {
    const { database, recipe } = archive
    if (recipe === undefined) return 'ARCHIVE_MISSING'
    const damage: Damage[] = []
    const faces = referencesOf(database, name, recipe.embedderDigest, [], (found) => damage.push(found))
    const index = await openArchiveIndex(archive)
    const options = { top: 20, minScore: 0.4 }
    const answer = await searchClips(archive, index, poolEmbeddings(faces, storedDimension), options)
    await index.close()
    const coverage = summariseCoverage(archive)
    return { matches: answer.matches, damage: [...damage, ...answer.damage], coverage }
  })
}

async function codeOf<T>(of: string, work: (archive: Archive) => Promise<T> | T): Promise<T | string> {
  let archive: Archive | undefined
  try {
    archive = openArchive(of)
    return await work(archive)
  } catch (error) {
    const known = sqliteError(of, error) ?? error
    if (known instanceof CameoError) return known.code
    throw error
  } finally {
    archive?.close()
  }
}

/** Every row of every table as it is stored, without the counters of SQLite itself; what cannot be read is so, too. */
function dumpOf(of: string): Promise<string> {
  return codeOf(of, ({ database }) => {
    const tables = database
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
      )
      .pluck()
      .all()
    return tables.map((table) => `${table}\n${rowsOf(database, table)}`).join('\n')
  })
}

const rowsOf = (database: Database, table: string): string =>
  database
    .prepare<[], Record<string, unknown>>(`SELECT * FROM ${table} NOT INDEXED`)
    .all()
    .map((row) =>
      JSON.stringify(
        Object.entries(row).map(([name, v]) => [name, Buffer.isBuffer(v) ? v.toString('hex') : v]),
      ),
    )
    .join('\n')

/** Offsets of the bytes that say something, of the pages that hold rows or entries of an index (SQLite's file format, 1.6). */
function bytesInUse(file: string): number[] {
  const bytes = readFileSync(file)
  const used: number[] = []
  for (let page = 0; page < bytes.length; page += pageBytes) {
    const header = page === 0 ? 100 : page
    if (![0x0d, 0x0a].includes(bytes[header] ?? 0)) continue
    const endOfPointers = header + 8 + 2 * bytes.readUInt16BE(header + 3)
    const cells = page + bytes.readUInt16BE(header + 5)
    for (let at = header; at < page + pageBytes; at++) if (at < endOfPointers || at >= cells) used.push(at)
  }
  return used
}

/** Offsets of the last byte of each entry of an index: the lowest byte of the id to which it leads. */
function endsOfEntries(archiveDir: string, index: string): number[] {
  const bytes = readFileSync(join(archiveDir, databaseFileName))
  const archive = openArchive(archiveDir)
  const pages = archive.database
    .prepare<[string], number>("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'")
    .pluck()
    .all(index)
  archive.close()
  return pages.flatMap((number) => {
    const page = (number - 1) * pageBytes
    return Array.from({ length: bytes.readUInt16BE(page + 3) }, (_, i) => {
      const cell = page + bytes.readUInt16BE(page + 8 + 2 * i)
      const first = bytes[cell] ?? 0
      const [payload, start] = first < 128 ? [first, 1] : [((first & 127) << 7) | (bytes[cell + 1] ?? 0), 2]
      return cell + start + payload - 1
    })
  })
}

function flipBit(file: string, at: number, bit: number): void {
  const bytes = readFileSync(file)
  const handle = openSync(file, 'r+')
  writeSync(handle, Uint8Array.of((bytes[at] ?? 0) ^ (1 << bit)), 0, 1, at)
  closeSync(handle)
}

/** Without a word the answer is the whole one; what is told of may be missing, and nothing else may differ. */
function assertHonest(answer: Answer | string, whole: Answer, what: string): void {
  if (typeof answer === 'string') {
    assert.equal(answer, 'ARCHIVE_DAMAGED', what)
    return
  }
  if (answer.damage.length === 0) assert.deepEqual(answer.coverage, whole.coverage, what)
  const told = new Set(answer.damage.flatMap(({ clipId }) => clipId ?? []))
  const isAnyTold = answer.damage.some(({ clipId }) => clipId === undefined)
  for (const match of whole.matches) {
    const found: ClipMatch | undefined = answer.matches.find(({ clipId }) => clipId === match.clipId)
    if (told.has(match.clipId) || (isAnyTold && found === undefined)) assertPart(found, match, what)
    else assert.deepEqual(found, match, what)
  }
  assert.ok(
    answer.matches.every(({ clipId }) => whole.matches.some((match) => match.clipId === clipId)),
    what,
  )
}

/** Times of it are times of the whole. */
function assertPart(
  found: ClipMatch | undefined,
  { path, durationS, ranges }: ClipMatch,
  what: string,
): void {
  if (found === undefined) return
  assert.deepEqual([found.path, found.durationS], [path, durationS], what)
  for (const { startS, endS } of found.ranges)
    assert.ok(
      ranges.some((range) => range.startS <= startS && endS <= range.endS),
      what,
    )
}

describe('a flipped bit in the archive', () => {
  it('never changes an answer without a notice, and the deep check finds every changed row', async () => {
    const archive = join(dir, 'archive')
    storeClips(archive, 6).close()
    const file = join(archive, databaseFileName)
    const bytes = bytesInUse(file)
    const names = ['Ada', 'Bea']
    const whole = new Map<string, Answer>()
    for (const name of names) {
      const answer = await searchAs(name, archive)
      assert.ok(typeof answer !== 'string' && answer.matches.length === 2 && answer.damage.length === 0)
      whole.set(name, answer)
    }
    const before = await dumpOf(archive)
    const random = seededRandom(Number(process.env.CAMEO_TEST_SEED ?? 4))
    let [changed, told] = [0, 0]
    for (let flip = 0; flip < flips; flip++) {
      const copy = join(dir, `flip ${flip % 2}`)
      mkdirSync(copy, { recursive: true })
      const damaged = join(copy, databaseFileName)
      copyFileSync(file, damaged)
      const at = bytes[Math.floor(random() * bytes.length)] ?? 0
      const bit = Math.floor(random() * 8)
      flipBit(damaged, at, bit)
      const what = `bit ${bit} of byte ${at}`
      const isChanged = (await dumpOf(copy)) !== before
      const state = await codeOf(copy, ({ database }) => {
        const { damage, structure } = checkDeeply(database)
        database.exec('DELETE FROM damaged_clips')
        return damage.length + structure.length
      })
      if (isChanged) assert.notEqual(state, 0, `${what}: a changed row is not noticed`)
      for (const name of names) {
        const answer = await searchAs(name, copy)
        assertHonest(answer, whole.get(name)!, what)
        if (typeof answer === 'string' || answer.damage.length > 0) told++
      }
      if (isChanged) changed++
    }
    assert.ok(
      changed > flips / 2 && told > flips / 8,
      `${changed} of ${flips} flips changed a row, ${told} were told`,
    )
  })

  it('never gives a row in place of another where an index leads to a wrong one', async () => {
    const archive = join(dir, 'archive of indexes')
    // Of few clips, so that a bit leads to another row and not to none; the ids of a track's faces differ by one bit.
    const stored = storeClips(archive, 2)
    stored.database.pragma('foreign_keys = OFF')
    for (const table of ['faces', 'embeddings'])
      stored.database.exec(`UPDATE ${table} SET face_id = face_id + 1001`)
    stored.close()
    const file = join(archive, databaseFileName)
    const indexes = ['sqlite_autoindex_tracks_1', 'faces_track', 'descriptors_track', 'reference_faces_identity'] // prettier-ignore
    const whole = await searchAs('Ada', archive)
    assert.ok(typeof whole !== 'string')
    const copy = join(dir, 'wrong entry')
    mkdirSync(copy)
    const damaged = join(copy, databaseFileName)
    for (const index of indexes) {
      const ends = endsOfEntries(archive, index)
      assert.ok(ends.length >= 2, index)
      let told = 0
      for (const [at, bit] of ends.flatMap((end) => [0, 1, 2, 3].map((each) => [end, each] as const))) {
        copyFileSync(file, damaged)
        flipBit(damaged, at, bit)
        const answer = await searchAs('Ada', copy)
        assertHonest(answer, whole, `${index}: bit ${bit} of byte ${at}`)
        if (typeof answer === 'string' || answer.damage.length > 0) told++
      }
      assert.ok(told > 0, `no wrong entry of ${index} was told`)
    }
  })
})
