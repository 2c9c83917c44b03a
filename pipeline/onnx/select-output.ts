import { create } from '@bufbuild/protobuf'
import { CameoError, messageOf } from '../common/errors.js'
import { graphOf, modelBytes, readModel } from './onnx-model.js'
import { ValueInfoProtoSchema, type GraphProto, type ModelProto } from './proto/onnx_pb.js'

/**
 * An ONNX file that returns the tensor with that name: an output of its graph, or a value inside it, for example the
 * features before a classifier's last layer. Nodes that only other outputs need are no longer computed.
 * @throws ENCODER_INVALID that lists the existing names if the graph has no such tensor
 */
export function withOneOutput(onnx: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const model = parse(onnx)
  const graph = graphOf(model)
  const named = graph.output.find((output) => output.name === name)
  if (named === undefined && !graph.node.some(({ output }) => output.includes(name)))
    throw unknownTensor(name, graph)
  // Without a type: the runtime infers it.
  graph.output = [named ?? create(ValueInfoProtoSchema, { name })]
  model.graph = graph
  return modelBytes(model)
}

function parse(onnx: Uint8Array): ModelProto {
  try {
    return readModel(onnx)
  } catch (error) {
    throw new CameoError('MODEL_UNREADABLE', `this is not an ONNX file: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Number of the last values that an error names: the features are near the end. */
const listed = 8

function unknownTensor(name: string, graph: GraphProto): CameoError {
  const own = graph.output.map((output) => output.name).join(', ')
  const values = graph.node.flatMap(({ output }) => output)
  return new CameoError(
    'ENCODER_INVALID',
    `the model has no tensor "${name}": its outputs are ${own}, and the last values inside it are ${values.slice(-listed).join(', ')}`,
  )
}
