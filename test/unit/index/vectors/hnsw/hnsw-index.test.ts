import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ExactIndex } from '../../../../../index/vectors/exact/exact-index.js'
import { HnswIndex } from '../../../../../index/vectors/hnsw/hnsw-index.js'
import { defaultHnswParameters, vectorIndexBytes } from '../../../../../index/vectors/hnsw/hnsw-memory.js'
import type { Neighbor, VectorIndex } from '../../../../../index/vectors/vector-index.js'
import { CameoError } from '../../../../../pipeline/common/errors.js'
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

async function fill<T extends VectorIndex>(
  index: T,
  vectors: readonly Float32Array[] = faces.vectors,
  firstLabel = 0,
): Promise<T> {
  await index.add(vectors.map((vector, i) => ({ label: firstLabel + i, vector })))
  return index
}

async function searchOne(index: VectorIndex, query: Float32Array, k: number): Promise<Neighbor[]> {
  const [found = []] = await index.search([query], k)
  return found
}

/** Share of the neighbours above .35 by exact search that `index` finds too. */
async function recall(index: VectorIndex, oracle: VectorIndex): Promise<number> {
  let [wanted, found] = [0, 0]
  const answers = await index.search(faces.queries, 200)
  for (const [i, expected] of (await oracle.search(faces.queries, 200)).entries()) {
    const labels = new Set(labelsOf(answers[i]!))
    for (const { label, cosineSimilarity } of expected)
      if (cosineSimilarity >= 0.35) {
        wanted++
        if (labels.has(label)) found++
      }
  }
  assert.ok(wanted > 500, `${wanted}`)
  return found / wanted
}

