import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  measure,
  policies,
  rank,
  type BenchClip,
  type RankedClip,
} from '../../../../scripts/bench/corrections/simulate.js'

/** A clip with one track at this angle from the query. */
const clip = (name: string, degrees: number, trackId: number): BenchClip => ({
  name,
  tracks: [{ trackId, descriptor: at(degrees) }],
})
const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180))

/** The person turns away to the left; on the right is a look-alike. */
const pool = [
  clip('right 10', 10, 1),
  clip('wrong -20', -20, 2),
  clip('wrong -25', -25, 3),
  clip('right 30', 30, 4),
  clip('right 60', 60, 5),
  clip('wrong -40', -40, 6),
]
const positives = new Set(['right 10', 'right 30', 'right 60'])
const name = { identity: 'Ada', query: { descriptor: at(0), references: 1 }, positives, pool }
const policyOf = (...names: readonly string[]) => ({
  name: 'these',
  choose: (ranked: readonly RankedClip[]) => ranked.filter((hit) => names.includes(hit.name)),
})
const close = (found: readonly number[] | undefined, wanted: readonly number[]) =>
  assert.deepEqual(found?.map((value) => value.toFixed(9)), wanted.map((value) => value.toFixed(9))) // prettier-ignore

describe('the measurement of corrections', () => {
  it('ranks clips by their best track that is not rejected', () => {
    assert.deepEqual(rank(pool, at(0)).map((hit) => hit.name), ['right 10', 'wrong -20', 'wrong -25', 'right 30', 'wrong -40', 'right 60']) // prettier-ignore
    const two = {
      name: 'two',
      tracks: [
        { trackId: 8, descriptor: at(1) },
        { trackId: 9, descriptor: at(35) },
      ],
    }
    assert.deepEqual(rank([...pool, two], at(0), new Set([8])).map((hit) => hit.name).indexOf('two'), 4) // prettier-ignore
  })

  it('without an effect on the query, only the corrected clips themselves gain', () => {
    const { all, rest } = measure(name, policyOf('right 60', 'wrong -20'), { confirmed: 0, rejected: 0 })
    // Before: hits at 1, 4 and 6. After: the confirmed clip first, and the rejected one gone: hits at 1, 2 and 4.
    close(all, [(1 + 2 / 4 + 3 / 6) / 3, (1 + 1 + 3 / 4) / 3])
    // Of the others, hits are at 1 and 3 before and after.
    close(rest, [(1 + 2 / 3) / 2, (1 + 2 / 3) / 2])
  })

  it('a query that moves finds others', () => {
    const { rest } = measure(name, policyOf('right 30', 'wrong -20'), { confirmed: 1, rejected: 0.5 })
    // The query points to more than 15 degrees now: 10 and 60 degrees come before −25 and −40.
    close(rest, [(1 + 2 / 4) / 2, 1])
  })

  it('has nothing to say of a name whose clips are all corrected', () => {
    const { rest } = measure(name, policyOf(...positives), undefined)
    assert.equal(rest, undefined)
  })

  it('users correct at most five hits', () => {
    for (const { choose } of policies) assert.ok(choose(rank(pool, at(0)), positives).length <= 5)
    assert.deepEqual(policies.map(({ choose }) => choose(rank(pool, at(0)), positives).length), [5, 5, 3, 2]) // prettier-ignore
  })
})
