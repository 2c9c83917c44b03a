import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../../support/random.js'
import { Tracker } from '../../../../pipeline/track/tracker.js'
import { evenTimes, mixed, normal, track, type Actor } from './scene.js'

const still = (x: number, y: number, size: number): Actor => ({ at: () => ({ x, y, size }) })

/** A face seen only from `fromS` to `toS`, inclusive. */
const during = (fromS: number, toS: number, actor: Actor): Actor => ({
  ...actor,
  at: (timeS) => (timeS >= fromS && timeS <= toS ? actor.at(timeS) : undefined),
})

const withAndWithoutLooks = [
  { withLooks: true, name: 'with patches' },
  { withLooks: false, name: 'without patches' },
]

describe('a single face', () => {
  for (const { withLooks, name } of withAndWithoutLooks) {
    it(`that jitters for 60 s is one track, ${name}`, () => {
      const tracks = track({
        actors: [still(500, 300, 80)],
        timesS: evenTimes(60),
        random: seededRandom(5),
        withLooks,
      })
      assert.equal(tracks.length, 1)
      assert.equal(tracks[0]?.observations.length, 241)
    })

    it(`with sporadic misses is one track without invented boxes, ${name}`, () => {
      const missed = new Set([7, 19, 20, 44, 60, 61, 90])
      const tracks = track({
        actors: [still(500, 300, 80)],
        timesS: evenTimes(30),
        random: seededRandom(2),
        withLooks,
        isMissed: (_actor, _timeS, frame) => missed.has(frame),
      })
      assert.equal(tracks.length, 1)
      assert.equal(tracks[0]?.observations.length, 121 - missed.size)
    })

    it(`that crosses the picture at 1.2 face widths per sample is one track, ${name}`, () => {
      const tracks = track({
        actors: [{ at: (timeS) => ({ x: 100 + 4.8 * 60 * timeS, y: 300, size: 60 }) }],
        timesS: evenTimes(4),
        random: seededRandom(3),
        withLooks,
      })
      assert.equal(tracks.length, 1)
    })

    it(`sampled at uneven times (0.1 to 1.2 s apart) while it moves slowly is one track, ${name}`, () => {
      const random = seededRandom(4)
      const timesS = [0]
      while (timesS.length < 80) timesS.push(timesS.at(-1)! + 0.1 + 1.1 * random() ** 2)
      const tracks = track({
        actors: [{ at: (timeS) => ({ x: 500 + 200 * Math.sin(timeS / 3), y: 300, size: 90 }) }],
        timesS,
        random,
        withLooks,
      })
      assert.equal(tracks.length, 1)
    })
  }

  it('that comes closer until it is ten times as large is one track', () => {
    const tracks = track({
      actors: [{ at: (timeS) => ({ x: 600, y: 350, size: 40 * Math.exp(timeS * 0.23) }) }],
      timesS: evenTimes(10),
      random: seededRandom(6),
      withLooks: true,
    })
    assert.equal(tracks.length, 1)
  })

  it('unseen for longer than maxGapS ends as lost, in the frame that shows it', () => {
    const tracker = new Tracker<string>({ maxGapS: 1 })
    const input = { box: [10, 10, 60, 60] as const, score: 0.9, payload: 'a' }
    assert.deepEqual(tracker.update({ timeS: 0, inputs: [input] }), {
      isCut: false,
      ended: [],
      trackIds: [0],
    })
    for (const timeS of [0.25, 0.5, 0.75]) {
      assert.deepEqual(tracker.update({ timeS, inputs: [] }).ended, [])
    }
    const { ended } = tracker.update({ timeS: 1, inputs: [] })
    assert.deepEqual(ended, [
      {
        id: 0,
        startS: 0,
        endS: 0,
        observations: [{ timeS: 0, box: [10, 10, 60, 60], score: 0.9, payload: 'a' }],
        endedBy: 'lost',
      },
    ])
    assert.deepEqual(tracker.finish(), [])
  })
})