// The common behaviour of engines is tested in test/support/engine-conformance.ts.
describe('HNSW', () => {
  it('finds the same as exact search, with the same similarities, also beyond its first capacity', async () => {
    const [exact, hnsw] = [await fill(new ExactIndex(dimension)), await fill(HnswIndex.create(dimension))]
    assert.equal(await hnsw.count(), 6000)
    assert.ok(hnsw.capacity >= 6000)
    assert.ok((await recall(hnsw, exact)) >= 0.999)
    const query = faces.queries[0]!
    assert.deepEqual(await hnsw.search([query], 3), await exact.search([query], 3))
  })

  it('asks before it reserves memory, and adds nothing of a batch that does not fit', async () => {
    const asked: [number, number][] = []
    const index = HnswIndex.create(dimension, {
      mayHold(count, held) {
        asked.push([count, held])
        if (count > 2000) throw new CameoError('INDEX_TOO_LARGE', 'too large')
      },
    })
    await fill(index, faces.vectors.slice(0, 1100))
    assert.deepEqual(asked, [[1280, 1024]], 'a quarter more than the first capacity')
    await assert.rejects(fill(index, faces.vectors.slice(0, 1000), 2000), { code: 'INDEX_TOO_LARGE' })
    await assert.rejects(index.memory.reserve(2001), { code: 'INDEX_TOO_LARGE' })
    assert.deepEqual([await index.count(), index.capacity], [1100, 1280])
  })

  it('does not return erased vectors, and finds the others as well as before, also from a file', async () => {
    const index = await fill(HnswIndex.create(dimension))
    const oracle = await fill(new ExactIndex(dimension))
    const erased = [...faces.vectors.keys()].filter((label) => label % 5 === 0)
    await index.erase(erased)
    await oracle.erase(erased)
    assert.deepEqual(index.counts, { live: 4800, erased: 1200 })
    assert.equal(index.memory.erased, 1200)
    assert.ok((await recall(index, oracle)) >= 0.999)

    const file = join(dir, 'erased.hnsw')
    const seal = await index.write(file)
    const loaded = await HnswIndex.load(file, seal, dimension)
    assert.deepEqual(loaded.counts, { live: 4800, erased: 1200 })
    assert.ok((await recall(loaded, oracle)) >= 0.999)
    await assert.rejects(fill(loaded, [faces.vectors[5]!], 5), { code: 'VECTOR_INVALID' })
  })

  it('writes no vector of an erased label to its file', async () => {
    const index = await fill(HnswIndex.create(dimension), faces.vectors.slice(0, 100))
    await index.erase([42])
    const file = join(dir, 'without.hnsw')
    await index.write(file)
    const bytes = readFileSync(file)
    const bytesOf = (label: number) => Buffer.from(faces.vectors[label]!.buffer)
    assert.equal(bytes.indexOf(bytesOf(42)), -1)
    assert.notEqual(bytes.indexOf(bytesOf(43)), -1)
    // Not even a part of it.
    assert.equal(bytes.indexOf(bytesOf(42).subarray(64, 96)), -1)
  })

  it('loads its own file, also of an empty index, and continues from there', async () => {
    const file = join(dir, 'empty.hnsw')
    const seal = await HnswIndex.create(dimension).write(file)
    const empty = await HnswIndex.load(file, seal, dimension)
    assert.equal(await empty.count(), 0)
    await fill(empty, faces.vectors.slice(0, 2000))
    assert.equal(await empty.count(), 2000)
    const again = await empty.write(file)
    const loaded = await HnswIndex.load(file, again, dimension)
    const query = faces.queries[0]!
    assert.deepEqual(await loaded.search([query], 50), await empty.search([query], 50))
    await fill(loaded, [faces.vectors[2000]!], 2000)
    assert.equal((await searchOne(loaded, faces.vectors[2000]!, 1))[0]?.label, 2000)
  })

  it('refuses a damaged file, and a file with another dimension or other settings', async () => {
    const file = join(dir, 'damaged.hnsw')
    const seal = await (await fill(HnswIndex.create(dimension), faces.vectors.slice(0, 50))).write(file)
    const good = readFileSync(file)
    const refused = (with_: { d?: number; m?: number } = {}) =>
      assert.rejects(
        HnswIndex.load(file, seal, with_.d ?? dimension, {
          parameters: { ...defaultHnswParameters, m: with_.m ?? 16 },
        }),
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

  it('can be searched while it is written, and changes wait until then', async () => {
    const index = await fill(HnswIndex.create(dimension), faces.vectors.slice(0, 500))
    const order: string[] = []
    const file = join(dir, 'busy.hnsw')
    const writing = index.write(file).then((seal) => {
      order.push('written')
      return seal
    })
    const changing = Promise.all([fill(index, [faces.vectors[1000]!], 1000), index.erase([1])]).then(() =>
      order.push('changed'),
    )
    const found = await searchOne(index, faces.vectors[7]!, 1)
    order.push('searched')
    assert.equal(found[0]?.label, 7)
    const seal = await writing
    await changing
    assert.deepEqual(order, ['searched', 'written', 'changed'])
    assert.deepEqual(index.counts, { live: 500, erased: 1 })
    const loaded = await HnswIndex.load(file, seal, dimension)
    assert.deepEqual(loaded.counts, { live: 500, erased: 0 })
  })
})

it('vectors of mostly positive values are found too (sign codes do not depend on the signs of values)', async () => {
  const next = createDirections(dimension, 21)
  const shift = (vector: Float32Array) =>
    near(new Float32Array(dimension).fill(dimension ** -0.5), 0.6, vector)
  const vectors = Array.from({ length: 3000 }, next)
  const index = await fill(HnswIndex.create(dimension), vectors.map(shift))
  const queries = vectors.slice(0, 100).map((vector) => shift(near(vector, 0.75, next())))
  const answers = await index.search(queries, 1)
  const found = answers.filter((neighbors, label) => neighbors[0]?.label === label).length
  assert.ok(found >= 99, `${found} of 100`)
})

it('computes the memory of a million tracks of 512 dimensions: the vectors twice, and links', () => {
  const bytes = vectorIndexBytes(1_000_000, 512)
  assert.ok(bytes > 4.1e9 && bytes < 5e9, `${bytes}`)
})
