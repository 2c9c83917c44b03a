import { writeOnnx } from '../onnx/onnx-file.js'
import { loadGraph, type Graph, type SessionOptions } from '../models/session.js'
import { buildInferenceGraph, type InferenceOptions } from './inference-graph.js'
import type { HeadTensors } from './step-tensors.js'
import { headNames, type HeadMetadata, metadataKey } from '../describe/head/head-metadata.js'

/** The ONNX file of a head, with its metadata. */
export function writeHead(
  tensors: HeadTensors,
  inference: InferenceOptions,
  metadata: HeadMetadata,
): Uint8Array {
  const graph = buildInferenceGraph(inference, (builder, name) => {
    const tensor = tensors.get(name)
    if (tensor === undefined) throw new Error(`the head has no tensor ${name}`)
    return builder.weights(name, tensor.dims, tensor.data)
  })
  return writeOnnx(graph.build({ [metadataKey]: JSON.stringify(metadata) }))
}

export interface HeadOutput {
  /** [n, 1 + C] log-probabilities; noise first. */
  readonly scores: Float32Array
  /** [n, e], L2-normalised. */
  readonly descriptors: Float32Array
}

/** A loaded head. */
export interface Head {
  readonly inputDimension: number
  /** Identities and noise: 1 + C. */
  readonly classCount: number
  /** pooled [n, inputDimension], each row of length 1 */
  run(pooled: Float32Array): Promise<HeadOutput>
  dispose(): Promise<void>
}

/** Rows per run: more fill the memory, fewer leave cores idle. */
const rowsAtOnce = 1024

/** Loads a head from the bytes of its file. Throws MODEL_UNREADABLE, DEVICE_UNAVAILABLE. */
export async function loadHead(
  name: string,
  onnx: Uint8Array,
  inputDimension: number,
  session: Omit<SessionOptions, 'graph'>,
): Promise<Head> {
  const graph = await loadGraph(name, onnx, session)
  return wrapHead(graph, inputDimension, () => ({}))
}

/** A head in training. Its graph receives the tensors with every run, so that one session serves all epochs. */
export async function createHeadRunner(
  inference: InferenceOptions,
  tensors: () => HeadTensors,
  session: Omit<SessionOptions, 'graph'>,
): Promise<Head> {
  const names: string[] = []
  const builder = buildInferenceGraph(inference, (graph, name) => {
    names.push(name)
    return graph.input(name, tensors().get(name)?.dims ?? [])
  })
  const graph = await loadGraph('head', writeOnnx(builder.build()), session)
  return wrapHead(graph, inference.network.inputDimension, () =>
    Object.fromEntries(
      names.flatMap((name) => {
        const tensor = tensors().get(name)
        return tensor === undefined ? [] : [[name, tensor]]
      }),
    ),
  )
}

function wrapHead(
  graph: Graph,
  inputDimension: number,
  parameters: () => Readonly<Record<string, { data: Float32Array; dims: readonly number[] }>>,
): Head {
  let classCount = 0
  return {
    inputDimension,
    get classCount() {
      return classCount
    },
    async run(pooled) {
      const rows = pooled.length / inputDimension
      let scores = new Float32Array(0)
      let descriptors = new Float32Array(0)
      for (let from = 0; from < rows; from += rowsAtOnce) {
        const n = Math.min(rowsAtOnce, rows - from)
        const data = pooled.subarray(from * inputDimension, (from + n) * inputDimension)
        const outputs = await graph.run(
          { ...parameters(), [headNames.input]: { data, dims: [n, inputDimension] } },
          [headNames.scores, headNames.descriptor],
        )
        const [ofClasses, descriptor] = [outputs[headNames.scores], outputs[headNames.descriptor]]
        if (ofClasses === undefined || descriptor === undefined) throw new Error('the head lacks an output')
        if (from === 0) {
          classCount = ofClasses.data.length / n
          scores = new Float32Array(rows * classCount)
          descriptors = new Float32Array((rows * descriptor.data.length) / n)
        }
        scores.set(ofClasses.data, from * classCount)
        descriptors.set(descriptor.data, (from * descriptor.data.length) / n)
      }
      return { scores, descriptors }
    },
    dispose: () => graph.dispose(),
  }
}