describe('detection scores', () => {
  it('continue a track if they are weak, but never start one', () => {
    const score = (timeS: number): number => (timeS >= 2 && timeS <= 4 ? 0.4 : 0.9)
    const random = seededRandom(7)
    const timesS = evenTimes(8)
    const turning = track({
      actors: [{ ...still(300, 200, 70), score }],
      timesS,
      random,
      withLooks: true,
    })
    assert.equal(turning.length, 1)
    assert.equal(turning[0]?.observations.length, timesS.length)
    const weak = track({
      actors: [{ ...still(300, 200, 70), score: () => 0.5 }],
      timesS,
      random,
      withLooks: true,
    })
    assert.deepEqual(weak, [])
  })

  it('do not continue a track if they are weak and two face sizes from the expected place', () => {
    const tracker = new Tracker<number>()
    const inputAt = (x: number, score: number) => ({
      box: [x, 100, x + 50, 150] as const,
      score,
      payload: x,
    })
    for (const timeS of [0, 0.25, 0.5]) tracker.update({ timeS, inputs: [inputAt(100, 0.9)] })
    assert.deepEqual(tracker.update({ timeS: 0.75, inputs: [inputAt(200, 0.4)] }).trackIds, [undefined])
  })

  it('are ignored below lowScore, and for boxes without area', () => {
    const tracker = new Tracker<string>()
    const { trackIds } = tracker.update({
      timeS: 0,
      inputs: [
        { box: [0, 0, 50, 50], score: 0.2, payload: 'weak' },
        { box: [50, 50, 50, 90], score: 0.9, payload: 'no width' },
        { box: [NaN, 0, 50, 50], score: 0.9, payload: 'no place' },
        { box: [100, 0, 150, 50], score: 0.9, payload: 'face' },
      ],
    })
    assert.deepEqual(trackIds, [undefined, undefined, undefined, 0])
  })
})

describe('two faces that cross', () => {
  const speeds = [0.3, 0.6, 1, 2, 4]
  const seeds = 40

  /** Runs crossings at ± `speed` face sizes per second. Who is hidden in the 1–3 frames around the crossing varies. */
  function crossings(
    withLooks: boolean,
    hidden: 'both' | 'one',
  ): { runs: number; switched: number; tracks: number } {
    let runs = 0
    let switched = 0
    let tracks = 0
    for (const speed of speeds) {
      for (let seed = 0; seed < seeds; seed++) {
        const random = seededRandom(seed * 97 + Math.round(speed * 10))
        const timesS = evenTimes(Math.max(4, 6 / speed))
        const size = 40 + 100 * random()
        const meetS = timesS.at(-1)! / 2 + (random() - 0.5) / 4
        const across = (random() - 0.5) * 0.4 * size
        const actors = [1, -1].map((direction, index): Actor => {
          const velocity = direction * speed * size * (0.8 + 0.4 * random())
          const own = size * (index === 0 ? 1 : 0.8 + 0.4 * random())
          return {
            at: (timeS) => ({ x: 1000 + velocity * (timeS - meetS), y: 300 + index * across, size: own }),
          }
        })
        const missing = 1 + Math.floor(random() * 3)
        const first = Math.round(meetS * 4) - Math.floor(missing / 2)
        const result = track({
          actors,
          timesS,
          random,
          withLooks,
          isMissed: (actor, _timeS, frame) =>
            (hidden === 'both' || actor === 1) && frame >= first && frame < first + missing,
        })
        runs++
        tracks += result.length
        if (mixed(result).length > 0) switched++
      }
    }
    return { runs, switched, tracks }
  }

  for (const hidden of ['both', 'one'] as const) {
    const who = hidden === 'both' ? 'both are hidden' : 'one is hidden by the other'
    it(`keep their identities while ${who}, with patches, in 2 to 4 tracks on average`, () => {
      const { runs, switched, tracks } = crossings(true, hidden)
      assert.equal(switched, 0)
      assert.ok(tracks / runs < 4, `${tracks / runs} tracks per crossing`)
    })

    it(`keep their identities while ${who}, without patches, but in more fragments`, () => {
      assert.equal(crossings(false, hidden).switched, 0)
    })
  }

  it('of very different size stay whole although one passes in front of the other', () => {
    const tracks = track({
      actors: [still(500, 300, 60), { at: (timeS) => ({ x: 200 + 150 * timeS, y: 320, size: 150 }) }],
      timesS: evenTimes(4),
      random: seededRandom(9),
      withLooks: true,
      isMissed: (actor, timeS) => actor === 0 && Math.abs(timeS - 2) < 0.3,
    })
    assert.deepEqual(mixed(tracks), [])
    assert.equal(tracks.length, 2)
  })

  it('end as ambiguous, and start again, if nothing shows whose face the only visible box is', () => {
    const tracker = new Tracker<string>()
    const inputAt = (x: number, payload: string) => ({
      box: [x, 100, x + 50, 150] as const,
      score: 0.9,
      payload,
    })
    for (const timeS of [0, 0.25, 0.5, 0.75]) {
      tracker.update({ timeS, inputs: [inputAt(100, 'a'), inputAt(115, 'b')] })
    }
    const { ended, trackIds } = tracker.update({ timeS: 1, inputs: [inputAt(107, '?')] })
    assert.ok(ended.length >= 2)
    assert.ok(ended.every(({ endedBy, endS }) => endedBy === 'ambiguous' && endS === 0.75))
    assert.ok(ended.every(({ observations }) => new Set(observations.map((o) => o.payload)).size === 1))
    assert.equal(typeof trackIds[0], 'number')
    assert.ok(!ended.some(({ id }) => id === trackIds[0]))
  })
})

