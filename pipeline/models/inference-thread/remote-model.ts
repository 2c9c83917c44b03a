import type { MessagePort } from 'node:worker_threads'
import { CameoError, errorOfParts, type ErrorParts } from '../../common/errors.js'
import type { Model, ModelLoader, Provider } from '../session.js'
import type { Tensor } from '../../data/tensor.js'

export type ModelRequest =
  | {
      readonly kind: 'load'
      readonly id: number
      readonly path: string
      readonly itemDims: readonly number[]
      readonly output?: string
    }
  /** The input's memory moves to the other thread and comes back with the reply. */
  | { readonly kind: 'run'; readonly id: number; readonly model: number; readonly input: Tensor }

export type ModelReply =
  | {
      readonly kind: 'loaded'
      readonly id: number
      readonly model: number
      readonly provider: Provider
      readonly outputNames: readonly string[]
    }
  | {
      readonly kind: 'ran'
      readonly id: number
      readonly outputs: ReadonlyMap<string, Tensor>
      readonly input: Tensor
    }
  | {
      readonly kind: 'failed'
      readonly id: number
      readonly message: string
      /** Undefined if the error is not a CameoError. */
      readonly error: ErrorParts | undefined
    }

type Answer<Kind extends ModelReply['kind']> = Extract<ModelReply, { readonly kind: Kind }>

/** The models of an inference thread, as another thread uses them. */
export interface ModelConnection {
  readonly load: ModelLoader
  /** True once the inference thread has ended; this connection can no longer be used. */
  readonly isClosed: boolean
  close(): void
}

interface Asker {
  readonly resolve: (reply: ModelReply) => void
  readonly reject: (error: unknown) => void
}

/** One frame's tiles or one track's faces; four decoding threads fill a batch of 32. */
const runsInFlight = 8

/**
 * The other end of `serveModels`. When the serving thread ends, pending and later runs reject with WORKER_DIED
 * (retriable over a new connection).
 */
export function connectModels(port: MessagePort): ModelConnection {
  const waiting = new Map<number, Asker>()
  let nextId = 0
  let isClosed = false

  port.on('message', (reply: ModelReply) => {
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.kind === 'failed') asked?.reject(errorOf(reply))
    else asked?.resolve(reply)
  })
  port.on('close', () => {
    isClosed = true
    for (const { reject } of waiting.values()) reject(threadDied())
    waiting.clear()
  })

  function ask(request: ModelRequest, transfer: readonly ArrayBuffer[]): Promise<ModelReply> {
    if (isClosed) return Promise.reject(threadDied())
    return new Promise((resolve, reject) => {
      waiting.set(request.id, { resolve, reject })
      port.postMessage(request, transfer)
    })
  }

  async function load(path: string, itemDims: readonly number[], output?: string): Promise<Model> {
    const request = { kind: 'load', id: nextId++, path, itemDims } as const
    const loaded = expect('loaded', await ask(output === undefined ? request : { ...request, output }, []))
    // Memory that came back. Refilling it takes a twentieth of the time that fresh pages take.
    const spare: Float32Array<ArrayBuffer>[] = []
    return {
      provider: loaded.provider,
      outputNames: loaded.outputNames,
      inFlight: runsInFlight,
      async run({ data, dims }) {
        const copy = spare.pop() ?? new Float32Array(data.length)
        copy.set(data)
        const request = {
          kind: 'run',
          id: nextId++,
          model: loaded.model,
          input: { data: copy, dims },
        } as const
        const { outputs, input } = expect('ran', await ask(request, [copy.buffer]))
        if (ownsMemory(input.data)) spare.push(input.data)
        return outputs
      },
      // Other threads still use the model.
      dispose: () => Promise.resolve(),
    }
  }

  return {
    load,
    get isClosed() {
      return isClosed
    },
    close: () => port.close(),
  }
}

/** True if the tensor's memory can move to another thread without moving other tensors too. */
export function ownsMemory(data: Float32Array): data is Float32Array<ArrayBuffer> {
  return data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength
}

function expect<Kind extends 'loaded' | 'ran'>(kind: Kind, reply: ModelReply): Answer<Kind> {
  const isExpected = (it: ModelReply): it is Answer<Kind> => it.kind === kind
  if (!isExpected(reply))
    throw new Error(`the inference thread answered "${reply.kind}" instead of "${kind}"`)
  return reply
}

function errorOf({ message, error }: Answer<'failed'>): Error {
  return error === undefined ? new Error(message) : errorOfParts(error)
}

const threadDied = () => new CameoError('WORKER_DIED', 'the inference thread ended before it replied')
