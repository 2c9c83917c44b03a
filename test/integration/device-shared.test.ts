import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { itemDims } from '../../pipeline/image/image-tensor.js'
import { createBatchingModel } from '../../pipeline/models/inference-thread/batching.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { readEncoderFile } from '../../pipeline/models/packs/encoder-file.js'
import { withDynamicBatch } from '../../pipeline/onnx/make-batch-dynamic.js'
import { loadBatched } from '../../pipeline/models/inference-thread/load-batched.js'
import { connectModels } from '../../pipeline/models/inference-thread/remote-model.js'
import { serveModels, shareModels } from '../../pipeline/models/inference-thread/serve-models.js'
import { cudaIsBuiltIn, loadModel, type Model } from '../../pipeline/models/session.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { startInferenceThread, type InferenceThread } from '../../workers/threads/inference-handle.js'
import type { ThreadSetup } from '../../workers/threads/thread-messages.js'
import { SegmentHandle, type SegmentThread } from '../../workers/threads/segment-handle.js'
import { startThreads, type ThreadPool } from '../../workers/threads/thread-pool.js'
import { temporaryDir } from '../support/cameo.js'
import { writeJson, writeTinyContext } from '../support/encoders.js'
import { faceNames, makeFaceClip } from '../support/faces.js'
import { fakeFfmpeg } from '../support/fake-ffmpeg.js'
import type { Tensor } from '../../pipeline/data/tensor.js'
import type { SegmentOutput, TrackOutput } from '../../pipeline/segments/segment.js'
import { l2Normalise, dotProduct } from '../../pipeline/data/vector-math.js'

// Tests the GPU's threads, ports and batches on the CPU provider, as far as a CPU can show them.
const pack = findPack(defaultPackName)
const modelsDir = defaultModelsDir()
const cpu = { kind: 'cpu' } as const
const setup: ThreadSetup = {
  pack,
  modelsDir,
  settings: { ...defaultSettings, mirror: true },
  device: cpu,
  headFile: undefined,
}
const models = [pack.detector, pack.landmarker!, pack.embedder].map(({ file, input }) => ({
  path: join(packDir(pack, modelsDir), file.name),
  name: file.name,
  dims: itemDims(input),
}))
const notices: string[] = []
const onNotice = (text: string) => notices.push(text)

async function processClip(thread: SegmentThread, path: string, onFrames?: () => void) {
  const outputs: SegmentOutput[] = []
  await thread.process(
    path,
    { kind: 'open' },
    {
      onPlan: () => undefined,
      onSegment: (output) => outputs.push(output),
      onFrames: () => onFrames?.(),
    },
  )
  return outputs
}

/** Each clip's tracks. The clips are spread over the pool's threads. */
function processClips({ threads }: ThreadPool, clips: readonly string[]): Promise<SegmentOutput[][]> {
  return Promise.all(clips.map((clip, n) => processClip(threads[n % threads.length]!, clip)))
}

const unitVectors = ({ faces }: TrackOutput) =>
  faces.map(({ embedding }) => l2Normalise(decodeFloat16(embedding.float16)))

function noise(length: number, seed: number): Float32Array {
  let state = seed
  return Float32Array.from({ length }, () => {
    state = (state * 48_271) % 0x7fff_ffff
    return (state / 0x7fff_ffff) * 2 - 1
  })
}

const noiseItems = (dims: readonly number[], count: number) =>
  Array.from({ length: count }, (_, n): Tensor => ({
    data: noise(
      dims.reduce((product, size) => product * size, 1),
      100 + n,
    ),
    dims,
  }))

function assertSame(actual: ReadonlyMap<string, Tensor>, expected: ReadonlyMap<string, Tensor>): void {
  for (const [name, { data, dims }] of expected) {
    const other = actual.get(name)
    assert.deepEqual(other?.dims, dims)
    data.forEach((value, n) =>
      assert.ok(Math.abs(value - other.data[n]!) <= 1e-4 * Math.max(1, Math.abs(value))),
    )
  }
}

