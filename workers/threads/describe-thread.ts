/**
 * Pools the embeddings of tracks and runs a head. ONNX Runtime blocks its thread, so this is not the thread
 * that reads Kafka.
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  createDescriber,
  type Describer,
  type DescriberHead,
} from '../../pipeline/describe/describe-track.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { loadDescriberHead, readHeadFile } from '../../pipeline/describe/head/head-file.js'
import { modelLoader } from '../../pipeline/models/model-loader.js'
import type { DescribeReply, DescribeRequest, DescribeSetup } from './thread-messages.js'

const port = parentPort
if (port === null) throw new Error('describe-thread must run as a worker thread')
const { headFile, device } = workerData as DescribeSetup

type Embedder = DescribeRequest['embedder']

/**
 * Messages can name any embedders and dimensions. This many are kept, the newest ones. Workers usually need
 * one or two, and each session of a head takes the memory of the head.
 */
const maxKept = 8

/** By dimension of the embeddings. */
const heads = new Map<number, Promise<DescriberHead>>()

/** By embedder digest and dimension. */
const describers = new Map<string, Promise<Describer>>()

function kept<Key, Value>(known: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>) {
  const found = known.get(key)
  if (found !== undefined) return found
  const made = make()
  known.set(key, made)
  // The file of a head may be unreadable for a moment.
  made.catch(() => known.get(key) === made && known.delete(key))
  const [oldest] = known.keys()
  if (known.size > maxKept && oldest !== undefined) known.delete(oldest)
  return made
}

function describerFor(embedder: Embedder): Promise<Describer> {
  return kept(describers, `${embedder.digest} ${embedder.dimension}`, async () =>
    createDescriber(embedder, await kept(heads, embedder.dimension, () => loadHead(embedder.dimension))),
  )
}

async function loadHead(dimension: number): Promise<DescriberHead> {
  return loadDescriberHead(await readHeadFile(headFile), dimension, modelLoader({ device }))
}

async function describe({ id, embedder, tracks }: DescribeRequest): Promise<DescribeReply> {
  const describer = await describerFor(embedder)
  const descriptors: Float32Array[] = []
  for (const embeddings of tracks) descriptors.push(await describer.describe(embeddings))
  return { id, kind: 'described', descriptors, dimension: describer.dimension }
}

port.on('message', (request: DescribeRequest) => {
  void describe(request)
    .catch((error: unknown): DescribeReply => {
      const details = error instanceof CameoError ? error.details : undefined
      return { id: request.id, kind: 'failed', message: messageOf(error), details }
    })
    .then((reply) => port.postMessage(reply))
})
