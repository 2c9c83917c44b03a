import { contentsOf, decodeText, dimsOf, onnxFields as fields, rewriteFields, textOf } from './onnx-fields.js'

/**
 * An ONNX file without what tools that quantize weights leave behind and ONNX Runtime refuses; undefined where there is nothing
 * of that:
 * - inputs of the graph that nothing in it reads and that have no value of their own: they would have to be fed;
 * - the size of blocks at a (De)QuantizeLinear that has one scale for all of its values: there are no blocks.
 */
export function repairGraph(onnx: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const [graph] = contentsOf(onnx, fields.model.graph)
  if (graph === undefined) return undefined
  const isRead = namesRead(graph)
  const scalars = scalarsOf(graph)
  const isDead = (input: Uint8Array) => !isRead.has(textOf(input, fields.valueInfo.name))
  const hasNoBlocks = (node: Uint8Array) => hasOneScale(node, scalars) && blockSizesOf(node).length > 0
  // A large file is not copied for nothing.
  const isWhole =
    !contentsOf(graph, fields.graph.input).some(isDead) &&
    !contentsOf(graph, fields.graph.node).some(hasNoBlocks)
  if (isWhole) return undefined
  return rewriteFields(onnx, {
    [fields.model.graph]: (content) =>
      rewriteFields(content, {
        [fields.graph.input]: (it) => (isDead(it) ? undefined : it),
        [fields.graph.node]: (it) =>
          hasNoBlocks(it)
            ? rewriteFields(it, {
                [fields.node.attribute]: (attribute) => (isBlockSize(attribute) ? undefined : attribute),
              })
            : it,
      }),
  })
}

const isBlockSize = (attribute: Uint8Array) => textOf(attribute, fields.attribute.name) === 'block_size'
const blockSizesOf = (node: Uint8Array) => contentsOf(node, fields.node.attribute).filter(isBlockSize)

/** What nodes of the graph and of graphs inside it read, what it gives, and its weights. */
function namesRead(graph: Uint8Array): Set<string | undefined> {
  const { node, attribute } = fields
  const nodes = contentsOf(graph, fields.graph.node)
  const inner = nodes
    .flatMap((it) => contentsOf(it, node.attribute))
    .flatMap((it) => [...contentsOf(it, attribute.graph), ...contentsOf(it, attribute.graphs)])
  return new Set([
    ...nodes.flatMap((it) => contentsOf(it, node.input).map(decodeText)),
    ...inner.flatMap((it) => [...namesRead(it)]),
    ...contentsOf(graph, fields.graph.output).map((it) => textOf(it, fields.valueInfo.name)),
    ...contentsOf(graph, fields.graph.initializer).map((it) => textOf(it, fields.tensor.name)),
  ])
}

/** Names of the initializers that are a scalar, or a vector of one value, which the runtime takes for one. */
const scalarsOf = (graph: Uint8Array) =>
  new Set(
    contentsOf(graph, fields.graph.initializer)
      .filter((it) => ['', '1'].includes(dimsOf(it).join()))
      .map((it) => textOf(it, fields.tensor.name)),
  )

function hasOneScale(node: Uint8Array, scalars: ReadonlySet<string | undefined>): boolean {
  if (!/^(Deq|Q)uantizeLinear$/.test(textOf(node, fields.node.opType) ?? '')) return false
  const [, scale] = contentsOf(node, fields.node.input).map(decodeText)
  return scalars.has(scale)
}
