import { graphOf, modelBytes, readModel, weightNames } from './onnx-model.js'
import type { AttributeProto, GraphProto, NodeProto } from './proto/onnx_pb.js'

/**
 * Removes from an ONNX file what quantization tools leave behind and ONNX Runtime refuses. Undefined if there is
 * nothing to remove:
 * - inputs of the graph that nothing in it reads and that have no value of their own: they would have to be passed in;
 * - the block size of a (De)QuantizeLinear with one scale for all of its values: there are no blocks.
 */
export function repairGraph(onnx: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const model = readModel(onnx)
  const graph = graphOf(model)
  const isRead = namesRead(graph)
  const scalars = scalarsOf(graph)
  const inputs = graph.input.filter(({ name }) => isRead.has(name))
  const nodes = graph.node.filter((node) => node.attribute.some(isBlockSize) && hasOneScale(node, scalars))
  // Do not copy a large file without need.
  if (inputs.length === graph.input.length && nodes.length === 0) return undefined
  graph.input = inputs
  for (const node of nodes) node.attribute = node.attribute.filter((attribute) => !isBlockSize(attribute))
  return modelBytes(model)
}

const isBlockSize = ({ name }: AttributeProto) => name === 'block_size'

/** Names that nodes of the graph and of its inner graphs read, the names of its outputs, and its weights. */
function namesRead(graph: GraphProto): ReadonlySet<string> {
  const inner = graph.node
    .flatMap(({ attribute }) => attribute)
    .flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]))
  return new Set([
    ...graph.node.flatMap(({ input }) => input),
    ...inner.flatMap((it) => [...namesRead(it)]),
    ...graph.output.map(({ name }) => name),
    ...weightNames(graph),
  ])
}

/** Names of the initializers that are a scalar, or a vector of one value, which the runtime treats as a scalar. */
const scalarsOf = (graph: GraphProto): ReadonlySet<string> =>
  new Set(graph.initializer.filter(({ dims }) => ['', '1'].includes(dims.join())).map(({ name }) => name))

function hasOneScale({ opType, input }: NodeProto, scalars: ReadonlySet<string>): boolean {
  const [, scale] = input
  return /^(Deq|Q)uantizeLinear$/.test(opType) && scale !== undefined && scalars.has(scale)
}
