import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import './no-telemetry.js'
import ort from 'onnxruntime-node'
import { decodeFloat16, encodeFloat16 } from '../data/float16.js'
import { CameoError, messageOf } from '../common/errors.js'
import { formatDevice, type DeviceChoice } from './device.js'
import type { Tensor } from '../data/tensor.js'

/** The device that ran a model; it is recorded with every result. */
export type Provider = 'cpu' | `cuda:${number}`

// Where the runtime has Float16Array (Node 24), ONNX Runtime stores half floats in one, which its native part cannot read. It decides
// that with the first tensor: this one is made without that class in sight.
const halfFloats: PropertyDescriptor | undefined = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array')
if (halfFloats !== undefined) {
  Reflect.deleteProperty(globalThis, 'Float16Array')
  new ort.Tensor('float16', new Uint16Array(1), [1])
  Object.defineProperty(globalThis, 'Float16Array', halfFloats)
}

/** A loaded model with one input. Models in float16 also take and return float32. */
export interface Model {
  readonly provider: Provider
  readonly outputNames: readonly string[]
  /**
   * How many runs should be in progress at the same time, if another thread batches them; `run` has copied its input
   * when it returns. If absent, runs follow one another, and an input must not change until its run is done.
   */
  readonly inFlight?: number
  /** `input` is [batch, channels, height, width]; the outputs have their names in the graph. */
  run(input: Tensor): Promise<ReadonlyMap<string, Tensor>>
  dispose(): Promise<void>
}

/** A tensor for a graph with many inputs: float32, or int64 for indices. */
export interface GraphTensor {
  readonly data: Float32Array | BigInt64Array
  readonly dims: readonly number[]
}

/** A loaded graph with named inputs and outputs. */
export interface Graph {
  readonly provider: Provider
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /**
   * Returns the requested outputs. If `into` has a tensor for an output, the output is written into it without a copy;
   * that tensor must not be one of the inputs.
   */
  run(
    inputs: Readonly<Record<string, GraphTensor>>,
    outputs: readonly string[],
    into?: Readonly<Record<string, GraphTensor>>,
  ): Promise<Readonly<Record<string, Tensor>>>
  dispose(): Promise<void>
}

/**
 * Loads the model in a file. `itemDims` [1, …] is the shape of every input. `output` names the only tensor that is
 * needed; it may be a value inside the graph: see `withOneOutput`.
 */
export type ModelLoader = (path: string, itemDims: readonly number[], output?: string) => Promise<Model>

export interface SessionOptions {
  readonly device: DeviceChoice
  /** The file's content, if it was changed in memory. */
  readonly graph?: Uint8Array
  /**
   * Threads inside one run. Use 1 if many sessions run in parallel: that is faster than one session with many threads
   * (measured).
   */
  readonly intraOpThreads?: number
}

// The native library also writes the errors that it throws to standard error.
ort.env.logLevel = 'fatal'

/**
 * True if the runtime supports CUDA and its CUDA library is next to it. The runtime's own list says "not bundled" for
 * CUDA in every build, because npm's size limits make it a separate download.
 */
export function cudaIsBuiltIn(): boolean {
  return ort.listSupportedBackends().some(({ name }) => name === 'cuda') && existsSync(cudaLibrary())
}

/** Whether models loaded for this device may run on a GPU. */
export const mayUseCuda = ({ kind }: DeviceChoice): boolean =>
  kind === 'cuda' || (kind === 'auto' && cudaIsBuiltIn())

function cudaLibrary(): string {
  const packageDir = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  return join(packageDir, 'bin/napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so')
}

/** The version of ONNX Runtime. Another version may round differently. */
export function runtimeVersion(): string {
  return ort.env.versions.node ?? 'unknown'
}

/**
 * Loads an ONNX file. Sessions are created once and kept: creating them repeatedly leaks memory in the native library.
 * `auto` takes the first GPU if the runtime has CUDA and can create a session on it, otherwise the CPU.
 * @throws MODEL_UNREADABLE; DEVICE_UNAVAILABLE if CUDA is requested by name and cannot be used
 */
export async function loadModel(path: string, options: SessionOptions): Promise<Model> {
  if (!existsSync(path))
    throw new CameoError('MODEL_UNREADABLE', `the model file ${path} is missing; download the models`, {
      details: { remedy: 'pull-models', path },
    })
  let opened: OpenedSession | undefined
  let refusal: unknown
  try {
    opened = await openSession(path, options)
    if (opened.session.inputNames.length === 1) return wrap(opened)
  } catch (error) {
    refusal = error
  }
  const graph = await repaired(options.graph ?? (await readFile(path)))
  if (graph !== undefined) {
    await opened?.session.release()
    return wrap(await openSession(path, { ...options, graph }))
  }
  if (opened === undefined) throw refusal
  return wrap(opened)
}

/** Undefined if nothing is to be repaired, or the file is not an ONNX file: the runtime's own error says what is wrong. */
async function repaired(onnx: Uint8Array): Promise<Uint8Array | undefined> {
  // Few models need it.
  const { repairGraph } = await import('../onnx/repair-graph.js')
  try {
    return repairGraph(onnx)
  } catch {
    return undefined
  }
}

