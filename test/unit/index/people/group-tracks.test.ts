import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EdgeQueue } from '../../../../index/people/edge-queue.js'
import { groupTracks, type GroupingOptions } from '../../../../index/people/group-tracks.js'
import { consistentLinks } from '../../../../index/people/consistent-links.js'
import { keepIds } from '../../../../index/people/keep-ids.js'
import type { KnownLinks } from '../../../../index/people/people-in-work.js'
import { qualityDirection, removeQualityDirection } from '../../../../index/people/quality-direction.js'
import { linkedRows, spreadCannot, uniteLinked } from '../../../../index/people/unite-linked.js'
import { shareFrames, type TracksToGroup } from '../../../../index/people/tracks-to-group.js'
import { seededRandom } from '../../../support/random.js'
import { createDirections, near } from '../../../support/vectors.js'

const dimension = 64

interface Given {
  readonly vector: Float32Array
  readonly quality?: number
  readonly clip?: number
  readonly spans?: readonly (readonly [number, number])[]
}

function tracksOf(given: readonly Given[]): TracksToGroup {
  const spans = given.map((each) => each.spans ?? [[0, 1]])
  const vectors = new Float32Array(given.length * dimension)
  for (const [row, { vector }] of given.entries()) vectors.set(vector, row * dimension)
  let end = 0
  return {
    ...{ count: given.length, dimension, vectors },
    qualities: Float32Array.from(given, ({ quality = 0.5 }) => quality),
    clips: Int32Array.from(given, ({ clip }, row) => clip ?? row),
    firstSpan: Uint32Array.from([0, ...spans.map(({ length }) => (end += length))]),
    startsS: Float64Array.from(spans.flat(), ([start]) => start),
    endsS: Float64Array.from(spans.flat(), ([, last]) => last),
  }
}

/** Every pair: the graph of neighbours without a limit. */
function allPairs(count: number) {
  const pairs = Array.from({ length: count }, (_, a) =>
    Array.from({ length: a }, (__, b) => [a, b] as const),
  ).flat()
  return { from: Int32Array.from(pairs, ([a]) => a), to: Int32Array.from(pairs, ([, b]) => b) }
}

const none: KnownLinks = { must: [], cannot: [] }

const groupsOf = (
  given: readonly Given[],
  links: Partial<KnownLinks> = {},
  options: Partial<GroupingOptions> = {},
) =>
  groupTracks(tracksOf(given), allPairs(given.length), { ...none, ...links }, { threshold: 0.5, ...options })

/** Tracks of people: `sizes[i]` of each, with this cosine to the person's face. */
function people(sizes: readonly number[], cosine: number, seed: number): { given: Given[]; truth: number[] } {
  const next = createDirections(dimension, seed)
  const truth = sizes.flatMap((size, person) => new Array<number>(size).fill(person))
  const faces = sizes.map(() => next())
  return { truth, given: truth.map((person) => ({ vector: near(faces[person]!, cosine, next()) })) }
}

