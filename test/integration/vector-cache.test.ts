import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { openDatabase } from '../../index/store/database.js'
import type { Database } from '../../index/store/sqlite.js'
import { createDescriptorStore } from '../../index/store/descriptors.js'
import { vectorIndexBytes } from '../../index/vectors/hnsw/hnsw-memory.js'
import {
  openVectorCache,
  type VectorCache,
  type VectorCacheOptions,
} from '../../index/vectors/archive/cached-index.js'
import { createDirections, labelsOf } from '../support/vectors.js'

const dimension = 32
const spaceId = 1
const next = createDirections(dimension, 31)
/** Label n is vectors[n − 1]: the table is new. */
const vectors = Array.from({ length: 600 }, next)

let dir: string
let database: Database
let notices: string[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cameo-vectors-'))
  database = openDatabase(dir, { create: true })
  database.exec(`
    INSERT INTO clips (clip_id, size_bytes, added_at) VALUES ('clip', 1, '');
    INSERT INTO runs (clip_id, recipe, segments, cuttable, state) VALUES ('clip', 'recipe', 1, 1, 'working');
    INSERT INTO spaces (space_id, digest, dimension, description, active)
      VALUES (1, 'one', ${dimension}, '{}', 1), (2, 'two', ${dimension}, '{}', 0)`)
  const track = database.prepare(
    `INSERT INTO tracks (clip_id, recipe, segment, number, spans, samples, quality, provider)
     VALUES ('clip', 'recipe', 0, ?, '[]', 1, 1, 'cpu')`,
  )
  for (let i = 0; i < vectors.length; i++) track.run(i)
  notices = []
})

afterEach(() => {
  database.close()
  rmSync(dir, { recursive: true })
})

const indexDir = (): string => join(dir, 'vectors')
const files = (): string[] =>
  readdirSync(indexDir())
    .filter((name) => name !== 'snapshots.lock')
    .sort()
const hnswFile = (): string =>
  join(
    indexDir(),
    files().find((name) => name.endsWith('.hnsw'))!,
  )
const manifestFile = (): string => join(indexDir(), 'vectors-1.json')

/** The graph is used above 100 vectors here. */
const open = (options: Partial<VectorCacheOptions> = {}): Promise<VectorCache> =>
  openVectorCache({
    database,
    spaceId,
    dir: indexDir(),
    exactUpTo: 100,
    onNotice: (message) => notices.push(message),
    ...options,
  })

function insert(from: number, to: number): void {
  const store = createDescriptorStore(database)
  database.transaction(() => {
    for (let i = from; i < to; i++) store.insert(spaceId, i + 1, vectors[i]!)
  })()
}

const erase = (label: number): void => {
  database.prepare('DELETE FROM descriptors WHERE label = ?').run(label)
}

