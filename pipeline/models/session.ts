import { existsSync } from 'node:fs'
import ort from 'onnxruntime-node'
import { CameoError, messageOf } from '../errors.js'
import { formatDevice, type DeviceChoice } from './device.js'

/** A dense float32 tensor, row-major; `data.length` is the product of `dims`. */
export interface Tensor {
  readonly data: Float32Array
  readonly dims: readonly number[]
}

/** What ran a model: part of what is recorded with every result. */
export type Provider = 'cpu' | `cuda:${number}`

/** A loaded model with one image input. */
export interface Model {
  readonly provider: Provider
  readonly outputNames: readonly string[]
  /** `input` is [batch, channels, height, width]; outputs by their names in the graph. */
  run(input: Tensor): Promise<ReadonlyMap<string, Tensor>>
  dispose(): Promise<void>
}

export interface SessionOptions {
  readonly device: DeviceChoice
  /** Threads inside one run. 1 where many sessions run side by side: measured faster than one session with many. */
  readonly intraOpThreads?: number
}

/**
 * The provider that `device` means on this machine. `auto` takes the first GPU where the runtime has CUDA and a session
 * can be made on it, else the CPU.
 */
export function cudaIsBuiltIn(): boolean {
  return ort.listSupportedBackends().some(({ name, bundled }) => name === 'cuda' && bundled)
}

/** The version of ONNX Runtime: another version may round differently. */
export function runtimeVersion(): string {
  return ort.env.versions.node ?? 'unknown'
}

/**
 * Loads an ONNX file. Sessions are made once and kept: making them again and again leaks in the native library.
 * @throws MODEL_UNREADABLE; DEVICE_UNAVAILABLE where CUDA is asked for by name and cannot be used
 */
export async function loadModel(path: string, options: SessionOptions): Promise<Model> {
  if (!existsSync(path))
    throw new CameoError('MODEL_UNREADABLE', `the model file ${path} is missing: run "cameo models pull"`)
  const { device } = options
  if (device.kind === 'cuda') return createModel(path, options, device.index)
  if (device.kind === 'auto' && cudaIsBuiltIn()) {
    try {
      return await createModel(path, options, 0)
    } catch (error) {
      if (!(error instanceof CameoError) || error.code !== 'DEVICE_UNAVAILABLE') throw error
    }
  }
  return createModel(path, options, undefined)
}

async function createModel(path: string, options: SessionOptions, cuda: number | undefined): Promise<Model> {
  const sessionOptions: ort.InferenceSession.SessionOptions = {
    executionProviders: cuda === undefined ? ['cpu'] : [{ name: 'cuda', deviceId: cuda }, 'cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: options.intraOpThreads ?? 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // 4: fatal only; what fails is thrown and told once, by us.
    logSeverityLevel: 4,
  }
  try {
    const session = await ort.InferenceSession.create(path, sessionOptions)
    return wrap(session, cuda === undefined ? 'cpu' : `cuda:${cuda}`)
  } catch (error) {
    if (cuda !== undefined)
      throw new CameoError(
        'DEVICE_UNAVAILABLE',
        `${formatDevice({ kind: 'cuda', index: cuda })} cannot be used (${messageOf(error)}): check the driver, install ` +
          'onnxruntime-node with ONNXRUNTIME_NODE_INSTALL=cuda12, or use --device cpu',
        { cause: error },
      )
    throw new CameoError('MODEL_UNREADABLE', `the model ${path} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function wrap(session: ort.InferenceSession, provider: Provider): Model {
  const [inputName] = session.inputNames
  if (inputName === undefined || session.inputNames.length !== 1)
    throw new Error(`a model with one input is needed, this one has ${session.inputNames.length}`)
  return {
    provider,
    outputNames: session.outputNames,
    async run(input) {
      const feed = new ort.Tensor('float32', input.data, input.dims)
      const results = await session.run({ [inputName]: feed })
      return new Map(session.outputNames.map((name) => [name, toTensor(results[name], name)]))
    },
    dispose: () => session.release(),
  }
}

function toTensor(value: ort.InferenceSession.OnnxValueMapType[string] | undefined, name: string): Tensor {
  if (value === undefined || !(value.data instanceof Float32Array))
    throw new Error(`the model's output ${name} is no float32 tensor`)
  return { data: value.data, dims: value.dims }
}
