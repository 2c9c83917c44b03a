import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { text } from 'node:stream/consumers'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { Deferred } from '../../../../../pipeline/common/deferred.js'
import { EventBuffer } from '../../../../../workers/http/jobs/event-buffer.js'
import { eventStream } from '../../../../../workers/http/jobs/event-stream.js'
import { JobDesk, type JobOrder } from '../../../../../workers/http/jobs/job-desk.js'
import type { ClipEvent } from '../../../../../workers/library/clip-events.js'

const startedBy = { kind: 'user' as const, id: 'u1', name: 'Eve' }
const found = (path: string): ClipEvent => ({ kind: 'found', path, sizeBytes: 1 })
const order = (kind: JobOrder['kind'], work: JobOrder['work']): JobOrder => ({ kind, startedBy, work })

/** Runs until its signal, like the calls of the library. */
const untilStopped: JobOrder['work'] = (signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new CameoError('INTERRUPTED', 'it was stopped')))
  })

const always = () => true

const ended = async (desk: JobDesk, jobId: string) => {
  for (;;) {
    const held = desk.find(jobId)
    assert.ok(held !== undefined)
    if (held.job.state !== 'running') return held.job
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('jobs', () => {
  it('count the files of an ingest, and keep what it answers', async () => {
    const desk = new JobDesk()
    const { jobId } = desk.start(
      order('ingest', (_signal, tell) => {
        for (const event of [found('/a'), found('/b'), { kind: 'all-found' } as const]) tell(event)
        for (const faces of [2, 3]) tell({ kind: 'frames', path: '/a', frames: 4, faces, timeS: 1 })
        tell({ kind: 'result', path: '/a', result: { path: '/a', status: 'done' } })
        return Promise.resolve({ isInterrupted: false, result: { failed: 0 } })
      }),
    )
    const job = await ended(desk, jobId)
    assert.deepEqual(job.progress, { found: 2, isAllFound: true, done: 1, faces: 5 })
    assert.deepEqual([job.state, job.result], ['done', { failed: 0 }])
  })

  it('run one at a time of each kind', async () => {
    const desk = new JobDesk()
    desk.start(order('ingest', untilStopped))
    assert.throws(() => desk.start(order('ingest', untilStopped)), { code: 'ARCHIVE_BUSY' })
    desk.start(order('group', untilStopped))
    await desk.close()
  })

  it('are stopped by a person, or interrupted with the server', async () => {
    const desk = new JobDesk()
    const one = desk.start(order('ingest', untilStopped))
    desk.stop(one.jobId)
    assert.equal((await ended(desk, one.jobId)).state, 'stopped')
    const other = desk.start(order('ingest', untilStopped))
    await desk.close()
    assert.equal(desk.find(other.jobId)?.job.state, 'interrupted')
    assert.throws(() => desk.start(order('ingest', untilStopped)), { code: 'INTERRUPTED' })
  })

  it('keep the reason of a failure', async () => {
    const desk = new JobDesk()
    const { jobId } = desk.start(
      order('evaluate', () => Promise.reject(new CameoError('GROUND_TRUTH_INVALID', 'line 3 is empty'))),
    )
    const job = await ended(desk, jobId)
    assert.deepEqual(
      [job.state, job.error],
      ['failed', { code: 'GROUND_TRUTH_INVALID', detail: 'line 3 is empty' }],
    )
  })

  it('forget the oldest ended ones, and never a running one', async () => {
    const desk = new JobDesk()
    const running = desk.start(order('ingest', untilStopped))
    for (let i = 0; i < 120; i++) {
      const quick = desk.start(order('group', () => Promise.resolve({ isInterrupted: false, result: i })))
      await ended(desk, quick.jobId)
    }
    assert.equal(desk.list().length, 100)
    assert.equal(desk.find(running.jobId)?.job.state, 'running')
    await desk.close()
  })
})

describe('events of a job', () => {
  it('go on after the last one that a reader has, and end with the job', async () => {
    const desk = new JobDesk()
    const go = new Deferred<void>()
    const { jobId } = desk.start(
      order('ingest', async (_signal, tell) => {
        for (const path of ['/a', '/b', '/c']) tell(found(path))
        await go.promise
        return { isInterrupted: false, result: null }
      }),
    )
    const held = desk.find(jobId)
    assert.ok(held !== undefined)
    const reading = text(eventStream(held, 2, always))
    go.resolve()
    const numbers = [...(await reading).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    assert.deepEqual(numbers, [3, 4])
    assert.match(await reading, /^data: \{"kind":"state"/)
    assert.match(await reading, /"kind":"end"/)
    // A reader that comes after the end gets the end, too.
    const again = desk.find(jobId)
    assert.ok(again !== undefined)
    assert.match(await text(eventStream(again, 0, always)), /id: 1\n[^]*"kind":"end"/)
    assert.match(await text(eventStream(again, 4, always)), /"state":"done"/)
  })

  it('carry the progress after them, also of frames that are not told of', async () => {
    const desk = new JobDesk()
    const { jobId } = desk.start(
      order('ingest', (_signal, tell) => {
        tell(found('/a'))
        for (let i = 1; i <= 9; i++) tell({ kind: 'frames', path: '/a', frames: 1, faces: 1, timeS: i })
        tell({ kind: 'result', path: '/a', result: { path: '/a', status: 'done' } })
        return Promise.resolve({ isInterrupted: false, result: null })
      }),
    )
    await ended(desk, jobId)
    const events =
      desk
        .find(jobId)
        ?.events.after(0)
        .map(({ event }) => event) ?? []
    assert.deepEqual(
      events.map((event) => ('progress' in event ? event.progress?.faces : event.kind)),
      [undefined, 1, 9, 'end'],
    )
  })

  it('end for a reader who may not see the job any more', async () => {
    const desk = new JobDesk()
    const { jobId } = desk.start(order('ingest', untilStopped))
    const held = desk.find(jobId)
    assert.ok(held !== undefined)
    let asked = 0
    // Heartbeats alone do not keep a process alive.
    const alive = setInterval(() => undefined, 1000)
    const all = await text(eventStream(held, 0, () => ++asked < 3, 1))
    clearInterval(alive)
    assert.equal(all.match(/still here/g)?.length, 2)
    await desk.close()
  })

  it('are bounded in number', () => {
    const buffer = new EventBuffer<number>(3)
    for (let i = 1; i <= 5; i++) buffer.add(i)
    assert.deepEqual(
      buffer.after(0).map(({ number }) => number),
      [3, 4, 5],
    )
  })

  it('end for a reader who does not read', () => {
    const desk = new JobDesk()
    const { jobId } = desk.start(order('ingest', untilStopped))
    const held = desk.find(jobId)
    assert.ok(held !== undefined)
    const stream = eventStream(held, 0, always)
    for (let i = 0; i < 1000 && !stream.readableEnded; i++) held.events.add({ ...found('/a'.repeat(2000)) })
    assert.ok(stream.readableLength < 3_000_000, `${stream.readableLength}`)
    stream.destroy()
    return desk.close()
  })
})
