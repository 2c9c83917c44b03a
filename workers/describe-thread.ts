/** Pools the embeddings of tracks and runs a head: ONNX Runtime blocks its thread, so not the one that reads Kafka. */
import { parentPort, workerData } from 'node:worker_threads'
import { createDescriber, type Describer } from '../pipeline/describe/describe-track.js'
import { messageOf } from '../pipeline/errors.js'
import { loadDescriberHead, readHeadFile } from '../pipeline/head/head-file.js'
import { modelLoader } from '../pipeline/models/model-loader.js'
import type { DescribeReply, DescribeRequest, DescribeSetup } from './messages.js'

const port = parentPort
if (port === null) throw new Error('describe-thread runs as a worker thread')
const { headFile, device } = workerData as DescribeSetup

type Embedder = DescribeRequest['embedder']

/** By the embedder's digest and dimension. */
const describers = new Map<string, Promise<Describer>>()

function describerFor(embedder: Embedder): Promise<Describer> {
  const key = `${embedder.digest} ${embedder.dimension}`
  const known = describers.get(key)
  if (known !== undefined) return known
  const made = createDescriberFor(embedder)
  describers.set(key, made)
  // A head's file may be unreadable for a moment.
  made.catch(() => describers.delete(key))
  return made
}

async function createDescriberFor(embedder: Embedder): Promise<Describer> {
  const file = await readHeadFile(headFile)
  return createDescriber(embedder, await loadDescriberHead(file, embedder.dimension, modelLoader({ device })))
}

async function describe({ id, embedder, tracks }: DescribeRequest): Promise<DescribeReply> {
  const describer = await describerFor(embedder)
  const descriptors: Float32Array[] = []
  for (const embeddings of tracks) descriptors.push(await describer.describe(embeddings))
  return { id, kind: 'described', descriptors, dimension: describer.dimension }
}

port.on('message', (request: DescribeRequest) => {
  void describe(request)
    .catch((error: unknown): DescribeReply => ({ id: request.id, kind: 'failed', message: messageOf(error) }))
    .then((reply) => port.postMessage(reply))
})
