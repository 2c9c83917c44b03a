import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  contentsOf,
  decodeText,
  integersOf,
  onnxFields as fields,
  rewriteFields,
  textOf,
} from './onnx-fields.js'

/** AttributeProto.AttributeType.INTS */
const intsType = 7

/**
 * An ONNX file whose input has a batch of 1, changed to take any batch, in front: the input's first dimension gets a
 * name, stated shapes behind it go (the runtime infers them), and the two ways in which exporters write the 1 down are
 * undone, for a batch of 1 without any change of the values:
 * - a Reshape to [1, …] keeps the batch as it is ([0, …]);
 * - SCRFD's heads transpose [n, c, h, w] to [h, w, n, c] before they make rows of it, which mixes the items; [n, h, w, c]
 *   keeps each item's rows together.
 *
 * Only these fields are touched, all other bytes stay. Whether the result really treats its items one by one is for the
 * caller to check: a graph may hold the 1 in yet other ways.
 */
export function withDynamicBatch(onnx: Uint8Array): Uint8Array<ArrayBuffer> {
  return rewriteFields(onnx, { [fields.model.graph]: rewriteGraph })
}

function rewriteGraph(graph: Uint8Array): Uint8Array {
  const { node, tensor, valueInfo } = fields
  const weights = new Set(contentsOf(graph, fields.graph.initializer).map((it) => textOf(it, tensor.name)))
  const reshapes = contentsOf(graph, fields.graph.node)
    .filter((it) => textOf(it, node.opType) === 'Reshape')
    .map((it) => contentsOf(it, node.input).map(decodeText))
    .filter(([data]) => !weights.has(data))
  const reshaped = new Set(reshapes.map(([data]) => data))
  const shapes = new Set(reshapes.map(([, shape]) => shape))
  return rewriteFields(graph, {
    [fields.graph.node]: (it) => rewriteNode(it, reshaped, shapes),
    [fields.graph.initializer]: (it) => (shapes.has(textOf(it, tensor.name)) ? keepBatch(it) : it),
    // Old files list their weights among the inputs.
    [fields.graph.input]: (it) => (weights.has(textOf(it, valueInfo.name)) ? it : nameBatch(it)),
    [fields.graph.output]: dropShape,
    [fields.graph.valueInfo]: () => undefined,
  })
}

function rewriteNode(
  content: Uint8Array,
  reshaped: ReadonlySet<string | undefined>,
  shapes: ReadonlySet<string | undefined>,
): Uint8Array {
  const { node, attribute } = fields
  const opType = textOf(content, node.opType)
  const output = textOf(content, node.output)
  if (opType === 'Constant' && shapes.has(output))
    return rewriteFields(content, {
      [node.attribute]: (it) => rewriteFields(it, { [attribute.tensor]: keepBatch }),
    })
  if (opType === 'Transpose' && reshaped.has(output))
    return rewriteFields(content, {
      [node.attribute]: (it) =>
        integersOf(it, attribute.ints).join() === '2,3,0,1' ? permutation([0, 2, 3, 1]) : it,
    })
  return content
}

/** In a Reshape's shape, 0 copies the input's dimension. */
function keepBatch(tensor: Uint8Array): Uint8Array {
  const { rawData, int64Data } = fields.tensor
  const zeroFirst = (bytes: Uint8Array, one: readonly number[]) => {
    if (!one.every((byte, at) => bytes[at] === byte)) return bytes
    const changed = bytes.slice()
    changed[0] = 0
    return changed
  }
  return rewriteFields(tensor, {
    // int64, little-endian
    [rawData]: (bytes) => zeroFirst(bytes, [1, 0, 0, 0, 0, 0, 0, 0]),
    // varints
    [int64Data]: (bytes) => zeroFirst(bytes, [1]),
  })
}

function nameBatch(valueInfo: Uint8Array): Uint8Array {
  let isFirst = true
  const nameFirst = (dim: Uint8Array) => {
    if (!isFirst) return dim
    isFirst = false
    return new BinaryWriter().tag(fields.dim.name, WireType.LengthDelimited).string('batch').finish()
  }
  return rewriteFields(valueInfo, {
    [fields.valueInfo.type]: (type) =>
      rewriteFields(type, {
        [fields.type.tensor]: (tensor) =>
          rewriteFields(tensor, {
            [fields.tensorType.shape]: (shape) => rewriteFields(shape, { [fields.shape.dim]: nameFirst }),
          }),
      }),
  })
}

function dropShape(valueInfo: Uint8Array): Uint8Array {
  return rewriteFields(valueInfo, {
    [fields.valueInfo.type]: (type) =>
      rewriteFields(type, {
        [fields.type.tensor]: (tensor) =>
          rewriteFields(tensor, { [fields.tensorType.shape]: () => undefined }),
      }),
  })
}

function permutation(axes: readonly number[]): Uint8Array {
  const { name, ints, type } = fields.attribute
  const writer = new BinaryWriter().tag(name, WireType.LengthDelimited).string('perm')
  for (const axis of axes) writer.tag(ints, WireType.Varint).int64(axis)
  return writer.tag(type, WireType.Varint).int32(intsType).finish()
}