/** Every stored label is found by its own vector, and nothing else is. */
async function assertHolds(cache: VectorCache, labels: readonly number[]): Promise<void> {
  assert.equal(cache.size, labels.length)
  const found = await cache.search(
    labels.map((label) => vectors[label - 1]!),
    1,
  )
  for (const [i, label] of labels.entries()) assert.equal(found[i]![0]?.label, label)
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('opening', () => {
  it('an archive without vectors gives an empty index', async () => {
    const cache = await open()
    assert.deepEqual(await cache.search([vectors[0]!], 5), [[]])
    assert.deepEqual(notices, [])
    await cache.close()
  })

  it('a small archive gives exact search and writes no index file', async () => {
    insert(0, 100)
    const cache = await open()
    assert.equal(cache.stats().engine, 'exact')
    await assertHolds(cache, range(1, 100))
    assert.equal(await cache.snapshot(), false)
    await cache.close()
    assert.deepEqual(files(), [])
  })

  it('loads the snapshot and applies later changes, including erasures', async () => {
    insert(0, 300)
    await (await open()).close()
    assert.equal(files().length, 2)
    insert(300, 310)
    erase(7)
    erase(305)
    const cache = await open()
    assert.equal(cache.stats().engine, 'hnsw')
    await assertHolds(
      cache,
      range(1, 310).filter((label) => label !== 7 && label !== 305),
    )
    assert.deepEqual(notices, [])
    await cache.close()
  })

  it('excludes vectors of another space', async () => {
    insert(0, 150)
    createDescriptorStore(database).insert(2, 1, vectors[400]!)
    const cache = await open()
    assert.equal(cache.size, 150)
    assert.ok(!labelsOf((await cache.search([vectors[400]!], 150))[0]!).includes(151))
    await cache.close()
  })

  it('refuses an index that does not fit in memory, with the figure', async () => {
    insert(0, 200)
    const tooLarge = { code: 'INDEX_TOO_LARGE', message: /200 tracks needs 1 MB/ }
    await assert.rejects(open({ maxBytes: 1000 }), tooLarge)
    await (await open()).close()
    await assert.rejects(open({ maxBytes: 1000 }), tooLarge)
  })

  it('reports a missing space', async () => {
    await assert.rejects(open({ spaceId: 9 }), { code: 'ARCHIVE_DAMAGED', message: /space 9/ })
  })
})

describe('a snapshot that cannot be used is rebuilt from SQLite, with a notice', () => {
  const cases: Record<string, () => void> = {
    'a truncated file': () => writeFileSync(hnswFile(), readFileSync(hnswFile()).subarray(0, 20_000)),
    'an empty file': () => writeFileSync(hnswFile(), ''),
    'a flipped bit': () => {
      const bytes = readFileSync(hnswFile())
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(hnswFile(), bytes)
    },
    'a missing file': () => rmSync(hnswFile()),
    'a truncated manifest': () => writeFileSync(manifestFile(), readFileSync(manifestFile()).subarray(0, 50)),
    'an empty manifest': () => writeFileSync(manifestFile(), ''),
  }
  const manifestChanges: Record<string, unknown> = {
    formatVersion: 99,
    archiveId: 'another',
    spaceDigest: 'another recipe',
    dimension: 64,
    m: 8,
    efConstruction: 50,
    count: 299,
    lastChange: 1_000_000,
    bytes: 5,
    sha256: '0'.repeat(64),
    file: '../../outside.hnsw',
  }
  for (const [field, value] of Object.entries(manifestChanges))
    cases[`another ${field} in the manifest`] = () => {
      const manifest: unknown = JSON.parse(readFileSync(manifestFile(), 'utf8'))
      assert.ok(typeof manifest === 'object' && manifest !== null)
      writeFileSync(manifestFile(), JSON.stringify({ ...manifest, [field]: value }))
    }

  for (const [name, damage] of Object.entries(cases))
    it(name, async () => {
      insert(0, 300)
      await (await open()).close()
      damage()
      const cache = await open()
      assert.equal(notices.length, 1)
      assert.match(notices[0]!, /rebuilt/)
      await assertHolds(cache, range(1, 300))
      await cache.close()
      notices = []
      await (await open()).close()
      assert.deepEqual(notices, [])
      assert.equal(files().length, 2)
    })
})

describe('a crash while a snapshot is written leaves a usable one', () => {
  /** The folder after the first snapshot and after the second, which has ten vectors more. */
  async function twoStates(): Promise<{ old: string; fresh: string }> {
    insert(0, 300)
    await (await open()).close()
    cpSync(indexDir(), join(dir, 'old'), { recursive: true })
    insert(300, 310)
    await (await open()).close()
    cpSync(indexDir(), join(dir, 'fresh'), { recursive: true })
    rmSync(indexDir(), { recursive: true })
    cpSync(join(dir, 'old'), indexDir(), { recursive: true })
    return { old: join(dir, 'old'), fresh: join(dir, 'fresh') }
  }
  const dataOf = (folder: string): string => readdirSync(folder).find((name) => name.endsWith('.hnsw'))!

  const states: Record<string, (fresh: string) => void> = {
    'half of the data file': (fresh) => {
      const bytes = readFileSync(join(fresh, dataOf(fresh)))
      writeFileSync(join(indexDir(), `${dataOf(fresh)}.tmp`), bytes.subarray(0, bytes.length >> 1))
    },
    'the data file under its temporary name': (fresh) =>
      cpSync(join(fresh, dataOf(fresh)), join(indexDir(), `${dataOf(fresh)}.tmp`)),
    'the data file without a manifest': (fresh) =>
      cpSync(join(fresh, dataOf(fresh)), join(indexDir(), dataOf(fresh))),
    'half of the manifest': (fresh) => {
      cpSync(join(fresh, dataOf(fresh)), join(indexDir(), dataOf(fresh)))
      writeFileSync(`${manifestFile()}.tmp`, '{"formatVersion":1,')
    },
    'the new manifest, and the old data not yet removed': (fresh) =>
      cpSync(fresh, indexDir(), { recursive: true }),
  }
  for (const [name, crash] of Object.entries(states))
    it(name, async () => {
      const { fresh } = await twoStates()
      crash(fresh)
      const cache = await open()
      assert.deepEqual(notices, [])
      await assertHolds(cache, range(1, 310))
      insert(310, 311)
      assert.equal(await cache.snapshot(), true)
      assert.equal(files().length, 2, 'what was left over is gone')
      await cache.close()
    })
})

describe('erasing', () => {
  it('leaves the bytes of the vector in no file of the folder, and keeps the rest findable', async () => {
    insert(0, 300)
    const cache = await open()
    const bytes = Buffer.from(vectors[41]!.buffer)
    const holding = (): string[] =>
      files().filter((name) => readFileSync(join(indexDir(), name)).includes(bytes))
    assert.equal(holding().length, 1)
    writeFileSync(join(indexDir(), 'vectors-1-0.hnsw.tmp'), bytes)
    erase(42)
    assert.equal(await cache.snapshot(), true)
    assert.deepEqual(holding(), [])
    await assertHolds(
      cache,
      range(1, 300).filter((label) => label !== 42),
    )
    await cache.close()
  })

  it('requires a snapshot at once, other changes only after many', async () => {
    insert(0, 300)
    const cache = await open()
    insert(300, 310)
    await cache.catchUp()
    assert.equal(await cache.snapshotIfDue(), false)
    erase(1)
    await cache.catchUp()
    assert.equal(await cache.snapshotIfDue(), true)
    assert.equal(cache.stats().unsavedChanges, 0)
    await cache.close()
  })

  it('more than a fifth of the vectors rebuilds the graph, while searches continue', async () => {
    insert(0, 400)
    const cache = await open()
    for (let label = 1; label <= 80; label++) erase(label)
    await cache.catchUp()
    assert.equal(await cache.compactIfNeeded(), false)
    erase(81)
    await cache.catchUp()
    const compacting = cache.compactIfNeeded()
    assert.equal((await cache.search([vectors[99]!], 1))[0]![0]?.label, 100)
    insert(400, 410)
    erase(100)
    await cache.catchUp()
    assert.equal(await compacting, true)
    assert.equal(cache.stats().erased <= 1, true)
    await assertHolds(
      cache,
      range(82, 410).filter((label) => label !== 100),
    )
    assert.deepEqual(await cache.compactIfNeeded(), false)
    await cache.close()
  })

  it('keeps the old graph if there is no memory for a second one, with a notice', async () => {
    insert(0, 200)
    // Room for the graph of 200 that is built first, not for one of the 280 that are left later.
    const cache = await open({ maxBytes: vectorIndexBytes(250, dimension) })
    insert(200, 400)
    for (let label = 1; label <= 120; label++) erase(label)
    await cache.catchUp()
    assert.equal(await cache.compactIfNeeded(), false)
    assert.match(notices.join(), /not compacted: a vector index of 280 tracks needs/)
    await assertHolds(cache, range(121, 400))
    await cache.close()
  })
})

describe('crossing the size of exact search', () => {
  it('upwards builds a graph and a snapshot, downwards drops them at half the size', async () => {
    insert(0, 90)
    const cache = await open()
    insert(90, 120)
    await cache.catchUp()
    await assertHolds(cache, range(1, 120))
    assert.equal(cache.stats().engine, 'exact')
    assert.equal(await cache.compactIfNeeded(), true)
    assert.equal(cache.stats().engine, 'hnsw')
    assert.equal(files().length, 2)
    await assertHolds(cache, range(1, 120))

    for (let label = 1; label <= 19; label++) erase(label)
    await cache.catchUp()
    await cache.compactIfNeeded()
    assert.equal(cache.stats().engine, 'hnsw', '101 are left')
    for (let label = 20; label <= 75; label++) erase(label)
    await cache.catchUp()
    assert.equal(await cache.compactIfNeeded(), true)
    assert.equal(cache.stats().engine, 'exact')
    assert.deepEqual(files(), [])
    await assertHolds(cache, range(76, 120))
    await cache.close()
  })
})

describe('catching up', () => {
  it('counts the changes and is idempotent', async () => {
    const cache = await open()
    insert(0, 5)
    erase(2)
    assert.equal(await cache.catchUp(), 6)
    assert.equal(await cache.catchUp(), 0)
    await assertHolds(cache, [1, 3, 4, 5])
    await cache.close()
  })

  it('runs side by side with snapshots in any order', async () => {
    insert(0, 200)
    const cache = await open()
    const work: Promise<unknown>[] = []
    for (let i = 200; i < 300; i += 10) {
      insert(i, i + 10)
      work.push(cache.catchUp(), cache.snapshot())
    }
    await Promise.all(work)
    await assertHolds(cache, range(1, 300))
    await cache.close()
  })
})

describe('a read-only archive', () => {
  it('is searched from its snapshot without a write', async () => {
    insert(0, 200)
    await (await open()).close()
    insert(200, 205)
    const before = files()
    const readOnly = openDatabase(dir, { readOnly: true })
    const cache = await open({ database: readOnly })
    await assertHolds(cache, range(1, 205))
    assert.equal(await cache.snapshot(), false)
    await cache.close()
    readOnly.close()
    assert.deepEqual(files(), before)
  })

  it('without a snapshot is indexed in memory, with a notice', async () => {
    insert(0, 200)
    const readOnly = openDatabase(dir, { readOnly: true })
    const cache = await open({ database: readOnly })
    await assertHolds(cache, range(1, 200))
    assert.match(notices[0]!, /read-only/)
    await cache.close()
    readOnly.close()
    assert.equal(existsSync(indexDir()), false)
  })

  it('is also indexed in memory if only the folder is not writable', async () => {
    insert(0, 200)
    const blocked = join(dir, 'a-file')
    writeFileSync(blocked, '')
    const cache = await open({ dir: join(blocked, 'vectors') })
    await assertHolds(cache, range(1, 200))
    assert.match(notices[0]!, /is not writable/)
    await cache.close()
  })
})
