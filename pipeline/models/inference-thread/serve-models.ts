import type { MessagePort } from 'node:worker_threads'
import { CameoError, messageOf, partsOfError } from '../../common/errors.js'
import { ownsMemory, type ModelReply, type ModelRequest } from './remote-model.js'
import type { Model, ModelLoader } from '../session.js'

/** Answers the requests of one `connectModels` with this thread's models, until the other end closes. */
export function serveModels(port: MessagePort, load: ModelLoader): void {
  const models: Model[] = []

  async function answer(request: ModelRequest): Promise<ModelReply> {
    const { id } = request
    if (request.kind === 'load') {
      const model = await load(request.path, request.itemDims, request.output)
      const { provider, outputNames } = model
      return { kind: 'loaded', id, model: models.push(model) - 1, provider, outputNames }
    }
    const model = models[request.model]
    if (model === undefined) throw new Error(`there is no model ${request.model}`)
    return { kind: 'ran', id, outputs: await model.run(request.input), input: request.input }
  }

  port.on('message', (request: ModelRequest) => {
    void answer(request)
      .catch((error: unknown) => failure(request.id, error))
      .then((reply) => port.postMessage(reply, movable(reply)))
  })
}

/** Memory that is transferred instead of copied. */
function movable(reply: ModelReply): ArrayBuffer[] {
  if (reply.kind !== 'ran') return []
  const tensors = [reply.input, ...reply.outputs.values()]
  return tensors.flatMap(({ data }) => (ownsMemory(data) ? [data.buffer] : []))
}

function failure(id: number, error: unknown): ModelReply {
  const parts = error instanceof CameoError ? partsOfError(error) : undefined
  return { kind: 'failed', id, message: messageOf(error), error: parts }
}

/** A loader that returns the same model for the same file, input and output. A failure is not cached. */
export function shareModels(load: ModelLoader): ModelLoader {
  const loaded = new Map<string, Promise<Model>>()
  return (path, itemDims, output) => {
    const key = JSON.stringify([path, itemDims, output])
    const known = loaded.get(key)
    if (known !== undefined) return known
    const loading = load(path, itemDims, output)
    loaded.set(key, loading)
    loading.catch(() => loaded.delete(key))
    return loading
  }
}
