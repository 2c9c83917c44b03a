/** The worker thread's side: one request at a time, from ffmpeg to track embeddings; no pixels leave the thread. */
import { parentPort, workerData } from 'node:worker_threads'
import type { ClipInfo } from '../pipeline/decode/clip-info.js'
import { probeDurationS } from '../pipeline/decode/probe-duration.js'
import { CameoError, messageOf } from '../pipeline/errors.js'
import { sha256OfFile } from '../pipeline/models/digest.js'
import { countSegments, processClip, segmentSpans } from '../pipeline/process-clip.js'
import type { SegmentSpan } from '../pipeline/segment-builder.js'
import { segmentLengthS } from '../pipeline/settings.js'
import { loadStages, type Stages } from '../pipeline/stages.js'
import type { SegmentWish, ThreadReply, ThreadRequest, ThreadSetup, ThreadWork } from './messages.js'

const port = parentPort
if (port === null) throw new Error('segment-thread runs as a worker thread')
const setup = workerData as ThreadSetup

/** Progress is told this often at the most, ms. */
const progressEveryMs = 200

type Reply = (message: ThreadReply) => void

/** Of the work under way. */
let abort = new AbortController()

async function planClip(path: string, info: ClipInfo, stages: Stages, reply: Reply) {
  const mustMeasure = info.durationS === undefined || info.durationEstimated
  const durationS = mustMeasure ? await probeDurationS(path) : info.durationS
  const lengthS = segmentLengthS(stages.settings)
  const segments = segmentSpans(countSegments(durationS, lengthS), lengthS)
  // What cannot be cut is decoded in one pass, and checkpointed segment by segment.
  const taken = info.cuttable ? 1 : segments.length
  reply({ kind: 'planned', plan: { info: { ...info, durationS }, segments, taken } })
  return segments.slice(0, taken)
}

async function processPart(
  path: string,
  wish: SegmentWish,
  stages: Stages,
  signal: AbortSignal,
  reply: Reply,
) {
  let frames = 0
  let toldAt = performance.now()
  const tellFrames = () => {
    if (frames > 0) reply({ kind: 'frames', count: frames })
    frames = 0
    toldAt = performance.now()
  }
  const outputs = processClip(
    {
      path,
      ...rangeOf(wish),
      plan: (info) =>
        wish.kind === 'open' ? planClip(path, info, stages, reply) : Promise.resolve(wish.segments),
      signal,
      onFrame() {
        frames++
        if (performance.now() - toldAt > progressEveryMs) tellFrames()
      },
    },
    stages,
  )
  for await (const output of outputs) {
    tellFrames()
    reply({ kind: 'segment', output })
  }
}

function rangeOf(wish: SegmentWish): { startS: number; endS: number; seek: 'fast' | 'fromStart' } {
  if (wish.kind === 'open') return { startS: 0, endS: Infinity, seek: 'fast' }
  const first: SegmentSpan | undefined = wish.segments[0]
  return { startS: first?.startS ?? 0, endS: wish.segments.at(-1)?.endS ?? Infinity, seek: wish.seek }
}

let loading: Promise<Stages> | undefined

/** Models are loaded once, when they are first needed. */
function stagesOf(): Promise<Stages> {
  loading ??= loadStages(setup)
  return loading
}

async function perform(work: ThreadWork, signal: AbortSignal, reply: Reply): Promise<ThreadReply> {
  switch (work.kind) {
    case 'load':
      return { kind: 'ready', provider: (await stagesOf()).provider }
    case 'hash':
      return { kind: 'hashed', sha256: await sha256OfFile(work.path, signal) }
    case 'process':
      await processPart(work.path, work.wish, await stagesOf(), signal, reply)
      return { kind: 'done' }
  }
}

function failure(error: unknown): ThreadReply {
  if (error instanceof CameoError) {
    const { code, message, retriable } = error
    return { kind: 'failed', code, message, retriable }
  }
  const isAbort = error instanceof Error && error.name === 'AbortError'
  return isAbort
    ? { kind: 'failed', code: 'INTERRUPTED', message: 'stopped before it was done', retriable: true }
    : { kind: 'failed', code: 'CLIP_DECODE_FAILED', message: messageOf(error), retriable: false }
}

port.on('message', (request: ThreadRequest) => {
  if (request.kind === 'abort') {
    abort.abort()
    return
  }
  abort = new AbortController()
  const reply: Reply = (message) => port.postMessage({ id: request.id, reply: message })
  void perform(request.work, abort.signal, reply).catch(failure).then(reply)
})
