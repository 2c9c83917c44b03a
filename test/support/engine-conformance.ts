import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { namedEngine, openEngine } from '../../index/vectors/archive/engine-plan.js'
import type { VectorEngineFactory, VectorSpace } from '../../index/vectors/vector-engine.js'
import type {
  DurableChanges,
  LabelledVector,
  Neighbor,
  VectorIndex,
} from '../../index/vectors/vector-index.js'
import { temporaryDir } from './cameo.js'
import { createDirections, createRandom, labelsOf, naiveSearch, near } from './vectors.js'

export interface ConformanceOptions {
  /** Called within tests. Absent for Cameo's own engines. */
  readonly factory?: () => VectorEngineFactory
  /** Smallest share of the neighbours above the match threshold that the engine must find. */
  readonly recall: number
}

/** Cosine similarity above which tracks may match. Below it an approximate engine may miss some. */
const matchThreshold = 0.35

/** Registers the tests that every engine must pass. The oracle is the definition, computed in float64. */
export function describeEngine(name: string, { factory, recall }: ConformanceOptions): void {
  const engineOf = (space: VectorSpace) =>
    namedEngine(name, factory === undefined ? {} : { [name]: factory() }, space)
  const open = (dimension: number): Promise<VectorIndex> => openEngine(engineOf(newSpace(dimension)))

  /** Closes the index however the test ends. */
  async function withIndex(dimension: number, test: (index: VectorIndex) => Promise<void>): Promise<void> {
    const index = await open(dimension)
    try {
      await test(index)
    } finally {
      await index.close()
    }
  }

  describe(`the ${name} engine finds`, () => {
    it('what the definition gives, for a batch of queries', () =>
      withIndex(faces.dimension, async (index) => {
        await index.add(faces.vectors)
        const found = await index.search(faces.queries, 200)
        let [wanted, met] = [0, 0]
        for (const [i, query] of faces.queries.entries()) {
          const scores = new Map(found[i]!.map((one) => [one.label, one.cosineSimilarity]))
          for (const { label, cosineSimilarity } of naiveSearch(faces.byLabel, query, 200)) {
            if (cosineSimilarity < matchThreshold) break
            wanted++
            const score = scores.get(label)
            if (score === undefined) continue
            met++
            assert.ok(Math.abs(score - cosineSimilarity) < 1e-6, `${score} for ${cosineSimilarity}`)
          }
        }
        assert.ok(wanted > 400, `${wanted} to be found`)
        assert.ok(met / wanted >= recall, `${met} of ${wanted} found`)
      }))

    it('nearly all of it in a quick search, with the same similarities', () =>
      withIndex(faces.dimension, async (index) => {
        await index.add(faces.vectors)
        const [full, quick] = [
          await index.search(faces.queries, 10),
          await index.search(faces.queries, 10, { isQuick: true }),
        ]
        let [wanted, met] = [0, 0]
        for (const [i, neighbors] of full.entries()) {
          assert.equal(quick[i]!.length, neighbors.length)
          const scores = new Map(quick[i]!.map((one) => [one.label, one.cosineSimilarity]))
          for (const { label, cosineSimilarity } of neighbors) {
            if (cosineSimilarity < matchThreshold) break
            wanted++
            if (scores.get(label) === cosineSimilarity) met++
          }
        }
        assert.ok(wanted > 100, `${wanted} to be found`)
        assert.ok(met / wanted >= 0.9, `${met} of ${wanted} found`)
      }))

    it('the same for a query in a batch and alone, whatever its length', () =>
      withIndex(faces.dimension, async (index) => {
        await index.add(faces.vectors.slice(0, 300))
        const [first, second] = [faces.queries[0]!, faces.queries[1]!]
        const [one, other] = await index.search([first, second.map((value) => 20 * value)], 10)
        assert.deepEqual(await index.search([first], 10), [one])
        const [alone] = await index.search([second], 10)
        assert.deepEqual(labelsOf(other!), labelsOf(alone!))
        assert.deepEqual(await index.search([], 10), [])
      }))

    it('the best k, or all if there are fewer, best first', () =>
      withIndex(4, async (index) => {
        const query = Float32Array.of(1, 0, 0, 0)
        assert.deepEqual(await index.search([query], 10), [[]])
        await index.add([
          { label: 1, vector: Float32Array.of(0, 1, 0, 0) },
          { label: 2, vector: query },
          { label: 3, vector: Float32Array.of(0.6, 0.8, 0, 0) },
          { label: 4, vector: Float32Array.of(-1, 0, 0, 0) },
        ])
        const labelsAt = async (k: number) => labelsOf((await index.search([query], k))[0]!)
        assert.deepEqual(await labelsAt(10), [2, 3, 1, 4])
        assert.deepEqual(await labelsAt(2), [2, 3])
        assert.deepEqual(await labelsAt(0), [])
      }))

    it('equal similarities in the order of labels, also at the limit k', () =>
      withIndex(2, async (index) => {
        await index.add([9, 2, 7, 4].map((label) => ({ label, vector: Float32Array.of(1, 0) })))
        await index.add([{ label: 1, vector: Float32Array.of(0, 1) }])
        const query = Float32Array.of(1, 0)
        const [all, two] = [await index.search([query], 5), await index.search([query], 2)]
        assert.deepEqual([labelsOf(all[0]!), labelsOf(two[0]!)], [[2, 4, 7, 9, 1], [2, 4]]) // prettier-ignore
      }))
  })

  describe(`the ${name} engine erases`, () => {
    it('vectors, and does not find them any more; the others are found as before', () =>
      withIndex(faces.dimension, async (index) => {
        await index.add(faces.vectors)
        const left = new Map(faces.byLabel)
        const erased = [...left.keys()].filter((label) => label % 5 === 0)
        for (const label of erased) left.delete(label)
        await index.erase(erased)
        assert.equal(await index.count(), left.size)
        const found = await index.search(faces.queries, 50)
        let [wanted, met] = [0, 0]
        for (const [i, query] of faces.queries.entries()) {
          const labels = new Set(labelsOf(found[i]!))
          assert.ok(erased.every((label) => !labels.has(label)))
          for (const { label, cosineSimilarity } of naiveSearch(left, query, 50)) {
            if (cosineSimilarity < matchThreshold) break
            wanted++
            if (labels.has(label)) met++
          }
        }
        assert.ok(wanted > 300 && met / wanted >= recall, `${met} of ${wanted} found`)
      }))

    it('nothing for an unknown or erased label, and still knows the erased labels', () =>
      withIndex(2, async (index) => {
        await index.add([5, 6].map((label) => ({ label, vector: Float32Array.of(1, 0) })))
        await index.erase([5, 5, 99])
        await index.erase([5])
        await index.erase([])
        assert.equal(await index.count(), 1)
        assert.deepEqual(await index.has([5, 6, 99]), [true, true, false])
        assert.deepEqual(await index.has([]), [])
      }))

    it('permanently: no label is used again, whether live, erased or twice in a batch', () =>
      withIndex(2, async (index) => {
        const vector = Float32Array.of(1, 0)
        await index.add([{ label: 5, vector }, { label: 6, vector }]) // prettier-ignore
        await index.erase([5])
        for (const labels of [[6], [5], [7, 8, 7], [7, 6], [7, 5]])
          await assert.rejects(
            index.add(labels.map((label) => ({ label, vector }))),
            { code: 'VECTOR_INVALID', message: /label \d is already in the index/ },
            labels.join(),
          )
        assert.deepEqual(await index.has([7, 8]), [false, false], 'nothing of a refused batch is added')
        assert.deepEqual(labelsOf((await index.search([vector], 9))[0]!), [6])
      }))
  })

  describe(`the ${name} engine refuses`, () => {
    const good = { label: 1, vector: Float32Array.of(1, 0) }
    const refusesVector = async (vector: Float32Array, message: RegExp) =>
      withIndex(2, async (index) => {
        const expected = { code: 'VECTOR_INVALID', retriable: false, message }
        await assert.rejects(index.add([good, { label: 2, vector }]), expected)
        assert.equal(await index.count(), 0, 'nothing of a refused batch is added')
      })
    const refusesQuery = async (query: Float32Array, message: RegExp) =>
      withIndex(2, async (index) => {
        await index.add([good])
        const expected = { code: 'VECTOR_INVALID', retriable: false, message }
        await assert.rejects(index.search([good.vector, query], 1), expected)
      })

    it('another dimension, naming both', async () => {
      await refusesVector(Float32Array.of(1, 0, 0), /3 dimensions.*needs 2/)
      await refusesQuery(Float32Array.of(1), /1 dimensions.*needs 2/)
    })

    it('values that are not finite', async () => {
      for (const value of [NaN, Infinity, -Infinity]) {
        await refusesVector(Float32Array.of(value, 0), /not a finite number/)
        await refusesQuery(Float32Array.of(1, value), /not a finite number/)
      }
    })

    it('a vector that is not normalised, and a query without a direction', async () => {
      await refusesVector(Float32Array.of(3, 4), /length 5\.0000/)
      await refusesQuery(Float32Array.of(0, 0), /no direction/)
    })

    it('labels that are not uint32', () =>
      withIndex(2, async (index) => {
        for (const label of [-1, 1.5, 2 ** 32])
          await assert.rejects(index.add([{ ...good, label }]), { code: 'INDEX_TOO_LARGE' })
        await index.add([{ ...good, label: 2 ** 32 - 1 }])
        assert.equal((await index.search([good.vector], 1))[0]![0]?.label, 2 ** 32 - 1)
      }))
  })

  describe(`the ${name} engine under concurrent calls`, () => {
    it('answers searches while vectors are added and erased', () =>
      withIndex(faces.dimension, async (index) => {
        const batches = Array.from({ length: 20 }, (_, i) => faces.vectors.slice(50 * i, 50 * (i + 1)))
        await index.add(batches[0]!)
        const changes = batches.slice(1).map((batch) => index.add(batch))
        changes.push(index.erase([0, 1]))
        const asked = faces.vectors.slice(2, 50)
        const searches = Array.from({ length: 4 }, (_, i) =>
          index.search(
            asked.filter((_, j) => j % 4 === i).map(({ vector }) => vector),
            5,
          ),
        )
        const answers = await Promise.all(searches)
        for (const [i, answer] of answers.entries())
          for (const [j, neighbors] of answer.entries()) assertBest(neighbors, asked[4 * j + i]!.label)
        await Promise.all(changes)
        assert.equal(await index.count(), 998)
        const all = faces.vectors.slice(2, 1000)
        const found = await index.search(
          all.map(({ vector }) => vector),
          1,
        )
        for (const [i, { label }] of all.entries()) assertBest(found[i]!, label)
      }))

    it('closes only after the running calls', async () => {
      const index = await open(faces.dimension)
      await index.add(faces.vectors.slice(0, 500))
      const adding = index.add(faces.vectors.slice(500, 600))
      const searching = index.search(faces.queries, 3)
      await index.close()
      const found = await searching
      assert.equal(found.length, faces.queries.length)
      assert.ok(found.every((neighbors) => neighbors.length === 3))
      await adding
    })
  })

  describe(`the ${name} engine after a restart`, () => {
    it('has what it stored or wrote to a snapshot, knows erased labels, and continues from there', async () => {
      const space = newSpace(faces.dimension)
      const before = await openEngine(engineOf(space))
      const [first, second] = [faces.vectors.slice(0, 200), faces.vectors.slice(200, 400)]
      await store(before, { add: first, erase: [], lastChange: 200 })
      await store(before, { add: [], erase: [7], lastChange: 201 })
      await before.snapshots?.save(() => Promise.resolve(201))
      const answer = await before.search(faces.queries, 20)
      const { durable, snapshots } = before
      await before.close()

      const engine = engineOf(space)
      const loaded = snapshots === undefined ? undefined : await engine.engine.load?.(201)
      if (loaded !== undefined) assert.ok(loaded.kind === 'loaded' && loaded.lastChange === 201)
      const after = loaded?.kind === 'loaded' ? loaded.index : await openEngine(engine)
      try {
        if (durable === undefined && snapshots === undefined) {
          assert.equal(await after.count(), 0, 'an engine that stores nothing starts empty')
          return
        }
        if (after.durable !== undefined) assert.equal(await after.durable.lastChange(), 201)
        assert.equal(await after.count(), 199)
        assert.deepEqual(await after.search(faces.queries, 20), answer)
        assert.deepEqual(await after.has([7, 8, 250]), [true, true, false])
        await assert.rejects(after.add([first[7]!]), { code: 'VECTOR_INVALID' })
        await after.add(second)
        assert.equal((await after.search([second[9]!.vector], 1))[0]![0]?.label, second[9]!.label)
      } finally {
        await after.close()
      }
    })

    it('has no vectors of another space, and no removed vectors', async () => {
      const space = newSpace(2)
      const index = await openEngine(engineOf(space))
      await store(index, { add: [{ label: 1, vector: Float32Array.of(1, 0) }], erase: [], lastChange: 1 })
      await index.snapshots?.save(() => Promise.resolve(1))
      await index.close()
      for (const other of [
        { ...space, spaceId: 2 },
        { ...space, archiveId: randomUUID() },
      ])
        assert.deepEqual(await kept(other), [0, 0])
      const engine = engineOf(space)
      await engine.reach(() => engine.engine.remove?.() ?? Promise.resolve())
      assert.deepEqual(await kept(space), [0, 0])
    })

    /** The vectors and the last change of a space at its start. */
    async function kept(space: VectorSpace): Promise<[number, number]> {
      const engine = engineOf(space)
      const loaded = await engine.engine.load?.(1)
      const index = loaded?.kind === 'loaded' ? loaded.index : await openEngine(engine)
      const found = await index.count()
      const lastChange = (await index.durable?.lastChange()) ?? 0
      await index.close()
      return [found, lastChange]
    }
  })

  describe(`the ${name} engine, if it stores vectors itself,`, () => {
    const withDurable = (test: (index: VectorIndex, durable: DurableChanges) => Promise<void>) =>
      withIndex(2, async (index) => {
        if (index.durable !== undefined) await test(index, index.durable)
      })
    const [east, north] = [Float32Array.of(1, 0), Float32Array.of(0, 1)]

    it('accepts a batch twice, and a late batch: an erased label does not come back', () =>
      withDurable(async (index, durable) => {
        assert.equal(await durable.lastChange(), 0)
        const early = { add: [{ label: 1, vector: east }, { label: 2, vector: north }], erase: [], lastChange: 2 } // prettier-ignore
        await durable.apply({ add: [], erase: [2, 3], lastChange: 4 })
        await durable.apply(early)
        await durable.apply(early)
        assert.deepEqual(labelsOf((await index.search([east], 9))[0]!), [1])
        assert.equal(await durable.lastChange(), 4, 'the number never decreases')
        await durable.apply({ add: [], erase: [1], lastChange: 5 })
        await durable.apply(early)
        assert.equal(await index.count(), 0)
        assert.deepEqual(await index.has([1, 2, 3]), [true, true, true])
      }))

    it('keeps its number while it is filled, and refuses what `add` refuses', () =>
      withDurable(async (index, durable) => {
        await durable.apply({ add: [{ label: 1, vector: east }], erase: [], lastChange: undefined })
        assert.deepEqual([await durable.lastChange(), await index.count()], [0, 1])
        await assert.rejects(
          durable.apply({ add: [{ label: 2, vector: Float32Array.of(1) }], erase: [], lastChange: 9 }),
          { code: 'VECTOR_INVALID' },
        )
        assert.deepEqual([await durable.lastChange(), await index.count()], [0, 1])
      }))

    it('is like a new engine after it was cleared', () =>
      withDurable(async (index, durable) => {
        await durable.apply({ add: [{ label: 1, vector: east }], erase: [2], lastChange: 3 })
        await durable.clear()
        assert.deepEqual([await durable.lastChange(), await index.count()], [0, 0])
        assert.deepEqual(await index.has([1, 2]), [false, false])
      }))
  })
}