describe('one face after another', () => {
  for (const { withLooks, name } of withAndWithoutLooks) {
    it(`at the same place a second later is another track, ${name}`, () => {
      // A few strangers in a hundred have patches as similar as those of one face a second apart; then only embeddings
      // can tell them apart.
      let switched = 0
      for (let seed = 0; seed < 100; seed++) {
        const tracks = track({
          actors: [during(0, 3, still(500, 300, 80)), during(4, 7, still(505, 305, 80))],
          timesS: evenTimes(7),
          random: seededRandom(seed),
          withLooks,
        })
        if (mixed(tracks).length > 0) switched++
      }
      assert.ok(switched <= (withLooks ? 10 : 0), `${switched} of 100 joined`)
    })
  }

  it('after a hard cut, in the same place, is another track', () => {
    const tracker = new Tracker<string>()
    const image = (isAfter: boolean) => ({
      width: 160,
      height: 120,
      data: Uint8Array.from({ length: 160 * 120 * 3 }, (_, i) => {
        const x = Math.floor(i / 3) % 160
        return isAfter
          ? [30, 60, 200][i % 3]! * (x < 50 ? 0.3 : 1)
          : [200, 160, 40][i % 3]! * (x < 100 ? 1 : 0.3)
      }),
    })
    const input = (payload: string) => ({ box: [50, 40, 90, 90] as const, score: 0.9, payload })
    tracker.update({ timeS: 0, image: image(false), inputs: [input('a')] })
    tracker.update({ timeS: 0.25, image: image(false), inputs: [input('a')] })
    const { isCut, ended, trackIds } = tracker.update({
      timeS: 0.5,
      image: image(true),
      inputs: [input('b')],
    })
    assert.equal(isCut, true)
    assert.deepEqual(
      ended.map(({ endedBy, observations }) => [endedBy, observations.map((o) => o.payload)]),
      [['cut', ['a', 'a']]],
    )
    assert.deepEqual(trackIds, [1])
    assert.deepEqual(
      tracker.finish().map(({ observations }) => observations.map((o) => o.payload)),
      [['b']],
    )
  })
})

describe('a group', () => {
  for (const { withLooks, name } of withAndWithoutLooks) {
    it(`of 30 moving faces in rows, each missed in 3 % of frames, is never mixed up, ${name}`, () => {
      const random = seededRandom(11)
      const actors = Array.from({ length: 30 }, (_, i): Actor => {
        const [phase, period] = [random() * 6, 2 + 4 * random()]
        return {
          at: (timeS) => ({
            x: 100 + (i % 10) * 110 + 15 * Math.sin(timeS / period + phase),
            y: 100 + Math.floor(i / 10) * 140 + 10 * Math.cos(timeS / period + phase),
            size: 45 + (i % 4) * 8,
          }),
        }
      })
      const misses = seededRandom(12)
      const tracks = track({
        actors,
        timesS: evenTimes(30),
        random,
        withLooks,
        isMissed: () => misses() < 0.03,
      })
      assert.deepEqual(mixed(tracks), [])
      assert.ok(tracks.length <= 40, `${tracks.length} tracks`)
    })
  }

  it('with faces that move at random never has one observation in two tracks', () => {
    const random = seededRandom(13)
    const walks = Array.from({ length: 8 }, () => {
      const walk = [{ x: 400 * random(), y: 300 * random() }]
      while (walk.length < 41) {
        const { x, y } = walk.at(-1)!
        walk.push({ x: x + 20 * normal(random), y: y + 20 * normal(random) })
      }
      return walk
    })
    const tracks = track({
      actors: walks.map((walk) => ({ at: (timeS) => ({ ...walk[Math.round(timeS * 4)]!, size: 60 }) })),
      timesS: evenTimes(10),
      random,
      withLooks: true,
    })
    const seen = tracks.flatMap(({ observations }) => observations.map((o) => `${o.timeS}/${o.payload}`))
    assert.equal(seen.length, 8 * 41)
    assert.equal(new Set(seen).size, seen.length)
    for (const { observations } of tracks) {
      const times = observations.map((o) => o.timeS)
      assert.deepEqual(
        times,
        [...new Set(times)].sort((a, b) => a - b),
      )
    }
  })
})

