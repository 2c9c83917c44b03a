import { create } from '@bufbuild/protobuf'
import { graphOf, modelBytes, readModel, weightNames } from './onnx-model.js'
import {
  TensorShapeProto_DimensionSchema,
  type NodeProto,
  type TensorProto,
  type TypeProto_Tensor,
  type ValueInfoProto,
} from './proto/onnx_pb.js'

/**
 * Changes an ONNX file with a batch of 1 so that it takes any batch size: the input's first dimension gets a name,
 * stated shapes of later values are removed (the runtime infers them), and the two ways in which exporters store the 1
 * are undone. For a batch of 1, the values do not change.
 * - A Reshape to [1, …] keeps the batch as it is ([0, …]).
 * - SCRFD's heads transpose [n, c, h, w] to [h, w, n, c] before they make rows of it, which mixes the items; [n, h, w,
 *   c] keeps each item's rows together.
 *
 * Nothing else changes. The caller has to check that the result processes its items separately: a graph may contain the
 * 1 in other ways.
 */
export function withDynamicBatch(onnx: Uint8Array): Uint8Array<ArrayBuffer> {
  const model = readModel(onnx)
  const graph = graphOf(model)
  const weights = weightNames(graph)
  const reshapes = graph.node.filter(
    ({ opType, input: [data] }) => opType === 'Reshape' && data !== undefined && !weights.has(data),
  )
  const reshaped = new Set(reshapes.map(({ input: [data] }) => data))
  const shapes = new Set(reshapes.map(({ input: [, shape] }) => shape))
  for (const node of graph.node) {
    const [output] = node.output
    if (node.opType === 'Constant' && shapes.has(output))
      for (const { t } of node.attribute) if (t !== undefined) keepBatch(t)
    if (node.opType === 'Transpose' && reshaped.has(output)) keepRowsTogether(node)
  }
  for (const tensor of graph.initializer) if (shapes.has(tensor.name)) keepBatch(tensor)
  // Old files also list their weights as inputs.
  for (const input of graph.input) if (!weights.has(input.name)) nameBatch(input)
  for (const output of graph.output) delete tensorTypeOf(output)?.shape
  graph.valueInfo = []
  return modelBytes(model)
}

/** In a Reshape's shape, 0 copies the input's dimension. */
function keepBatch(shape: TensorProto): void {
  if (shape.int64Data[0] === 1n) shape.int64Data[0] = 0n
  // int64, little-endian
  if ([1, 0, 0, 0, 0, 0, 0, 0].every((byte, at) => shape.rawData[at] === byte)) {
    const changed = new Uint8Array(shape.rawData)
    changed[0] = 0
    shape.rawData = changed
  }
}

function keepRowsTogether(transpose: NodeProto): void {
  for (const attribute of transpose.attribute)
    if (attribute.ints.join() === '2,3,0,1') attribute.ints = [0n, 2n, 3n, 1n]
}

function nameBatch(input: ValueInfoProto): void {
  const shape = tensorTypeOf(input)?.shape
  if (shape === undefined || shape.dim.length === 0) return
  shape.dim[0] = create(TensorShapeProto_DimensionSchema, { value: { case: 'dimParam', value: 'batch' } })
}

function tensorTypeOf({ type }: ValueInfoProto): TypeProto_Tensor | undefined {
  return type?.value.case === 'tensorType' ? type.value.value : undefined
}