describe('one inference thread for all decoding threads', () => {
  let clips: string[]

  before(async () => {
    const dir = temporaryDir()
    clips = await Promise.all(
      faceNames.slice(0, 2).map((face, n) => makeFaceClip(join(dir, `clip${n}.mp4`), face, { seconds: 2 })),
    )
  })

  it('runs further embedders and context encoders too', async () => {
    const dir = temporaryDir()
    const context = await readEncoderFile(writeTinyContext(dir))
    const { file, input, dimension } = pack.embedder
    const embedder = await readEncoderFile(
      writeJson(join(dir, 'rgb.json'), {
        ...{ kind: 'embedder', name: 'rgb', file: join(packDir(pack, modelsDir), file.name), dimension },
        input: { ...input, channelOrder: 'rgb' },
      }),
    )
    assert.ok(context.kind === 'context' && embedder.kind === 'embedder')
    const encoders = { embedders: [embedder], contexts: [context] }
    const results: SegmentOutput[][][] = []
    for (const sharesModels of [false, true]) {
      const pool = await startThreads({
        ...{ threads: 2, onNotice, sharesModels },
        setup: { ...setup, settings: defaultSettings, encoders },
      })
      results.push(await processClips(pool, clips))
      await pool.stop()
    }
    const [own = [], shared = []] = results.map((of) => of.flat())
    const vectorsOf = ({ tracks, contexts = [] }: SegmentOutput) =>
      [
        ...tracks.flatMap(({ faces }) => faces.flatMap(({ extraEmbeddings = [] }) => extraEmbeddings)),
        ...contexts,
      ].map(({ float16 }) => l2Normalise(decodeFloat16(float16)))
    const expected = own.flatMap(vectorsOf)
    const actual = shared.flatMap(vectorsOf)
    assert.deepEqual(
      own.map(({ contexts }) => contexts?.length),
      [1, 1],
    )
    assert.ok(expected.length > 2 + clips.length)
    assert.equal(actual.length, expected.length)
    actual.forEach((vector, n) => assert.ok(dotProduct(vector, expected[n]!) > 0.9999))
  })

  it('gives the same tracks and embeddings as threads with their own models', async () => {
    notices.length = 0
    const results: SegmentOutput[][][] = []
    for (const sharesModels of [false, true]) {
      const pool = await startThreads({ setup, threads: 2, onNotice, sharesModels })
      assert.equal(pool.provider, 'cpu')
      results.push(await processClips(pool, clips))
      await pool.stop()
    }
    const [own, shared] = results.map((of) => of.flat())
    const shape = (output: SegmentOutput) => ({
      ...output,
      tracks: output.tracks.map(({ spansS, samples, faces }) => ({ spansS, samples, faces: faces.length })),
    })
    assert.deepEqual(shared!.map(shape), own!.map(shape))
    assert.ok(own!.every(({ tracks }) => tracks.length > 0))
    const vectors = (outputs: SegmentOutput[]) => outputs.flatMap(({ tracks }) => tracks.flatMap(unitVectors))
    const expected = vectors(own!)
    vectors(shared!).forEach((vector, n) => assert.ok(dotProduct(vector, expected[n]!) > 0.9999))
    assert.deepEqual(notices, [])
  })

  it('gives the same outputs in batches and alone, for each model of the default pack', async () => {
    notices.length = 0
    for (const { path, dims } of models) {
      const single = await loadModel(path, { device: cpu })
      const batched = await loadBatched(path, dims, { device: cpu, onNotice })
      const items = noiseItems(dims, 5)
      const together = await Promise.all(items.map((item) => batched.run(item)))
      for (const [n, item] of items.entries()) assertSame(together[n]!, await single.run(item))
      await single.dispose()
      await batched.dispose()
    }
    assert.deepEqual(notices, [])
  })

  it('runs the faces of two threads in one batch', async () => {
    const { path, dims } = models[2]!
    const batches: number[] = []
    const embedder = await loadModel(path, { device: cpu, graph: withDynamicBatch(await readFile(path)) })
    const recording: Model = {
      ...embedder,
      run(input) {
        batches.push(input.dims[0]!)
        return embedder.run(input)
      },
    }
    const load = shareModels(() =>
      Promise.resolve(createBatchingModel(recording, { itemDims: dims, maxBatch: 32 })),
    )
    const channels = [new MessageChannel(), new MessageChannel()]
    channels.forEach(({ port2 }) => serveModels(port2, load))
    const clients = await Promise.all(channels.map(({ port1 }) => connectModels(port1).load(path, dims)))
    const items = noiseItems(dims, 6)
    const outputs = await Promise.all(items.map((item, n) => clients[n % 2]!.run(item)))
    assert.ok(Math.max(...batches) > 3, `batches of ${batches.join()}`)
    for (const [n, item] of items.entries()) assertSame(outputs[n]!, await embedder.run(item))
    channels.forEach(({ port1 }) => port1.close())
    await embedder.dispose()
  })
})

