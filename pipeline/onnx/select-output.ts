import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { CameoError, messageOf } from '../common/errors.js'
import { contentsOf, decodeText, onnxFields as fields, rewriteFields, textOf } from './onnx-fields.js'

/**
 * An ONNX file that gives the one tensor of that name: an output of its graph, or a value inside it, such as the features
 * before a classifier's last layer. What only other outputs need is not computed any more.
 * @throws ENCODER_INVALID that lists the names there are, where the graph has no such tensor
 */
export function withOneOutput(onnx: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  try {
    return rewriteFields(onnx, { [fields.model.graph]: (graph) => rewriteGraph(graph, name) })
  } catch (error) {
    if (error instanceof CameoError) throw error
    throw new CameoError('MODEL_UNREADABLE', `this is no ONNX file: ${messageOf(error)}`, { cause: error })
  }
}

function rewriteGraph(graph: Uint8Array, name: string): Uint8Array {
  const outputs = contentsOf(graph, fields.graph.output)
  const named = outputs.find((it) => textOf(it, fields.valueInfo.name) === name)
  if (named === undefined) {
    const nodes = contentsOf(graph, fields.graph.node)
    const values = nodes.flatMap((node) => contentsOf(node, fields.node.output).map(decodeText))
    if (!values.includes(name)) throw unknownTensor(name, outputs, values)
  }
  const others = rewriteFields(graph, { [fields.graph.output]: () => undefined })
  // Without a type: the runtime infers it.
  const info =
    named ?? new BinaryWriter().tag(fields.valueInfo.name, WireType.LengthDelimited).string(name).finish()
  return new BinaryWriter()
    .raw(others)
    .tag(fields.graph.output, WireType.LengthDelimited)
    .bytes(info)
    .finish()
}

/** How many of the last values are named in an error: the features are near the end. */
const listed = 8

function unknownTensor(name: string, outputs: readonly Uint8Array[], values: readonly string[]): CameoError {
  const own = outputs.map((it) => textOf(it, fields.valueInfo.name)).join(', ')
  return new CameoError(
    'ENCODER_INVALID',
    `the model has no tensor "${name}": its output is ${own}, and the last ones inside it are ${values.slice(-listed).join(', ')}`,
  )
}
