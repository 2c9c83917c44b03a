import { CameoError } from '../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { cudaIsBuiltIn, type Provider } from '../../pipeline/models/session.js'
import { startInferenceThread } from './inference-handle.js'
import type { ThreadSetup } from './thread-messages.js'
import { SegmentHandle, type SegmentThread } from './segment-handle.js'

export interface ThreadPool {
  readonly threads: readonly SegmentThread[]
  /** The provider that runs the models. */
  readonly provider: Provider
  stop(): Promise<void>
}

export interface PoolOptions {
  readonly setup: ThreadSetup
  /** Number of decoding threads. On a CPU they also run the models. */
  readonly threads: number
  /** Called with messages for a person: the device in use, models that do not run in batches. */
  readonly onNotice: (text: string) => void
  /**
   * One inference thread runs the models for all threads. Default on a GPU. Tests use it on a CPU, where it
   * is slower.
   */
  readonly sharesModels?: boolean
  /**
   * On a CPU, load models with the first clip that needs them. Model errors then appear at that time.
   * Default: false.
   */
  readonly loadsWhenNeeded?: boolean
}

/**
 * Starts threads that process clips, and resolves when their models are loaded. On a CPU each thread has its
 * own models. On a GPU one inference thread has them, and batches the requests of the others.
 * @throws DEVICE_UNAVAILABLE if CUDA is requested by name and cannot be used; else errors of `loadStages`
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
  // Waits for all of them: ending a thread while ONNX Runtime loads a model crashes the whole process.
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
