/** Pools the embeddings of tracks and runs the head: ONNX Runtime blocks its thread, so not the one that reads Kafka. */
import { parentPort, workerData } from 'node:worker_threads'
import { createDescriber, type Describer } from '../pipeline/describe/describe-track.js'
import { messageOf } from '../pipeline/errors.js'
import { loadModel } from '../pipeline/models/session.js'
import type { DescribeReply, DescribeRequest, DescribeSetup } from './messages.js'

const port = parentPort
if (port === null) throw new Error('describe-thread runs as a worker thread')
const { headFile, device } = workerData as DescribeSetup

/** By the dimension of the embeddings. */
const describers = new Map<number, Promise<Describer>>()

function describerFor(dimension: number): Promise<Describer> {
  const known = describers.get(dimension)
  if (known !== undefined) return known
  const made = createDescriberFor(dimension)
  describers.set(dimension, made)
  return made
}

async function createDescriberFor(dimension: number): Promise<Describer> {
  return createDescriber(
    dimension,
    headFile === undefined ? undefined : await loadModel(headFile, { device }),
  )
}

async function describe({ id, dimension, tracks }: DescribeRequest): Promise<DescribeReply> {
  const describer = await describerFor(dimension)
  const descriptors: Float32Array[] = []
  for (const embeddings of tracks) descriptors.push(await describer.describe(embeddings))
  return { id, kind: 'described', descriptors, dimension: describer.dimension }
}

port.on('message', (request: DescribeRequest) => {
  void describe(request)
    .catch((error: unknown): DescribeReply => ({ id: request.id, kind: 'failed', message: messageOf(error) }))
    .then((reply) => port.postMessage(reply))
})
