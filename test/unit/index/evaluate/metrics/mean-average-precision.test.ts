import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  averagePrecision,
  meanAveragePrecision,
  scoreRankings,
} from '../../../../../index/evaluate/metrics/mean-average-precision.js'
import { shuffled } from '../../../../../pipeline/common/seeded-random.js'
import { seededRandom } from '../../../../support/random.js'
import type { GroundTruth, Rankings } from '../../../../../index/evaluate/data/rankings.js'

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`)

const strangers = (count: number) => Array.from({ length: count }, (_, i) => `stranger${i}.mp4`)

describe('average precision at 100', () => {
  // Worked by hand: precision at each hit's rank, summed, over m.
  const table = [
    {
      ranked: ['p1', 'x', 'p2', 'y', 'p3'],
      positives: ['p1', 'p2', 'p3', 'p4'],
      ap: (1 + 2 / 3 + 3 / 5) / 4,
    },
    { ranked: ['p1', 'p2'], positives: ['p1', 'p2'], ap: 1 },
    { ranked: ['x', 'p1'], positives: ['p1'], ap: 1 / 2 },
    { ranked: ['x', 'y'], positives: ['p1'], ap: 0 },
    { ranked: [], positives: ['p1'], ap: 0 },
    { ranked: ['p1'], positives: ['p1', 'p2', 'p3', 'p4', 'p5'], ap: 1 / 5 },
  ]
  for (const { ranked, positives, ap } of table)
    it(`${ranked.join(' ') || 'nothing'} for ${positives.length} positives gives ${ap.toFixed(4)}`, () =>
      near(averagePrecision(ranked, new Set(positives)), ap))

  it('a hit at rank 100 counts, one at rank 101 does not', () => {
    near(averagePrecision([...strangers(99), 'p1'], new Set(['p1'])), 1 / 100)
    assert.equal(averagePrecision([...strangers(100), 'p1'], new Set(['p1'])), 0)
  })

  it('positives beyond rank 100 still count in the denominator', () => {
    const positives = Array.from({ length: 250 }, (_, i) => `p${i}`)
    near(averagePrecision(positives, new Set(positives)), 100 / 250)
  })
})

describe('scores of all identities', () => {
  const groundTruth: GroundTruth = new Map([
    ['1', new Set(['a', 'b'])],
    ['2', new Set(['c'])],
    ['3', new Set(['d', 'e', 'f'])],
  ])

  it('an identity that the rankings lack scores 0 and counts in the mean', () => {
    const scores = scoreRankings(
      new Map([
        ['3', ['d', 'x', 'e', 'f']],
        ['1', ['x', 'b']],
      ]),
      groundTruth,
    )
    const third = (1 + 2 / 3 + 3 / 4) / 3
    assert.deepEqual(
      scores.map(({ identity, positives, found }) => [identity, positives, found]),
      [
        ['1', 2, 1],
        ['2', 1, 0],
        ['3', 3, 3],
      ],
    )
    near(meanAveragePrecision(scores), (1 / 4 + 0 + third) / 3)
  })

  it('does not count hits beyond rank 100 as found', () => {
    const [score] = scoreRankings(
      new Map([['1', ['a', ...strangers(99), 'b']]]),
      new Map([['1', new Set(['a', 'b'])]]),
    )
    assert.deepEqual([score?.found, score?.positives, score?.averagePrecision], [1, 2, 1 / 2])
  })

  it('no identities have a MAP of 0', () => assert.equal(meanAveragePrecision([]), 0))
})

describe('on random rankings', () => {
  /** Precision at every rank by counting the prefix afresh, weighted by whether the rank is a hit. */
  function bruteForce(ranked: readonly string[], positives: ReadonlySet<string>): number {
    const precisions: number[] = []
    for (let rank = 1; rank <= Math.min(100, ranked.length); rank++) {
      const prefix = ranked.slice(0, rank)
      const isHit = positives.has(prefix.at(-1)!)
      if (isHit) precisions.push(new Set(prefix.filter((clip) => positives.has(clip))).size / rank)
    }
    return precisions.reduce((a, b) => a + b, 0) / positives.size
  }

  function randomCase(seed: number): { groundTruth: GroundTruth; rankings: Rankings } {
    const random = seededRandom(seed)
    const clips = Array.from({ length: 400 }, (_, i) => `clip${i}.mp4`)
    const groundTruth = new Map<string, Set<string>>()
    const rankings = new Map<string, string[]>()
    for (let i = 1; i <= 20; i++) {
      const order = shuffled(clips.length, random)
      const size = 1 + Math.floor(random() * (random() < 0.2 ? 200 : 30))
      groundTruth.set(`${i}`, new Set([...order.subarray(0, size)].map((c) => clips[c]!)))
      const likes = clips.map((clip) => ({
        clip,
        score: random() + (groundTruth.get(`${i}`)!.has(clip) ? 0.4 : 0),
      }))
      likes.sort((a, b) => b.score - a.score)
      if (random() < 0.9)
        rankings.set(`${i}`, likes.slice(0, Math.floor(random() * 130)).map(({ clip }) => clip)) // prettier-ignore
    }
    return { groundTruth, rankings }
  }

  it('agrees with counting every prefix afresh', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { groundTruth, rankings } = randomCase(seed)
      const scores = scoreRankings(rankings, groundTruth)
      assert.ok(scores.some(({ averagePrecision: ap }) => ap > 0))
      for (const { identity, averagePrecision: ap } of scores)
        near(ap, bruteForce(rankings.get(identity) ?? [], groundTruth.get(identity)!))
    }
  })

  it('a perfect submission scores 1 if no identity has more than 100 positives', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { groundTruth } = randomCase(seed)
      const small = new Map([...groundTruth].filter(([, clips]) => clips.size <= 100))
      const perfect = new Map([...small].map(([identity, clips]) => [identity, [...clips]]))
      near(meanAveragePrecision(scoreRankings(perfect, small)), 1)
    }
  })

  it('the order of the ground truth, and of its clips, changes nothing', () => {
    const { groundTruth, rankings } = randomCase(3)
    const order = shuffled(groundTruth.size, seededRandom(4))
    const lines = [...groundTruth]
    const turned = new Map(
      [...order].map((at) => {
        const [identity, clips] = lines[at]!
        return [identity, new Set([...clips].reverse())] as const
      }),
    )
    const byIdentity = (truth: GroundTruth) =>
      new Map(scoreRankings(rankings, truth).map((score) => [score.identity, score]))
    assert.deepEqual(
      [...byIdentity(turned)].sort(([a], [b]) => Number(a) - Number(b)),
      [...byIdentity(groundTruth)],
    )
    near(
      meanAveragePrecision(scoreRankings(rankings, turned)),
      meanAveragePrecision(scoreRankings(rankings, groundTruth)),
    )
  })

  it('a stranger at the end of a list changes nothing; one at its head does', () => {
    const { groundTruth, rankings } = randomCase(5)
    const short = new Map([...rankings].map(([identity, clips]) => [identity, clips.slice(0, 99)]))
    const scoreOf = (change: (clips: readonly string[]) => string[]) =>
      scoreRankings(new Map([...short].map(([identity, clips]) => [identity, change(clips)])), groundTruth)
    assert.deepEqual(
      scoreOf((clips) => [...clips, 'stranger.mp4']),
      scoreRankings(short, groundTruth),
    )
    assert.ok(
      meanAveragePrecision(scoreOf((clips) => ['stranger.mp4', ...clips])) <
        meanAveragePrecision(scoreRankings(short, groundTruth)),
    )
  })
})