describe('keyframe sampling, 2 to 10 s apart', () => {
  const random = seededRandom(21)
  const timesS = [0]
  while (timesS.length < 20) timesS.push(timesS.at(-1)! + 2 + 8 * random())

  it('keep a still face in one track if place and looks agree, except for rare deviating looks', () => {
    const lengths = Array.from({ length: 40 }, (_, seed) => {
      const tracks = track({
        actors: [still(500, 300, 80)],
        timesS,
        random: seededRandom(seed),
        withLooks: true,
      })
      return tracks.length
    })
    // A twentieth of the patches do not resemble their own face (see createLooks): about one per run.
    const average = lengths.reduce((a, b) => a + b) / lengths.length
    assert.ok(average < 2.5, `${average} tracks per run`)
    assert.ok(lengths.filter((n) => n === 1).length >= 15, lengths.join(' '))
  })

  it('give a face elsewhere in the next frame another track', () => {
    const tracks = track({
      actors: [{ at: (timeS) => ({ x: 200 + 100 * Math.floor(timeS), y: 300, size: 80 }) }],
      timesS,
      random: seededRandom(22),
      withLooks: true,
    })
    assert.equal(tracks.length, timesS.length)
  })

  it('give every observation its own track without patches', () => {
    const tracks = track({
      actors: [still(500, 300, 80)],
      timesS,
      random: seededRandom(23),
      withLooks: false,
    })
    assert.equal(tracks.length, timesS.length)
  })

  it('find a face again two intervals later if it was missed once', () => {
    const tracks = track({
      actors: [still(500, 300, 80)],
      timesS: [0, 3, 6, 9],
      random: seededRandom(24),
      withLooks: true,
      isMissed: (_actor, timeS) => timeS === 3,
    })
    assert.equal(tracks.length, 1)
  })
})

describe('the tracker instance', () => {
  it('refuses frames out of order and patches of another size', () => {
    const tracker = new Tracker<number>()
    tracker.update({ timeS: 1, inputs: [] })
    assert.throws(() => tracker.update({ timeS: 1, inputs: [] }), RangeError)
    assert.throws(
      () =>
        tracker.update({
          timeS: 2,
          inputs: [{ box: [0, 0, 9, 9], score: 1, appearance: new Uint8Array(64), payload: 0 }],
        }),
      /256 grey values, not 64/,
    )
  })

  it('shares no ids with another one', () => {
    const input = { box: [0, 0, 9, 9] as const, score: 1, payload: 0 }
    for (const tracker of [new Tracker<number>(), new Tracker<number>()]) {
      assert.deepEqual(tracker.update({ timeS: 0, inputs: [input] }).trackIds, [0])
    }
  })

  it('gives the same tracks for any order of detections within a frame', () => {
    const run = (isReversed: boolean) => {
      const tracker = new Tracker<number>()
      const random = seededRandom(31)
      for (let frame = 0; frame < 40; frame++) {
        const inputs = [0, 1, 2, 3].map((index) => {
          const x = 100 + index * 70 + 10 * normal(random)
          return { box: [x, 100, x + 60, 160] as const, score: 0.9, payload: index * 1000 + frame }
        })
        tracker.update({ timeS: frame / 4, inputs: isReversed ? inputs.reverse() : inputs })
      }
      return new Set(tracker.finish().map((t) => t.observations.map((o) => o.payload).join()))
    }
    assert.deepEqual(run(true), run(false))
  })
})
