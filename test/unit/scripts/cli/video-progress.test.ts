import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVideoProgress } from '../../../../scripts/cli/video-progress.js'
import { seededRandom } from '../../../support/random.js'

interface SimulatedClip {
  readonly path: string
  readonly bytes: number
  readonly durationS: number
  /** Seconds of video that a thread processes per second. */
  readonly speed: number
  readonly kind: 'fresh' | 'unchanged' | 'measured'
}

const segmentLengthS = 600
const stepS = 0.5

/**
 * The reported and the true remaining time, every ten seconds, while two threads work on the clips in order.
 */
function simulate(clips: readonly SimulatedClip[], openS = 0.2) {
  let nowS = 0
  const progress = createVideoProgress(() => nowS, segmentLengthS)
  for (const clip of clips) {
    progress.found(clip.path, clip.bytes)
    if (clip.kind !== 'fresh') progress.measured(clip.path, clip.durationS)
    if (clip.kind === 'unchanged') progress.resumed(clip.path, 0, clip.durationS)
  }
  progress.allFound()
  const parts = clips.flatMap((clip) =>
    clip.kind === 'unchanged' ? [] : partsOf(clip.durationS).map((part) => ({ clip, ...part })),
  )
  const left = new Map(clips.map(({ path, durationS }) => [path, partsOf(durationS).length]))
  for (const { path, kind } of clips) if (kind === 'unchanged') progress.ended(path)
  const threads: { work: (typeof parts)[number] | undefined; atS: number; waitS: number }[] = [
    { work: undefined, atS: 0, waitS: 0 },
    { work: undefined, atS: 0, waitS: 0 },
  ]
  const said: { atS: number; etaS: number | undefined }[] = []
  while (parts.length > 0 || threads.some(({ work }) => work !== undefined)) {
    nowS += stepS
    for (const thread of threads) {
      if (thread.work === undefined) {
        thread.work = parts.shift()
        if (thread.work === undefined) continue
        progress.measured(thread.work.clip.path, thread.work.clip.durationS)
        thread.atS = thread.work.startS
        thread.waitS = openS
      }
      const { clip, startS, endS } = thread.work
      const workS = Math.max(0, stepS - thread.waitS)
      thread.waitS = Math.max(0, thread.waitS - stepS)
      thread.atS = Math.min(endS, thread.atS + workS * clip.speed)
      progress.reached(clip.path, Math.max(startS, thread.atS - 0.25))
      if (thread.atS < endS) continue
      progress.segmentDone(clip.path, startS, endS)
      const partsLeft = (left.get(clip.path) ?? 0) - 1
      left.set(clip.path, partsLeft)
      if (partsLeft === 0) progress.ended(clip.path)
      thread.work = undefined
    }
    if (Math.round(nowS / stepS) % (10 / stepS) === 0) said.push({ atS: nowS, etaS: progress.now().etaS })
  }
  return { said, tookS: nowS, last: progress.now() }
}

const partsOf = (durationS: number) =>
  Array.from({ length: Math.ceil(durationS / segmentLengthS) }, (_, k) => ({
    startS: k * segmentLengthS,
    endS: Math.min(durationS, (k + 1) * segmentLengthS),
  }))

/**
 * Largest accepted share by which a report differs from the report ten seconds before, less these ten
 * seconds.
 */
const largestJump = 0.15

/** Checks from the second minute on, while more than half a minute is left. */
function assertSteady({ said, tookS }: ReturnType<typeof simulate>, withinShare: number): void {
  const heard = said.filter(({ atS }) => atS >= 60 && tookS - atS > 30)
  assert.ok(heard.length > 10, `it took ${tookS} s`)
  for (const [k, { atS, etaS }] of heard.entries()) {
    assert.ok(etaS !== undefined, `nothing was said after ${atS} s`)
    const before = heard[k - 1]?.etaS
    if (before !== undefined)
      assert.ok(
        Math.abs(etaS - (before - 10)) <= largestJump * before,
        `after ${atS} s it jumps from ${before} to ${etaS}`,
      )
  }
  const wrong = heard.map(({ atS, etaS = 0 }) => Math.abs(etaS - (tookS - atS)))
  const shareAt = (share: number) => (wrong[Math.floor(share * (wrong.length - 1))] ?? 0) / tookS
  assert.ok(shareAt(0.5) <= withinShare, `half-way it is wrong by ${shareAt(0.5)} of ${tookS} s`)
  assert.ok(
    shareAt(0.9) <= 0.1 * withinShare + 0.03,
    `at its end it is wrong by ${shareAt(0.9)} of ${tookS} s`,
  )
}