describe('grouping tracks', () => {
  it('finds the people of well separated tracks, and leaves others alone', () => {
    const { given, truth } = people([5, 1, 3, 2], 0.93, 1)
    const groups = groupsOf(given)
    assert.deepEqual(groups.map((rows) => rows.map((row) => truth[row])), [[0, 0, 0, 0, 0], [1], [2, 2, 2], [3, 3]]) // prettier-ignore
  })

  it('does not depend on the order of the pairs', () => {
    const { given } = people([4, 4, 4, 4, 3, 2, 1], 0.75, 2)
    const pairs = allPairs(given.length)
    const turned = { from: pairs.from.slice().reverse(), to: pairs.to.slice().reverse() }
    const swapped = { from: pairs.to, to: pairs.from }
    const options = { threshold: 0.4 }
    const expected = groupTracks(tracksOf(given), pairs, none, options)
    assert.deepEqual(groupTracks(tracksOf(given), turned, none, options), expected)
    assert.deepEqual(groupTracks(tracksOf(given), swapped, none, options), expected)
  })

  it('joins what a chain of neighbours connects, if the groups are alike', () => {
    const { given } = people([6], 0.93, 3)
    const chain = { from: Int32Array.of(0, 2, 4, 1, 3), to: Int32Array.of(1, 3, 5, 2, 4) }
    assert.equal(groupTracks(tracksOf(given), chain, none, { threshold: 0.6 }).length, 1)
  })

  it('equals average linkage by its definition, where that is asked for', () => {
    const { given } = people([5, 4, 3, 3, 1, 1], 0.8, 4)
    const same = given.map((each) => ({ ...each, quality: 1 }))
    assert.deepEqual(
      groupsOf(same, {}, { threshold: 0.45, similarityOf: ({ product }) => product }).map((rows) => [
        ...rows,
      ]),
      averageLinkage(
        same.map(({ vector }) => vector),
        0.45,
      ),
    )
  })

  it('keeps tracks apart that share a frame, also through a third one', () => {
    const { given } = people([3], 0.97, 5)
    const [a, b, c] = given as [Given, Given, Given]
    const inOneClip = [
      { ...a, clip: 7, spans: [[0, 2]] as const },
      { ...b, clip: 7, spans: [[5, 6], [2, 3]] as const },
      { ...c, clip: 8 },
    ] // prettier-ignore
    const groups = groupsOf(inOneClip)
    assert.equal(groups.length, 2)
    assert.ok(!groups.some((rows) => rows.includes(0) && rows.includes(1)))
    assert.equal(groupsOf(inOneClip, {}, { keepsApart: false }).length, 1)
  })

  it('obeys corrections: together though different, apart though alike', () => {
    const { given } = people([2, 2], 0.95, 6)
    assert.ok(groupsOf(given, { must: [[0, 2]] }).some((rows) => rows.includes(0) && rows.includes(2)))
    assert.deepEqual(groupsOf(given, { cannot: [[0, 1]] }).length, 3)
    // What is together may not be joined with somebody else through another track.
    const apart = groupsOf(given, { must: [[0, 2]], cannot: [[2, 3]] })
    assert.ok(!apart.some((rows) => rows.includes(2) && rows.includes(3)))
  })

  it('joins no two known people, but gives both further tracks', () => {
    const { given } = people([4], 0.97, 7)
    const groups = groupsOf(given, { labels: Int32Array.of(1, 2, -1, -1) })
    assert.equal(groups.length, 2)
    assert.ok(groups.every((rows) => !(rows.includes(0) && rows.includes(1))))
  })

  it('removes what changes with quality, so that blurred faces are not alike for being blurred', () => {
    const next = createDirections(dimension, 8)
    const blur = next()
    const given = Array.from({ length: 300 }, (_, i): Given => {
      const quality = (i % 10) / 10
      return { vector: near(next(), 1 - 0.6 * (1 - quality), blur), quality }
    })
    const tracks = tracksOf(given)
    const direction = qualityDirection(tracks)!
    const along = (vectors: Float32Array, row: number, way: ArrayLike<number>) =>
      vectors
        .subarray(row * dimension, (row + 1) * dimension)
        .reduce((sum, value, i) => sum + value * way[i]!, 0)
    assert.ok(Math.abs(blur.reduce((sum, value, i) => sum + value * direction[i]!, 0)) > 0.95)
    assert.ok(along(tracks.vectors, 0, blur) > 0.5)
    removeQualityDirection(tracks)
    assert.ok(Math.abs(along(tracks.vectors, 0, direction)) < 1e-5)
    for (const row of [0, 5, 299]) {
      const vector = tracks.vectors.subarray(row * dimension, (row + 1) * dimension)
      assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5)
    }
  })
})

/** Joins the two groups with the highest mean similarity over all pairs, until none reaches the threshold. */
function averageLinkage(vectors: readonly Float32Array[], threshold: number): number[][] {
  const dot = (a: number, b: number) =>
    vectors[a]!.reduce((sum, value, i) => sum + value * vectors[b]![i]!, 0)
  let groups = vectors.map((_, row) => [row])
  for (;;) {
    let best = { mean: threshold, i: -1, j: -1 }
    for (const [i, one] of groups.entries())
      for (const [j, other] of groups.entries()) {
        if (i >= j) continue
        const mean = one.flatMap((a) => other.map((b) => dot(a, b))).reduce((sum, value) => sum + value, 0) / (one.length * other.length) // prettier-ignore
        if (mean >= best.mean) best = { mean, i, j }
      }
    if (best.i < 0) break
    const joined = [...groups[best.i]!, ...groups[best.j]!].sort((a, b) => a - b)
    groups = [...groups.filter((_, at) => at !== best.i && at !== best.j), joined]
  }
  return groups.sort((a, b) => a[0]! - b[0]!)
}

