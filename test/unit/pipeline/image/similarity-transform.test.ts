import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  applySimilarity,
  arcfaceTemplate,
  estimateSimilarity,
  invertSimilarity,
  type Similarity,
} from '../../../../pipeline/image/similarity-transform.js'
import { seededRandom } from '../../../support/random.js'

const turned: Similarity = { a: 1.5 * Math.cos(0.4), b: 1.5 * Math.sin(0.4), tx: 12, ty: -7 }

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`)
}

describe('similarity transforms', () => {
  it('recovers a known rotation, scale and shift exactly', () => {
    const moved = arcfaceTemplate.map((point) => applySimilarity(turned, point))
    const found = estimateSimilarity(arcfaceTemplate, moved)
    for (const key of ['a', 'b', 'tx', 'ty'] as const) assertNear(found[key], turned[key], 1e-9)
  })

  it('has the least squared error: no small change of the estimate reduces it', () => {
    const random = seededRandom(1)
    const noisy = arcfaceTemplate.map((point) => {
      const { x, y } = applySimilarity(turned, point)
      return { x: x + random() * 4, y: y + random() * 4 }
    })
    const error = (similarity: Similarity) =>
      arcfaceTemplate.reduce((sum, point, i) => {
        const { x, y } = applySimilarity(similarity, point)
        return sum + (x - (noisy[i]?.x ?? 0)) ** 2 + (y - (noisy[i]?.y ?? 0)) ** 2
      }, 0)
    const best = estimateSimilarity(arcfaceTemplate, noisy)
    for (const key of ['a', 'b', 'tx', 'ty'] as const)
      for (const step of [-1e-3, 1e-3]) assert.ok(error({ ...best, [key]: best[key] + step }) > error(best))
  })

  it('are undone by their inverse', () => {
    const back = applySimilarity(invertSimilarity(turned), applySimilarity(turned, { x: 3, y: 4 }))
    assertNear(back.x, 3, 1e-9)
    assertNear(back.y, 4, 1e-9)
  })

  it('give a shift for coinciding points, not a division by zero', () => {
    const same = [
      { x: 1, y: 1 },
      { x: 1, y: 1 },
    ]
    assert.deepEqual(
      estimateSimilarity(same, [
        { x: 4, y: 5 },
        { x: 4, y: 5 },
      ]),
      { a: 1, b: 0, tx: 3, ty: 4 },
    )
  })
})