const film = (durationS: number, speed = 12): SimulatedClip => ({
  ...{ path: 'film', bytes: durationS * 250_000, durationS, speed, kind: 'fresh' },
})

/** Short clips with various lengths, bit rates and speeds. */
function shorts(count: number, kind: (index: number) => SimulatedClip['kind']): SimulatedClip[] {
  const random = seededRandom(7)
  return Array.from({ length: count }, (_, index) => {
    const durationS = 20 + 160 * random()
    const bytes = durationS * (100_000 + 100_000 * random())
    return { path: `short ${index}`, bytes, durationS, speed: 8 + 12 * random(), kind: kind(index) }
  })
}

describe('the reported end of work on clips', () => {
  it('is steady over a long film that many short clips follow', () => {
    assertSteady(simulate([film(7200), ...shorts(150, (k) => (k < 12 ? 'measured' : 'fresh'))]), 0.15)
  })

  it('is steady over short clips that a long film follows', () => {
    assertSteady(simulate([...shorts(150, () => 'fresh'), { ...film(7200), kind: 'measured' }]), 0.15)
  })

  it('counts earlier work neither as work of this run nor in its speed', () => {
    const before = shorts(2000, () => 'unchanged').map((clip) => ({ ...clip, path: `old ${clip.path}` }))
    const run = simulate([...before, ...shorts(150, () => 'fresh')])
    assertSteady(run, 0.1)
    const first = run.said.find(({ atS }) => atS >= 60)
    assert.ok(
      Math.abs((first?.etaS ?? 0) - (run.tookS - 60)) < 0.3 * run.tookS,
      `${first?.etaS} of ${run.tookS} s`,
    )
  })

  it('starts where a stopped film continues', () => {
    let nowS = 0
    const progress = createVideoProgress(() => nowS, segmentLengthS)
    progress.found('film', 9)
    progress.allFound()
    progress.measured('film', 3600)
    progress.resumed('film', 0, 1800)
    assert.deepEqual(
      [progress.now().lookedAtS, progress.now().totalS, progress.now().speed],
      [1800, 3600, undefined],
    )
    for (let atS = 1800; atS <= 2000; atS += 10) {
      progress.reached('film', atS)
      nowS++
    }
    const { speed = 0, etaS = 0, atWork } = progress.now()
    assert.ok(Math.abs(speed - 10) < 1, `${speed} × real time`)
    assert.ok(Math.abs(etaS - 160) < 20, `${etaS} s are left`)
    assert.deepEqual(atWork, [{ path: 'film', atS: 2000, durationS: 3600 }])
  })

  it('is 0 when all is done; a failed clip is not remaining work', () => {
    const run = simulate([film(1800), ...shorts(3, () => 'fresh')])
    assert.equal(Math.round(run.last.lookedAtS), Math.round(run.last.totalS))
    assert.equal(run.last.etaS, 0)
    let nowS = 0
    const progress = createVideoProgress(() => nowS++, segmentLengthS)
    progress.found('whole', 100)
    progress.found('broken', 1000)
    progress.measured('whole', 60)
    assert.equal(progress.now().totalS > 60, true, 'before it is opened, it counts as a clip')
    progress.ended('broken')
    assert.equal(progress.now().totalS, 60)
  })

  it('follows clips that report only their end, also with unknown sizes', () => {
    let nowS = 0
    const progress = createVideoProgress(() => nowS)
    const clips = Array.from({ length: 100 }, (_, k) => `https://films/${k}`)
    for (const path of clips) progress.found(path, 0)
    progress.allFound()
    for (const [k, path] of clips.slice(0, 50).entries()) {
      nowS += 6
      progress.measured(path, k % 2 === 0 ? 40 : 80)
      progress.ended(path, true)
    }
    const { lookedAtS, totalS, speed = 0, etaS = 0 } = progress.now()
    assert.deepEqual([lookedAtS, totalS], [3000, 6000])
    assert.ok(Math.abs(speed - 10) < 0.5 && Math.abs(etaS - 300) < 15, `${speed} × real time, ${etaS} s left`)
  })
})
