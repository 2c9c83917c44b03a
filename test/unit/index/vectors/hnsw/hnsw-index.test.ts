import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ExactIndex } from '../../../../../index/vectors/exact/exact-index.js'
import { defaultHnswParameters, HnswIndex } from '../../../../../index/vectors/hnsw/hnsw-index.js'
import type { VectorIndex } from '../../../../../index/vectors/vector-index.js'
import { createDirections, createRandom, labelsOf, near } from '../../../../support/vectors.js'

const dimension = 128
const dir = mkdtempSync(join(tmpdir(), 'cameo-hnsw-test-'))
after(() => rmSync(dir, { recursive: true }))

interface Faces {
  readonly vectors: readonly Float32Array[]
  readonly queries: readonly Float32Array[]
}

/** Half of the people appear once, the others up to 60 times; tracks of one person have cosines around .5. */
function makeFaces(count: number): Faces {
  const next = createDirections(dimension, 11)
  const random = createRandom(12)
  const vectors: Float32Array[] = []
  const queries: Float32Array[] = []
  while (vectors.length < count) {
    const centre = next()
    const size = random() < 0.5 ? 1 : Math.ceil(60 * random() ** 3)
    for (let i = 0; i < size && vectors.length < count; i++) vectors.push(near(centre, 0.71, next()))
    if (queries.length < 200) queries.push(near(centre, 0.71, next()))
  }
  return { vectors, queries }
}

const faces = makeFaces(6000)

function fill<T extends VectorIndex>(index: T, vectors: readonly Float32Array[] = faces.vectors): T {
  for (const [label, vector] of vectors.entries()) index.add(label, vector)
  return index
}

/** Share of the neighbours above .35 by exact search that `index` finds too. */
function recall(index: VectorIndex, oracle: VectorIndex): number {
  let [wanted, found] = [0, 0]
  for (const query of faces.queries) {
    const labels = new Set(labelsOf(index.search(query, 200)))
    for (const { label, cosineSimilarity } of oracle.search(query, 200))
      if (cosineSimilarity >= 0.35) {
        wanted++
        if (labels.has(label)) found++
      }
  }
  assert.ok(wanted > 500, `${wanted}`)
  return found / wanted
}

const exact = fill(new ExactIndex(dimension))
const hnsw = fill(HnswIndex.create(dimension))

