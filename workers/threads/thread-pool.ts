import { CameoError } from '../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { cudaIsBuiltIn, type Provider } from '../../pipeline/models/session.js'
import { startInferenceThread } from './inference-handle.js'
import type { ThreadSetup } from './thread-messages.js'
import { SegmentHandle, type SegmentThread } from './segment-handle.js'

export interface ThreadPool {
  readonly threads: readonly SegmentThread[]
  /** What runs the models. */
  readonly provider: Provider
  stop(): Promise<void>
}

export interface PoolOptions {
  readonly setup: ThreadSetup
  /** How many threads decode; on a CPU they run the models too. */
  readonly threads: number
  /** Told what a person should know: the device that is used, models that do not run in batches. */
  readonly onNotice: (text: string) => void
  /** One inference thread runs the models for all; default on a GPU. Tests ask for it on a CPU, where it is slower. */
  readonly sharesModels?: boolean
  /**
   * On a CPU, load models with the first clip that needs them. What is wrong with a model is then an error of that moment.
   * Default: false.
   */
  readonly loadsWhenNeeded?: boolean
}

/**
 * Starts threads that take clips apart, and resolves when their models are loaded. On a CPU each thread has models of its
 * own; for a GPU one inference thread has them, and batches what the others send.
 * @throws DEVICE_UNAVAILABLE where CUDA is asked for by name and cannot be used; else as `loadStages` does
 */
export async function startThreads(options: PoolOptions): Promise<ThreadPool> {
  const { setup, onNotice } = options
  const { device } = setup
  if (device.kind !== 'auto') return startOn(device, options, options.sharesModels ?? device.kind === 'cuda')
  if (cudaIsBuiltIn()) {
    try {
      const pool = await startOn({ kind: 'cuda', index: 0 }, options, true)
      onNotice(`using ${pool.provider}`)
      return pool
    } catch (error) {
      if (!(error instanceof CameoError) || error.code !== 'DEVICE_UNAVAILABLE') throw error
      onNotice(`using the CPU: ${error.message}`)
    }
  }
  return startOn({ kind: 'cpu' }, options, options.sharesModels ?? false)
}

async function startOn(
  device: DeviceChoice,
  options: PoolOptions,
  sharesModels: boolean,
): Promise<ThreadPool> {
  const setup = { ...options.setup, device }
  const inference = sharesModels ? startInferenceThread({ device }, options.onNotice) : undefined
  const threads = Array.from({ length: options.threads }, () => new SegmentHandle(setup, inference))
  const stop = async () => {
    await Promise.all(threads.map((thread) => thread.stop()))
    await inference?.stop()
  }
  if (device.kind === 'cpu' && options.loadsWhenNeeded === true) return { threads, provider: 'cpu', stop }
  // All of them: a thread that is ended while ONNX Runtime loads a model takes the whole process down.
  const starts = await Promise.allSettled(threads.map((thread) => thread.ready()))
  const providers: Provider[] = []
  for (const start of starts) {
    if (start.status === 'fulfilled') {
      providers.push(start.value)
      continue
    }
    await stop()
    throw start.reason
  }
  return { threads, provider: providers[0] ?? 'cpu', stop }
}