describe('tracks that share frames', () => {
  const tracks = tracksOf([
    { vector: new Float32Array(dimension), clip: 1, spans: [[0, 1], [4, 5]] },
    { vector: new Float32Array(dimension), clip: 1, spans: [[1, 2]] },
    { vector: new Float32Array(dimension), clip: 1, spans: [[1.5, 3.9]] },
    { vector: new Float32Array(dimension), clip: 2, spans: [[0, 9]] },
  ]) // prettier-ignore

  it('are those with a common time in one clip, the last frame included', () => {
    assert.deepEqual(
      [[0, 1], [0, 2], [1, 2], [0, 3], [2, 0]].map(([a = 0, b = 0]) => shareFrames(tracks, a, b)),
      [true, false, true, false, false],
    ) // prettier-ignore
  })
})

describe('a queue of edges', () => {
  it('gives the most similar first, like a sort', () => {
    const random = seededRandom(9)
    const queue = new EdgeQueue()
    const edges = Array.from({ length: 3000 }, (_, i) => ({
      ...{ a: i, b: i + 1, version: i % 7 },
      similarity: Math.fround(Math.floor(random() * 200) / 200),
    }))
    for (const edge of edges) queue.push(edge)
    const popped = Array.from({ length: 3000 }, () => queue.pop()!)
    assert.deepEqual(
      popped,
      edges.toSorted((a, b) => b.similarity - a.similarity || a.a - b.a),
    )
    assert.equal(queue.pop(), undefined)
  })
})

describe('groups that corrections unite', () => {
  const vector = new Float32Array(dimension)
  const tracks = tracksOf([{ vector }, { vector, clip: 9 }, { vector }, { vector, clip: 9 }, { vector }])

  it('keep all their tracks, but for those that share frames', () => {
    assert.deepEqual(uniteLinked([[0, 1], [2, 3], [4]], linkedRows([[0, 2]]), tracks), [[0, 1, 2], [4], [3]]) // prettier-ignore
    assert.deepEqual(uniteLinked([[0, 1], [2, 3], [4]], linkedRows([[1, 3]]), tracks), [[0, 1, 2, 3], [4]]) // prettier-ignore
    assert.deepEqual(uniteLinked([[0], [1], [2], [3, 4]], linkedRows([[0, 1], [2, 4], [4, 1]]), tracks), [[0, 1, 2, 4], [3]]) // prettier-ignore
  })

  it('are not joined with what one of them may not be joined with', () => {
    assert.deepEqual(spreadCannot([[2, 7]], linkedRows([[1, 2], [7, 8]])), [[1, 7], [1, 8], [2, 7], [2, 8]]) // prettier-ignore
  })
})

describe('ids of people', () => {
  it('go to the group with most of their tracks; new groups get none', () => {
    const before = [1, 1, 1, 2, 2, 1, undefined, undefined]
    assert.deepEqual(
      keepIds([[0, 1, 3], [2, 5], [4], [6, 7]], (row) => before[row]),
      [1, undefined, 2, undefined],
    )
  })

  it('stay with a named face, also where another group has more of its tracks', () => {
    const before = [1, 1, 1, 1, 2]
    assert.deepEqual(
      keepIds([[0, 1, 2, 4], [3]], (row) => before[row], new Set([3, 4])),
      [2, 1],
    )
  })

  it('stay where a person takes in another', () => {
    const before = [4, 4, 3]
    assert.deepEqual(
      keepIds([[0, 1, 2]], (row) => before[row]),
      [4],
    )
  })
})

describe('corrections that contradict each other', () => {
  it('are decided by the newest', () => {
    const [must, cannot] = [{ kind: 'must', a: 1, b: 2 } as const, { kind: 'cannot', a: 2, b: 1 } as const]
    assert.deepEqual(consistentLinks([must, cannot]), { must: [[1, 2]], cannot: [] })
    assert.deepEqual(consistentLinks([cannot, must]), { must: [], cannot: [[2, 1]] })
  })

  it('are seen through others', () => {
    const links = [
      { kind: 'cannot', a: 1, b: 3 },
      { kind: 'must', a: 1, b: 2 },
      { kind: 'must', a: 2, b: 3 },
    ] as const
    assert.deepEqual(consistentLinks(links), { must: [[1, 2]], cannot: [[1, 3]] })
  })
})
