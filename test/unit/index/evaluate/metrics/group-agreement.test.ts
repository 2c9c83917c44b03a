import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { groupAgreement, type GroupedItem } from '../../../../../index/evaluate/metrics/group-agreement.js'
import { seededRandom } from '../../../../support/random.js'

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, not ${expected}`)

/** One group per word, one track per letter; "-" shows a stranger. */
const grouped = (text: string): GroupedItem[] =>
  text
    .split(' ')
    .flatMap((word, group) =>
      Array.from(word, (letter) => ({ person: letter === '-' ? undefined : letter, group })),
    )

/** By the definitions: over all pairs of items, in no order. */
function byDefinition(items: readonly GroupedItem[]) {
  const isSameGroup = (a: number, b: number) =>
    a === b || (items[a]!.group !== undefined && items[a]!.group === items[b]!.group)
  const isSamePerson = (a: number, b: number) => items[a]!.person === items[b]!.person
  const measured = items.flatMap(({ person }, i) => (person === undefined ? [] : [i]))
  const all = items.map((_, i) => i)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const precision = mean(
    measured.map((a) => {
      const own = all.filter((b) => isSameGroup(a, b))
      return own.filter((b) => isSamePerson(a, b)).length / own.length
    }),
  )
  const recall = mean(
    measured.map((a) => {
      const own = measured.filter((b) => isSamePerson(a, b))
      return own.filter((b) => isSameGroup(a, b)).length / own.length
    }),
  )
  const pairs = measured.flatMap((a) => all.filter((b) => b !== a && !(measured.includes(b) && b < a)).map((b) => [a, b] as const)) // prettier-ignore
  const together = pairs.filter(([a, b]) => isSameGroup(a, b))
  const ofOne = pairs.filter(([a, b]) => isSamePerson(a, b))
  const right = together.filter(([a, b]) => isSamePerson(a, b)).length
  return { precision, recall, pairPrecision: right / together.length, pairRecall: right / ofOne.length }
}

describe('the agreement of groups and people', () => {
  it('is 1 where every person is one group', () => {
    const { bcubed, pairwise, people, groups, tracks } = groupAgreement(grouped('aaa bb c'))
    for (const { precision, recall, f } of [bcubed, pairwise])
      assert.deepEqual([precision, recall, f], [1, 1, 1])
    assert.deepEqual([people, groups, tracks], [3, 3, 6])
  })

  it('is as computed by hand', () => {
    // Group aab: precision 2/3 for both a, 1/3 for b; group ab: 1/2 each. a: 2/3, 2/3, 1/3 of its tracks are together; b: 1/2, 1/2.
    const { bcubed, pairwise } = groupAgreement(grouped('aab ab'))
    near(bcubed.precision, (2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2) / 5)
    near(bcubed.recall, (2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2) / 5)
    // One right pair of the four in groups; one right pair of the four of people.
    near(pairwise.precision, 1 / 4)
    near(pairwise.recall, 1 / 4)
  })

  it('prefers disorder in a group of disorder to disorder in a pure group: the fourth constraint of Amigó et al.', () => {
    const clean = groupAgreement(grouped('aaaa bbbbx cde')).bcubed.precision
    const messy = groupAgreement(grouped('aaaa bbbb xcde')).bcubed.precision
    assert.ok(messy > clean)
  })

  it('counts a track without a group as one of its own', () => {
    const alone = groupAgreement([
      { person: 'a', group: undefined },
      { person: 'a', group: undefined },
      { person: 'b', group: 1 },
    ])
    assert.deepEqual([alone.bcubed.precision, alone.groups], [1, 3])
    near(alone.bcubed.recall, (1 / 2 + 1 / 2 + 1) / 3)
  })

  it('does not measure strangers, but a group with them is less precise', () => {
    const { bcubed, pairwise, tracks, groups } = groupAgreement(grouped('aa- --'))
    near(bcubed.precision, 2 / 3)
    near(bcubed.recall, 1)
    near(pairwise.precision, 1 / 3)
    assert.deepEqual([tracks, groups], [2, 1])
  })

  it('equals the definitions on random groups', () => {
    const random = seededRandom(5)
    for (let round = 0; round < 20; round++) {
      const items = Array.from({ length: 40 }, (): GroupedItem => ({
        person: random() < 0.2 ? undefined : 'abcdefg'[Math.floor(random() * 7)],
        group: random() < 0.1 ? undefined : Math.floor(random() * 9),
      }))
      const { bcubed, pairwise } = groupAgreement(items)
      const expected = byDefinition(items)
      near(bcubed.precision, expected.precision)
      near(bcubed.recall, expected.recall)
      near(pairwise.precision, expected.pairPrecision)
      near(pairwise.recall, expected.pairRecall)
    }
  })

  it('has intervals that hold the figure, and none where all people are alike', () => {
    const { ci95, f } = groupAgreement(grouped('aaaab bbb cc c d d d')).bcubed
    assert.ok(ci95.f[0] < f && f < ci95.f[1])
    assert.deepEqual(groupAgreement(grouped('aa bb')).bcubed.ci95.f, [1, 1])
  })
})
