import { create } from '@bufbuild/protobuf'
import { CameoError, messageOf } from '../common/errors.js'
import { graphOf, modelBytes, readModel } from './onnx-model.js'
import { ValueInfoProtoSchema, type GraphProto, type ModelProto } from './proto/onnx_pb.js'

/**
 * An ONNX file that gives the one tensor of that name: an output of its graph, or a value inside it, such as the features
 * before a classifier's last layer. What only other outputs need is not computed any more.
 * @throws ENCODER_INVALID that lists the names there are, where the graph has no such tensor
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
    throw new CameoError('MODEL_UNREADABLE', `this is no ONNX file: ${messageOf(error)}`, { cause: error })
  }
}

/** How many of the last values are named in an error: the features are near the end. */
const listed = 8

function unknownTensor(name: string, graph: GraphProto): CameoError {
  const own = graph.output.map((output) => output.name).join(', ')
  const values = graph.node.flatMap(({ output }) => output)
  return new CameoError(
    'ENCODER_INVALID',
    `the model has no tensor "${name}": its output is ${own}, and the last ones inside it are ${values.slice(-listed).join(', ')}`,
  )
}
