import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** Field numbers of onnx.proto (github.com/onnx/onnx); a number never changes its meaning. */
export const onnxFields = {
  model: { graph: 7 },
  graph: { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 },
  node: { input: 1, output: 2, opType: 4, attribute: 5 },
  attribute: { name: 1, tensor: 5, graph: 6, ints: 8, graphs: 11, type: 20 },
  tensor: { dims: 1, dataType: 2, floatData: 4, int64Data: 7, name: 8, rawData: 9 },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { elemType: 1, shape: 2 },
  shape: { dim: 1 },
  dim: { name: 2 },
} as const

/** The contents of a message's length-delimited fields of that number, in order. */
export function contentsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message)
  const contents: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag()
    if (no === wanted && type === WireType.LengthDelimited) contents.push(reader.bytes())
    else reader.skip(type, no)
  }
  return contents
}

export const decodeText = (content: Uint8Array) => new TextDecoder().decode(content)

export function textOf(message: Uint8Array, wanted: number): string | undefined {
  const [content] = contentsOf(message, wanted)
  return content === undefined ? undefined : decodeText(content)
}

/** A message with some of its length-delimited fields changed, or left out (undefined); all other bytes as they are. */
export function rewriteFields(
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

/** TensorProto.DataType of the numbers that models are fed. */
const floatTypes = new Map([
  [1, 'float32'],
  [10, 'float16'],
])

/** What the graph's input holds; undefined for anything but floats. */
export function inputTypeOf(onnx: Uint8Array): string | undefined {
  const { model, graph: ofGraph, tensor, valueInfo, type, tensorType } = onnxFields
  const graph = contentsOf(onnx, model.graph)[0] ?? new Uint8Array(0)
  const weights = new Set(contentsOf(graph, ofGraph.initializer).map((it) => textOf(it, tensor.name)))
  const input = contentsOf(graph, ofGraph.input).find((it) => !weights.has(textOf(it, valueInfo.name)))
  const [own] =
    input === undefined ? [] : contentsOf(input, valueInfo.type).flatMap((it) => contentsOf(it, type.tensor))
  if (own === undefined) return undefined
  const reader = new BinaryReader(own)
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag()
    if (no === tensorType.elemType) return floatTypes.get(reader.int32())
    reader.skip(wireType, no)
  }
  return undefined
}

/** The sizes of a tensor, outermost first; none of a scalar. */
export function dimsOf(tensor: Uint8Array): number[] {
  return integersOf(tensor, onnxFields.tensor.dims)
}

/** A repeated field of integers, however it is packed. */
export function integersOf(message: Uint8Array, wanted: number): number[] {
  const reader = new BinaryReader(message)
  const integers: number[] = []
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag()
    if (no !== wanted) reader.skip(type, no)
    else if (type === WireType.Varint) integers.push(Number(reader.int64()))
    else
      for (const end = reader.uint32() + reader.pos; reader.pos < end;) integers.push(Number(reader.int64()))
  }
  return integers
}
