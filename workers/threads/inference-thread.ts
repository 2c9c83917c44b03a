/**
 * The only thread that runs models on a device, for all decoding threads. It receives one port to each of
 * them.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { loadBatched } from '../../pipeline/models/inference-thread/load-batched.js'
import { serveModels, shareModels } from '../../pipeline/models/inference-thread/serve-models.js'
import type { InferenceMessage, InferenceSetup } from './thread-messages.js'

const owner = parentPort
if (owner === null) throw new Error('inference-thread must run as a worker thread')
const { device } = workerData as InferenceSetup

const load = shareModels((path, itemDims, output) =>
  loadBatched(path, itemDims, {
    device,
    output,
    onNotice: (text) => owner.postMessage({ kind: 'notice', text } satisfies InferenceMessage),
  }),
)

owner.on('message', (client: MessagePort) => {
  serveModels(client, load)
  client.postMessage({ kind: 'connected' })
})
