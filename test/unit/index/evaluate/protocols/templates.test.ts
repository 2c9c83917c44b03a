import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { multiplyTables } from '../../../../../index/evaluate/metrics/matrix-product.js'
import {
  averageGalleries,
  identifyTemplates,
  TemplatePool,
  verifyTemplates,
} from '../../../../../index/evaluate/protocols/templates.js'
import { seededRandom } from '../../../../support/random.js'

/** Unit vectors in the plane at angles in degrees; the template's id is its position. */
function templatesAt(...degrees: number[]) {
  const pool = new TemplatePool(2)
  degrees.forEach((angle, id) => {
    const radians = (angle * Math.PI) / 180
    pool.add(id, 0, Float32Array.of(Math.cos(radians), Math.sin(radians)), 1)
  })
  return pool.finish()
}

const subjects = (entries: Readonly<Record<number, string>>) =>
  Object.entries(entries).map(([id, subject]) => ({ templateId: Number(id), subject }))

describe('products of tables', () => {
  it('are those of a plain loop, at dimensions and counts that fill no block', () => {
    const random = seededRandom(2)
    const table = (rows: number, dimension: number) => ({
      dimension,
      vectors: Float32Array.from({ length: rows * dimension }, () => random() - 0.5),
    })
    for (const [queries, rows, dimension] of [
      [3, 2500, 20],
      [2, 5, 16],
      [1, 1, 3],
    ] as const) {
      const [a, b] = [table(queries, dimension), table(rows, dimension)]
      const seen = new Map<string, number>()
      multiplyTables(a, b, (q, first, products) =>
        products.forEach((p, i) => seen.set(`${q} ${first + i}`, p)),
      )
      assert.equal(seen.size, queries * rows)
      for (let q = 0; q < queries; q++)
        for (let r = 0; r < rows; r++) {
          let sum = 0
          for (let i = 0; i < dimension; i++)
            sum += a.vectors[q * dimension + i]! * b.vectors[r * dimension + i]!
          assert.ok(Math.abs(seen.get(`${q} ${r}`)! - sum) < 1e-5)
        }
    }
  })
})

describe('templates', () => {
  it('average the images of a medium, add the media, and are normalised', () => {
    const pool = new TemplatePool(2)
    pool.add(7, 1, Float32Array.of(4, 0), 0.5) // 2, 0
    pool.add(7, 1, Float32Array.of(0, 0), 1) // mean of the medium: 1, 0
    pool.add(8, 1, Float32Array.of(9, 9), 1) // a medium of the same number in another template
    pool.add(7, 2, Float32Array.of(0, 10), 0.1) // 0, 1
    const { ids, vectors } = pool.finish()
    assert.deepEqual(ids, [7, 8])
    for (const value of vectors) assert.ok(Math.abs(value - Math.SQRT1_2) < 1e-6)
  })

  it('1:1 skips pairs with a template without a face, and reports their number', () => {
    const result = verifyTemplates(
      templatesAt(0, 10, 90),
      {
        first: Int32Array.of(0, 0, 1, 0),
        second: Int32Array.of(1, 2, 2, 99),
        isSame: Uint8Array.of(1, 0, 0, 1),
      },
      [0.5],
    )
    assert.equal(result.pairs, 3)
    assert.equal(result.pairsWithoutTemplate, 1)
    // cos 10° is above cos 80°, which is the first of the two non-mated.
    assert.deepEqual([result.points[0]!.fpr, result.points[0]!.tpr], [0.5, 1])
  })

  it('1:N ranks mates among other people, and sets the threshold by the non-mated probes', () => {
    // Gallery: A at 0°, B at 40°, C at 90°. Probes: A at 5° (first), B at 15° (A is nearer: second), D at 60°, E at 88°.
    const templates = templatesAt(0, 40, 90, 5, 15, 60, 88)
    const gallery = subjects({ 0: 'A', 1: 'B', 2: 'C' })
    const result = identifyTemplates(
      templates,
      gallery,
      subjects({ 3: 'A', 4: 'B', 5: 'D', 6: 'E' }),
      [0, 0.5],
    )
    assert.equal(result.matedProbes, 2)
    assert.equal(result.nonMatedProbes, 2)
    assert.deepEqual(result.rank, { 1: 0.5, 5: 1, 10: 1 })
    // FPIR 0: above E's cos 2°, which A's cos 5° is not. FPIR ½: above D's cos 20°, which it is.
    assert.deepEqual(result.tpir.map(({ tpir }) => tpir), [0, 0.5]) // prettier-ignore
  })

  it('1:N counts a tie against the probe, and a probe without a face as wrong', () => {
    const tied = identifyTemplates(templatesAt(0, 0, 0), subjects({ 0: 'A', 1: 'B' }), subjects({ 2: 'A' }))
    assert.deepEqual(tied.rank, { 1: 0, 5: 1, 10: 1 })
    assert.ok(Number.isNaN(tied.tpir[0]!.tpir))
    const absent = identifyTemplates(templatesAt(0, 0), subjects({ 0: 'A' }), subjects({ 1: 'A', 99: 'A' }))
    assert.equal(absent.rank[1], 0.5)
  })

  it('averages the two galleries', () => {
    const templates = templatesAt(0, 90, 5)
    const [g1, g2] = [subjects({ 0: 'A', 1: 'B' }), subjects({ 1: 'A', 0: 'B' })]
    const results = [g1, g2].map((gallery) => identifyTemplates(templates, gallery, subjects({ 2: 'A' })))
    assert.deepEqual(averageGalleries(results).rank, { 1: 0.5, 5: 1, 10: 1 })
  })
})
