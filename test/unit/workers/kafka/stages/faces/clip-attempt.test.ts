import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CameoError } from '../../../../../../pipeline/common/errors.js'
import { segmentSpans } from '../../../../../../pipeline/segments/segment-spans.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import { decodeEmbeddings, decodeJob } from '../../../../../../workers/kafka/messages/schemas.js'
import { ClipAttempt } from '../../../../../../workers/kafka/stages/faces/clip-attempt.js'
import { startState } from '../../../../../../workers/kafka/stages/faces/job-state.js'
import { createSilentLog } from '../../../../../../workers/service/log.js'
import type { PartHandlers } from '../../../../../../workers/threads/segment-handle.js'
import type { SegmentRequest } from '../../../../../../workers/threads/thread-messages.js'
import { clipId, recipeWith, source } from '../../../../../support/described.js'
import { segmentOutput } from '../../../../../support/segment-output.js'
import { refusedWith } from '../../../../../support/refused-with.js'

const stamp = { device: '1', inode: '2', sizeBytes: 3, mtimeNs: '4' }
const signal = new AbortController().signal
const size = { widthPx: 640, heightPx: 360, sourceWidthPx: 640, sourceHeightPx: 360 }
const info = { ...size, durationS: 30, durationEstimated: false, cuttable: true, frameRate: 25 }
const segments = segmentSpans(3, 10)
const plan = { info: { ...info, codec: 'h264', container: 'mov' }, segments, taken: 2 }

/** An attempt at a whole clip. The thread calls the handlers as `work` says. */
function start(work: (handlers: PartHandlers) => void, checkUnchanged = () => undefined) {
  const sent: OutMessage[] = []
  const requests: SegmentRequest[] = []
  const message = { topic: 'test.jobs', partition: 1, offset: '7', key: null, value: null }
  const state = startState({ v: 1, kind: 'clip', recipe: recipeWith(), source }, message, false)
  const connection = { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined }
  const broker = { isAway: false }
  const publisher = {
    send(messages: readonly OutMessage[]) {
      if (broker.isAway) return Promise.reject(new Error('the broker is away'))
      sent.push(...messages)
      return Promise.resolve()
    },
    disconnect: () => Promise.resolve(),
  }
  const attempt = () =>
    new ClipAttempt({
      context: { connection, publisher, log: createSilentLog() },
      clip: { path: '/clips/a.mp4', stamp, checkUnchanged, release: () => undefined },
      ...{ checkpoints: undefined, state, clipId, dimension: 2 },
    })
  const thread = {
    process(_path: string, request: SegmentRequest, handlers: PartHandlers) {
      requests.push(request)
      return new Promise<void>((resolve) => {
        work(handlers)
        resolve()
      })
    },
  }
  return { run: () => attempt().run(thread, signal), state, sent, requests, broker }
}

describe('ClipAttempt', () => {
  it('publishes its own segments as they come, and a job for each of the others', async () => {
    const { run, state, sent } = start(({ onPlan, onSegment }) => {
      onPlan(plan)
      onSegment(segmentOutput(0, 1))
      onSegment(segmentOutput(1, 1))
    })
    await run()
    const jobs = sent.flatMap(({ topic, value }) => (topic === 'test.jobs' ? [decodeJob(value)] : []))
    assert.deepEqual(jobs.map((job) => job.kind === 'segment' && [job.segment, job.plan.pass]), [[2, '1/7']]) // prettier-ignore
    const embeddings = sent.flatMap(({ topic, key, value }) =>
      topic === 'test.embeddings' && key === clipId ? [decodeEmbeddings(value)] : [],
    )
    assert.deepEqual(embeddings.map((part) => part.kind === 'given-up' || [part.kind, part.segment]), [['tracks', 0], ['closing', 0], ['tracks', 1], ['closing', 1]]) // prettier-ignore
    assert.deepEqual(state.left, [])
  })

  it('a failed attempt leaves unpublished segments to the next attempt', async () => {
    let attempts = 0
    const { run, state, requests } = start(({ onPlan, onSegment }) => {
      attempts++
      if (attempts === 1) onPlan(plan)
      if (attempts === 1) onSegment(segmentOutput(0, 0))
      throw new CameoError('CLIP_NOT_SEEKABLE', 'it has no index')
    })
    await assert.rejects(run(), refusedWith('CLIP_NOT_SEEKABLE', /no index/))
    const again = { kind: 'segments', segments: segments.slice(1, 2), seek: 'fromStart' }
    assert.deepEqual(state.request, again)
    await assert.rejects(run(), refusedWith('CLIP_NOT_SEEKABLE', /no index/))
    assert.deepEqual(requests[1], { ...again, resume: undefined })
  })

  it('publishes nothing of a changed file, and does not try it again', async () => {
    const changed = () => {
      throw new CameoError('CLIP_CHANGED', 'it changed', { retriable: true })
    }
    const { run, state, sent } = start(({ onPlan }) => onPlan(plan), changed)
    await assert.rejects(run(), (error) => error instanceof CameoError && !error.retriable)
    assert.deepEqual([sent, state.plan, state.left], [[], undefined, []])
  })

  it('is done only when everything sent is durable', async () => {
    const { run, broker } = start(({ onPlan }) => onPlan({ ...plan, taken: 1 }))
    broker.isAway = true
    await assert.rejects(run(), /the broker is away/)
  })

  it('refuses a segment that comes before its plan', async () => {
    const { run } = start(({ onSegment }) => onSegment(segmentOutput(0, 0)))
    await assert.rejects(run(), /before its plan/)
  })
})