const assertBest = (neighbors: readonly Neighbor[], label: number) => assert.equal(neighbors[0]?.label, label)

/** Sends the archive's changes to an engine of either kind. */
async function store(
  index: VectorIndex,
  batch: { readonly add: LabelledVector[]; readonly erase: number[]; readonly lastChange: number },
): Promise<void> {
  if (index.durable !== undefined) return index.durable.apply(batch)
  await index.add(batch.add)
  await index.erase(batch.erase)
}

const newSpace = (dimension: number): VectorSpace => ({
  ...{ archiveId: randomUUID(), spaceId: 1, digest: 'd', dimension },
  ...{ dir: temporaryDir(), maxBytes: undefined },
})

/**
 * Half of the people appear once, the others up to 60 times. Tracks of one person have cosines around .5.
 * Labels start from 0.
 */
const faces = makeFaces(3000, 128)

function makeFaces(count: number, dimension: number) {
  const next = createDirections(dimension, 11)
  const random = createRandom(12)
  const vectors: LabelledVector[] = []
  const queries: Float32Array[] = []
  while (vectors.length < count) {
    const centre = next()
    const size = random() < 0.5 ? 1 : Math.ceil(60 * random() ** 3)
    for (let i = 0; i < size && vectors.length < count; i++)
      vectors.push({ label: vectors.length, vector: near(centre, 0.71, next()) })
    if (queries.length < 100) queries.push(near(centre, 0.71, next()))
  }
  return {
    dimension,
    vectors,
    queries,
    byLabel: new Map(vectors.map(({ label, vector }) => [label, vector])),
  }
}