describe('an inference thread that crashes', () => {
  let inference: InferenceThread
  let thread: SegmentThread
  let clip: string
  let lasting: string

  before(async () => {
    const dir = temporaryDir()
    clip = await makeFaceClip(join(dir, 'short.mp4'), faceNames[0]!, { seconds: 2 })
    lasting = await makeFaceClip(join(dir, 'lasting.mp4'), faceNames[0]!, { seconds: 20 })
    // ffmpeg reads in real time, so the clip is in work for its whole length. Threads inherit this
    // environment.
    process.env['FFMPEG_PATH'] = fakeFfmpeg(join(dir, 'ffmpeg'), '*lasting*) exec ffmpeg -re "$@" ;;')
    inference = startInferenceThread({ device: cpu }, onNotice)
    thread = new SegmentHandle(setup, inference)
    await thread.ready()
  })

  after(async () => {
    await thread.stop()
    await inference.stop()
  })

  /** A message that no client sends ends the thread as a bug would. */
  async function crash(): Promise<void> {
    const port = await inference.connect()
    const closed = new Promise((resolve) => port.once('close', resolve))
    port.postMessage(null)
    await closed
  }

  it('fails running work with WORKER_DIED, which is retriable', async () => {
    let crashed: Promise<void> | undefined
    const crashOnce = () => {
      crashed ??= crash()
    }
    await assert.rejects(processClip(thread, lasting, crashOnce), { code: 'WORKER_DIED', retriable: true })
    await crashed
  })

  it('is started again for the next work', async () => {
    const [output] = await processClip(thread, clip)
    assert.equal(output?.provider, 'cpu')
    assert.ok(output.tracks.length > 0)
  })

  it('does not affect a thread that was idle', async () => {
    await crash()
    // The other thread notices the crash a little later, and nothing here reports when.
    await setTimeout(2000)
    const outputs = await Promise.all([processClip(thread, clip), processClip(thread, clip)])
    for (const [output] of outputs) assert.ok(output!.tracks.length > 0)
  })
})

describe('devices', () => {
  it('a missing GPU is DEVICE_UNAVAILABLE before any work', async () => {
    const device = { kind: 'cuda', index: 99 } as const
    await assert.rejects(startThreads({ setup: { ...setup, device }, threads: 2, onNotice }), {
      code: 'DEVICE_UNAVAILABLE',
      message: /^cuda:99 cannot be used.*use the CPU$/,
    })
  })

  it('auto uses the CPU without a notice if no CUDA is installed', { skip: cudaIsBuiltIn() }, async () => {
    notices.length = 0
    const pool = await startThreads({ setup: { ...setup, device: { kind: 'auto' } }, threads: 1, onNotice })
    assert.equal(pool.provider, 'cpu')
    assert.deepEqual(notices, [])
    await pool.stop()
  })
})
