/**
 * The thread's side: processes one clip at a time, from ffmpeg to track embeddings. On a CPU no pixels leave
 * the thread. On a GPU the models' inputs go to the device's inference thread.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { fileError } from '../../pipeline/decode/clip-file.js'
import type { ClipInfo } from '../../pipeline/decode/clip-info.js'
import { CameoError, messageOf, partsOfError } from '../../pipeline/common/errors.js'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { connectModels, type ModelConnection } from '../../pipeline/models/inference-thread/remote-model.js'
import { planSegments } from '../../pipeline/segments/plan-segments.js'
import { processClip } from '../../pipeline/segments/process-clip.js'
import type { CheckpointOptions } from '../../pipeline/segments/resume-segment.js'
import { segmentLengthS } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import type {
  SegmentThreadData,
  SegmentRequest,
  ThreadMessage,
  ThreadReply,
  ThreadRequest,
  ThreadWork,
} from './thread-messages.js'
import type { SegmentSpan } from '../../pipeline/segments/segment.js'

const port = parentPort
if (port === null) throw new Error('segment-thread must run as a worker thread')
const { setup, sharesModels } = workerData as SegmentThreadData
const tell = (message: ThreadMessage, transfer: readonly ArrayBuffer[] = []) =>
  port.postMessage(message, transfer)

/** Shortest time between two progress messages, ms. */
const progressEveryMs = 200

type Reply = (message: ThreadReply, transfer?: readonly ArrayBuffer[]) => void

/** Abort controllers of the running work, by its id. */
const aborts = new Map<number, AbortController>()

/** Resolved when the clip before is done. One clip is processed at a time; the next one is only opened. */
let turn: Promise<void> = Promise.resolve()

async function planClip(
  path: string,
  info: ClipInfo,
  { isDivided = false, from = 0 }: Extract<SegmentRequest, { kind: 'open' }>,
  stages: Stages,
  signal: AbortSignal,
  reply: Reply,
) {
  const { durationS, segments } = await planSegments(path, info, segmentLengthS(stages.settings), signal)
  // A clip that cannot be cut is decoded in one pass, with checkpoints per segment.
  const first = isDivided && segments.length > 1 ? 0 : 1
  const taken = info.cuttable ? first : segments.length
  reply({ kind: 'planned', plan: { info: { ...info, durationS }, segments, taken } })
  return segments.slice(from, taken)
}

/** Waits for its turn, and passes the turn on at the end. */
async function inTurn(work: (turn: Promise<void>) => Promise<void>): Promise<void> {
  const before = turn
  let pass: () => void = () => undefined
  turn = new Promise((resolve) => (pass = resolve))
  try {
    await work(before)
  } finally {
    void before.then(pass)
  }
}

async function processPart(
  { path, request }: Extract<ThreadWork, { kind: 'process' }>,
  stages: Stages,
  signal: AbortSignal,
  reply: Reply,
  itsTurn: Promise<void>,
) {
  let progress = { count: 0, faces: 0, timeS: 0 }
  let toldAt = performance.now()
  const tellFrames = () => {
    if (progress.count > 0) reply({ kind: 'frames', ...progress })
    progress = { count: 0, faces: 0, timeS: 0 }
    toldAt = performance.now()
  }
  const outputs = processClip(
    {
      path,
      ...rangeOf(request),
      plan: (info) =>
        request.kind === 'open'
          ? planClip(path, info, request, stages, signal, reply)
          : Promise.resolve(request.segments),
      signal,
      turn: itsTurn,
      onFrame(timeS, faces) {
        progress = { count: progress.count + 1, faces: progress.faces + faces, timeS }
        if (performance.now() - toldAt > progressEveryMs) tellFrames()
      },
      resume: request.resume,
      ...(setup.checkpointEveryS === undefined
        ? {}
        : { checkpoints: tellCheckpoints(setup.checkpointEveryS, reply) }),
    },
    stages,
  )
  for await (const output of outputs) {
    tellFrames()
    reply({ kind: 'segment', output })
  }
}

function tellCheckpoints(everyS: number, reply: Reply): CheckpointOptions {
  return {
    everyS,
    onCheckpoint(update) {
      const { state, newPart } = update
      reply({ kind: 'checkpoint', update }, [state, newPart].flatMap(ownBuffer))
    },
    onResume: (segment, timeS) => reply({ kind: 'resumed', segment, timeS }),
  }
}

/** The owner takes the buffer; it is not copied. */
const ownBuffer = (bytes: Uint8Array | undefined): ArrayBuffer[] =>
  bytes?.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer] : []

function rangeOf(request: SegmentRequest): { startS: number; endS: number; seek: 'fast' | 'fromStart' } {
  if (request.kind === 'open') return { startS: 0, endS: Infinity, seek: 'fast' }
  const first: SegmentSpan | undefined = request.segments[0]
  return { startS: first?.startS ?? 0, endS: request.segments.at(-1)?.endS ?? Infinity, seek: request.seek }
}

async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  try {
    return await sha256OfFile(path, signal)
  } catch (error) {
    throw isAbort(error) ? error : fileError(path, error)
  }
}

let loading: Promise<Stages> | undefined

/** Connection to the inference thread, if there is one. */
let connection: ModelConnection | undefined
let onConnected: (port: MessagePort) => void = () => undefined

/** Loads the models once, on first use. Loads them again if their inference thread ended. */
function stagesOf(): Promise<Stages> {
  if (connection?.isClosed === true) {
    loading = undefined
    connection = undefined
  }
  loading ??= sharesModels ? loadShared() : loadStages(setup)
  return loading
}

async function loadShared(): Promise<Stages> {
  connection = connectModels(
    await new Promise<MessagePort>((resolve) => {
      onConnected = resolve
      tell({ kind: 'connect' })
    }),
  )
  return loadStages(setup, connection.load)
}

async function perform(work: ThreadWork, signal: AbortSignal, reply: Reply): Promise<ThreadReply> {
  switch (work.kind) {
    case 'load':
      return { kind: 'ready', provider: (await stagesOf()).provider }
    case 'hash':
      return { kind: 'hashed', sha256: await hashFile(work.path, signal) }
    case 'process':
      await inTurn(async (itsTurn) => processPart(work, await stagesOf(), signal, reply, itsTurn))
      return { kind: 'done' }
  }
}

function failure(error: unknown): ThreadReply {
  return { kind: 'failed', ...partsOfError(asCameoError(error)) }
}

function asCameoError(error: unknown): CameoError {
  if (error instanceof CameoError) return error
  return isAbort(error)
    ? new CameoError('INTERRUPTED', 'stopped before it was done')
    : new CameoError('CLIP_DECODE_FAILED', messageOf(error))
}

const isAbort = (error: unknown) => error instanceof Error && error.name === 'AbortError'

port.on('message', (request: ThreadRequest) => {
  switch (request.kind) {
    case 'abort':
      aborts.get(request.id)?.abort()
      return
    case 'connected':
      onConnected(request.port)
      return
    case 'work': {
      const { id, work } = request
      const abort = new AbortController()
      aborts.set(id, abort)
      const reply: Reply = (message, transfer) => tell({ kind: 'reply', id, reply: message }, transfer)
      void perform(work, abort.signal, reply)
        .catch(failure)
        .finally(() => aborts.delete(id))
        .then((message) => reply(message))
    }
  }
})
