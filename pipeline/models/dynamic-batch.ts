import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** Field numbers of onnx.proto (github.com/onnx/onnx); a number never changes its meaning. */
const fields = {
  model: { graph: 7 },
  graph: { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 },
  node: { input: 1, output: 2, opType: 4, attribute: 5 },
  attribute: { name: 1, tensor: 5, ints: 8, type: 20 },
  tensor: { int64Data: 7, name: 8, rawData: 9 },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { shape: 2 },
  shape: { dim: 1 },
  dim: { name: 2 },
} as const

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
      [node.attribute]: (it) => (intsOf(it).join() === '2,3,0,1' ? permutation([0, 2, 3, 1]) : it),
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

/** An attribute's list of integers, however it is packed. */
function intsOf(attribute: Uint8Array): number[] {
  const reader = new BinaryReader(attribute)
  const ints: number[] = []
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag()
    if (no !== fields.attribute.ints) reader.skip(type, no)
    else if (type === WireType.Varint) ints.push(Number(reader.int64()))
    else for (const end = reader.uint32() + reader.pos; reader.pos < end;) ints.push(Number(reader.int64()))
  }
  return ints
}

/** The contents of a message's length-delimited fields of that number, in order. */
function contentsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message)
  const contents: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag()
    if (no === wanted && type === WireType.LengthDelimited) contents.push(reader.bytes())
    else reader.skip(type, no)
  }
  return contents
}

const decodeText = (content: Uint8Array) => new TextDecoder().decode(content)

function textOf(message: Uint8Array, wanted: number): string | undefined {
  const [content] = contentsOf(message, wanted)
  return content === undefined ? undefined : decodeText(content)
}

/** A message with some of its length-delimited fields changed, or left out (undefined); all other bytes as they are. */
function rewriteFields(
  message: Uint8Array,
  rewrites: Readonly<Record<number, (content: Uint8Array) => Uint8Array | undefined>>,
): Uint8Array<ArrayBuffer> {
  const reader = new BinaryReader(message)
  const writer = new BinaryWriter()
  while (reader.pos < reader.len) {
    const start = reader.pos
    const [no, type] = reader.tag()
    const rewrite = type === WireType.LengthDelimited ? rewrites[no] : undefined
    if (rewrite === undefined) {
      reader.skip(type, no)
      writer.raw(message.subarray(start, reader.pos))
      continue
    }
    const content = rewrite(reader.bytes())
    if (content !== undefined) writer.tag(no, type).bytes(content)
  }
  return writer.finish()
}
