import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TopClips } from '../../../../../index/evaluate/metrics/top-clips.js'
import { seededRandom } from '../../../../support/random.js'

/** All clips by their best track, sorted as a whole. */
function bySorting(
  scores: Float32Array,
  clipOf: (column: number) => number,
  clipNames: readonly string[],
  keep: number,
) {
  const best = new Map<number, number>()
  for (const [column, score] of scores.entries())
    if (!Number.isNaN(score)) best.set(clipOf(column), Math.max(score, best.get(clipOf(column)) ?? -Infinity))
  return [...best]
    .map(([clip, score]) => ({ clip, score }))
    .sort((a, b) => b.score - a.score || (clipNames[a.clip]! < clipNames[b.clip]! ? -1 : 1))
    .slice(0, keep)
}

interface Case {
  readonly name: string
  readonly clips: number
  /** Tracks of a clip follow each other, or lie anywhere. */
  readonly tracksAClip: number
  readonly scattered?: boolean
  readonly scoreOf: (random: () => number, column: number) => number
  readonly keep?: number
}

const cases: readonly Case[] = [
  { name: 'one track a clip', clips: 3000, tracksAClip: 1, scoreOf: (random) => random() },
  { name: 'many tracks a clip', clips: 900, tracksAClip: 7, scoreOf: (random) => random() },
  { name: 'tracks of a clip in other blocks', clips: 900, tracksAClip: 7, scattered: true, scoreOf: (random) => random() }, // prettier-ignore
  { name: 'ties', clips: 3000, tracksAClip: 2, scoreOf: (random) => Math.floor(random() * 5) / 5 },
  { name: 'all equal', clips: 3000, tracksAClip: 1, scoreOf: () => 0.5 },
  { name: 'NaN', clips: 1500, tracksAClip: 3, scoreOf: (random) => (random() < 0.4 ? NaN : random()) },
  { name: 'NaN only', clips: 1500, tracksAClip: 1, scoreOf: () => NaN },
  { name: 'ascending', clips: 3000, tracksAClip: 1, scoreOf: (_, column) => column / 3000 },
  { name: 'descending', clips: 3000, tracksAClip: 1, scoreOf: (_, column) => -column },
  { name: 'minus infinity', clips: 800, tracksAClip: 1, scoreOf: (random) => (random() < 0.9 ? -Infinity : random()) }, // prettier-ignore
  { name: 'fewer clips than are kept', clips: 40, tracksAClip: 4, scoreOf: (random) => random() },
  { name: 'only the first', clips: 500, tracksAClip: 2, scoreOf: (random) => random(), keep: 1 },
]

describe('the best clips, block by block, are those that sorting everything gives', () => {
  for (const { name, clips, tracksAClip, scattered = false, scoreOf, keep = 100 } of cases)
    it(name, () => {
      const random = seededRandom(clips + tracksAClip)
      const identities = 3
      const columns = clips * tracksAClip
      const clipOf = (column: number) => (scattered ? column % clips : Math.floor(column / tracksAClip))
      // Names that are in another order than the numbers.
      const clipNames = Array.from({ length: clips }, (_, clip) =>
        `${(clip * 7919) % clips}`.padStart(5, '0'),
      )
      const rows = Array.from({ length: identities }, () =>
        Float32Array.from({ length: columns }, (_, column) => scoreOf(random, column)),
      )
      const top = new TopClips(identities, clipNames, keep)
      const byRows = new TopClips(identities, clipNames, keep)
      for (let from = 0; from < columns; from += 611) {
        const width = Math.min(611, columns - from)
        const block = new Float32Array(identities * width)
        rows.forEach((row, i) => block.set(row.subarray(from, from + width), i * width))
        top.addBlock(block, width, (column) => clipOf(from + column))
        const turned = block.map((_, at) => block[(at % identities) * width + Math.floor(at / identities)]!)
        byRows.addRows(turned, (row) => clipOf(from + row))
      }
      for (const [i, row] of rows.entries()) {
        const expected = bySorting(row, clipOf, clipNames, keep)
        assert.deepEqual(top.ranked(i), expected, `identity ${i}`)
        assert.deepEqual(byRows.ranked(i), expected, `identity ${i}, by rows`)
        assert.deepEqual(top.ranked(i), expected, 'asked again')
      }
    })

  it('one score at a time', () => {
    const random = seededRandom(9)
    const scores = Float32Array.from({ length: 4000 }, () => Math.floor(random() * 900) / 900)
    const clipNames = Array.from({ length: 4000 }, (_, clip) => `c${clip}`)
    const top = new TopClips(1, clipNames)
    scores.forEach((score, clip) => top.add(0, clip, score))
    assert.deepEqual(
      top.ranked(0),
      bySorting(scores, (clip) => clip, clipNames, 100),
    )
  })

  it('columns and rows of a negative clip are skipped, and more may be added after reading', () => {
    const names = ['a', 'b', 'c']
    const top = new TopClips(2, names, 2)
    top.addBlock(Float32Array.of(9, 1, 9, 2), 2, (column) => column - 1)
    assert.deepEqual([top.ranked(0), top.ranked(1)], [[{ clip: 0, score: 1 }], [{ clip: 0, score: 2 }]])
    top.addRows(Float32Array.of(9, 9, 3, 1, 0, 5), (row) => [-1, 1, 2][row]!)
    assert.deepEqual(top.ranked(0), [{ clip: 1, score: 3 }, { clip: 0, score: 1 }]) // prettier-ignore
    assert.deepEqual(top.ranked(1), [{ clip: 2, score: 5 }, { clip: 0, score: 2 }]) // prettier-ignore
  })

  it('an identity without scores has no clips', () => assert.deepEqual(new TopClips(2, ['a']).ranked(1), []))
})