interface OpenedSession {
  readonly session: ort.InferenceSession
  readonly provider: Provider
}

async function openSession(path: string, options: SessionOptions): Promise<OpenedSession> {
  const { device } = options
  if (device.kind === 'cuda') return createSession(path, options, device.index)
  if (mayUseCuda(device)) {
    try {
      return await createSession(path, options, 0)
    } catch (error) {
      if (!(error instanceof CameoError) || error.code !== 'DEVICE_UNAVAILABLE') throw error
    }
  }
  return createSession(path, options, undefined)
}

async function createSession(
  path: string,
  options: SessionOptions,
  cuda: number | undefined,
): Promise<OpenedSession> {
  const gpu = cuda === undefined ? undefined : formatDevice({ kind: 'cuda', index: cuda })
  if (gpu !== undefined && !cudaIsBuiltIn())
    throw new CameoError(
      'DEVICE_UNAVAILABLE',
      `${gpu} cannot be used: ONNX Runtime's CUDA libraries are not installed; install them, or use the CPU`,
      { details: { remedy: 'install-cuda', device: gpu } },
    )
  const sessionOptions: ort.InferenceSession.SessionOptions = {
    executionProviders: cuda === undefined ? ['cpu'] : [{ name: 'cuda', deviceId: cuda }, 'cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: options.intraOpThreads ?? 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // 4: fatal only. Errors are thrown and reported once, by Cameo.
    logSeverityLevel: 4,
  }
  try {
    const session =
      options.graph === undefined
        ? await ort.InferenceSession.create(path, sessionOptions)
        : await ort.InferenceSession.create(options.graph, sessionOptions)
    return { session, provider: cuda === undefined ? 'cpu' : `cuda:${cuda}` }
  } catch (error) {
    if (gpu !== undefined)
      throw new CameoError(
        'DEVICE_UNAVAILABLE',
        `${gpu} cannot be used (${messageOf(error)}); check the driver, CUDA 12 and cuDNN 9, or use the CPU`,
        { cause: error, details: { remedy: 'use-cpu', device: gpu } },
      )
    throw new CameoError('MODEL_UNREADABLE', `the model ${path} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/**
 * Creates a graph from the bytes of an ONNX file, on the device; `auto` as for `loadModel`.
 * @throws MODEL_UNREADABLE with `name`; DEVICE_UNAVAILABLE
 */
export async function loadGraph(
  name: string,
  onnx: Uint8Array,
  options: Omit<SessionOptions, 'graph'>,
): Promise<Graph> {
  const { session, provider } = await openSession(name, { ...options, graph: onnx })
  return {
    provider,
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(inputs, outputs, into = {}) {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, toOrt(value)]))
      const fetches = Object.fromEntries(
        outputs.map((key) => [key, into[key] === undefined ? null : toOrt(into[key])]),
      )
      const results = await runSession(session, feeds, provider, fetches)
      return Object.fromEntries(outputs.map((key) => [key, toTensor(results[key], key)]))
    },
    dispose: () => session.release(),
  }
}

function toOrt({ data, dims }: GraphTensor): ort.Tensor {
  return data instanceof Float32Array
    ? new ort.Tensor('float32', data, dims)
    : new ort.Tensor('int64', data, dims)
}

function wrap({ session, provider }: OpenedSession): Model {
  const [inputName] = session.inputNames
  if (inputName === undefined || session.inputNames.length !== 1)
    throw new Error(`the model must have one input, but it has ${session.inputNames.length}`)
  const isHalf = session.inputMetadata.some((input) => input.isTensor && input.type === 'float16')
  return {
    provider,
    outputNames: session.outputNames,
    async run({ data, dims }) {
      const feed = isHalf
        ? new ort.Tensor('float16', encodeFloat16(data), dims)
        : new ort.Tensor('float32', data, dims)
      const results = await runSession(session, { [inputName]: feed }, provider)
      return new Map(session.outputNames.map((name) => [name, toTensor(results[name], name)]))
    },
    dispose: () => session.release(),
  }
}

async function runSession(
  session: ort.InferenceSession,
  feeds: ort.InferenceSession.FeedsType,
  on: Provider,
  fetches?: ort.InferenceSession.FetchesType,
) {
  try {
    return await (fetches === undefined ? session.run(feeds) : session.run(feeds, fetches))
  } catch (error) {
    if (on === 'cpu') throw error
    throw new CameoError('DEVICE_UNAVAILABLE', `${on} failed while it ran a model: ${messageOf(error)}`, {
      // Another process may have used the memory for a moment.
      retriable: true,
      cause: error,
    })
  }
}

function toTensor(value: ort.InferenceSession.OnnxValueMapType[string] | undefined, name: string): Tensor {
  if (value?.data instanceof Float32Array) return { data: value.data, dims: value.dims }
  // Half floats arrive as bits, or as the Float16Array of newer runtimes.
  if (value?.type === 'float16' && ArrayBuffer.isView(value.data)) {
    const { buffer, byteOffset, byteLength } = value.data
    return { data: decodeFloat16(new Uint16Array(buffer, byteOffset, byteLength / 2)), dims: value.dims }
  }
  throw new Error(`the model's output ${name} is not a float32 or float16 tensor`)
}