describe('HNSW', () => {
  it('finds what exact search finds, with the same similarities', () => {
    assert.ok(recall(hnsw, exact) >= 0.999)
    const query = faces.queries[0]!
    assert.deepEqual(hnsw.search(query, 3), exact.search(query, 3))
  })

  it('grows beyond its first capacity', () => {
    assert.equal(hnsw.size, 6000)
    assert.ok(hnsw.capacity >= 6000)
  })

  it('orders equal similarities by label', () => {
    const index = HnswIndex.create(2)
    for (const label of [9, 2, 7, 4]) index.add(label, Float32Array.of(1, 0))
    assert.deepEqual(labelsOf(index.search(Float32Array.of(1, 0), 10)), [2, 4, 7, 9])
  })

  it('answers an empty index with nothing', () => {
    assert.deepEqual(HnswIndex.create(2).search(Float32Array.of(1, 0), 5), [])
  })

  it('does not return erased vectors, and finds the others as well as before, also from a file', async () => {
    const index = fill(HnswIndex.create(dimension))
    const oracle = fill(new ExactIndex(dimension))
    for (let label = 0; label < faces.vectors.length; label += 5) {
      assert.equal(index.erase(label), true)
      oracle.erase(label)
    }
    assert.equal(index.erase(0), false)
    assert.equal(index.size, 4800)
    assert.equal(index.erased, 1200)
    assert.throws(() => index.add(0, faces.vectors[0]!), { code: 'VECTOR_INVALID' })
    assert.ok(recall(index, oracle) >= 0.999)

    const file = join(dir, 'erased.hnsw')
    const seal = await index.write(file)
    const loaded = await HnswIndex.load(file, seal, dimension, defaultHnswParameters)
    assert.equal(loaded.size, 4800)
    assert.equal(loaded.erased, 1200)
    assert.ok(recall(loaded, oracle) >= 0.999)
    assert.throws(() => loaded.add(5, faces.vectors[5]!), { code: 'VECTOR_INVALID' })
  })

  it('writes no vector of an erased label to its file', async () => {
    const index = fill(HnswIndex.create(dimension), faces.vectors.slice(0, 100))
    index.erase(42)
    const file = join(dir, 'without.hnsw')
    await index.write(file)
    const bytes = readFileSync(file)
    const bytesOf = (label: number) => Buffer.from(faces.vectors[label]!.buffer)
    assert.equal(bytes.indexOf(bytesOf(42)), -1)
    assert.notEqual(bytes.indexOf(bytesOf(43)), -1)
    // Not a piece of it either.
    assert.equal(bytes.indexOf(bytesOf(42).subarray(64, 96)), -1)
  })

  it('loads what it wrote, also an empty index, and goes on from there', async () => {
    const file = join(dir, 'empty.hnsw')
    const seal = await HnswIndex.create(dimension).write(file)
    const empty = await HnswIndex.load(file, seal, dimension, defaultHnswParameters)
    assert.equal(empty.size, 0)
    fill(empty, faces.vectors.slice(0, 2000))
    assert.equal(empty.size, 2000)
    const again = await empty.write(file)
    const loaded = await HnswIndex.load(file, again, dimension, defaultHnswParameters)
    const query = faces.queries[0]!
    assert.deepEqual(loaded.search(query, 50), empty.search(query, 50))
    loaded.add(2000, faces.vectors[2000]!)
    assert.equal(loaded.search(faces.vectors[2000]!, 1)[0]?.label, 2000)
  })

  it('does not load a damaged file, nor one of another dimension or other settings', async () => {
    const file = join(dir, 'damaged.hnsw')
    const seal = await fill(HnswIndex.create(dimension), faces.vectors.slice(0, 50)).write(file)
    const good = readFileSync(file)
    const refused = (with_: { d?: number; m?: number } = {}) =>
      assert.rejects(
        HnswIndex.load(file, seal, with_.d ?? dimension, { ...defaultHnswParameters, m: with_.m ?? 16 }),
        { code: 'SNAPSHOT_DAMAGED' },
      )
    await refused({ d: 64 })
    await refused({ m: 8 })
    for (const position of [0, 17, 100, 5000, good.length - 1]) {
      const flipped = Buffer.from(good)
      flipped[position]! ^= 0x10
      writeFileSync(file, flipped)
      await refused()
    }
    for (const length of [0, 50, 96, 5000, good.length - 1]) {
      writeFileSync(file, good.subarray(0, length))
      await refused()
    }
    writeFileSync(file, Buffer.concat([good, Buffer.of(0)]))
    await refused()
  })

  it('must not change while it is written, but can be searched', async () => {
    const index = fill(HnswIndex.create(dimension), faces.vectors.slice(0, 500))
    const writing = index.write(join(dir, 'busy.hnsw'))
    assert.throws(() => index.add(1000, faces.vectors[1000]!), /while it is written/)
    assert.throws(() => index.erase(1), /while it is written/)
    assert.equal(index.search(faces.vectors[7]!, 1)[0]?.label, 7)
    await writing
    index.add(1000, faces.vectors[1000]!)
    assert.equal(index.size, 501)
  })
})

it('vectors of mostly positive values are found too (sign codes do not depend on the signs of values)', () => {
  const next = createDirections(dimension, 21)
  const shift = (vector: Float32Array) =>
    near(new Float32Array(dimension).fill(dimension ** -0.5), 0.6, vector)
  const vectors = Array.from({ length: 3000 }, next)
  const index = fill(HnswIndex.create(dimension), vectors.map(shift))
  let found = 0
  for (let label = 0; label < 100; label++) {
    const query = shift(near(vectors[label]!, 0.75, next()))
    if (index.search(query, 1)[0]?.label === label) found++
  }
  assert.ok(found >= 99, `${found} of 100`)
})
