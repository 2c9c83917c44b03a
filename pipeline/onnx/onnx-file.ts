import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { contentsOf, textOf } from './onnx-fields.js'

export type ElementType = 'float32' | 'int64' | 'bool'

/** A size, or the name of a size that is known when the graph runs. */
export type Dim = number | string

export interface OnnxNode {
  readonly opType: string
  /** Names; an empty one leaves an optional input away. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, Attribute>>
}

/** A whole number, a list of them, or a word. */
export type Attribute = number | readonly number[] | { readonly text: string }

export interface OnnxTensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly data: Float32Array | BigInt64Array
}

export interface OnnxValueInfo {
  readonly name: string
  readonly type: ElementType
  readonly dims: readonly Dim[]
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxTensor[]
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly OnnxValueInfo[]
  /** Kept in the file, read by `readOnnxMetadata`. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** Field numbers of onnx.proto (github.com/onnx/onnx); a number never changes its meaning. */
const fields = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8, metadata: 14 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, opType: 4, attribute: 5 },
  attribute: { name: 1, int: 3, text: 4, ints: 8, type: 20 },
  tensor: { dims: 1, dataType: 2, floatData: 4, name: 8, rawData: 9 },
  entry: { key: 1, value: 2 },
} as const

/** TensorProto.DataType */
const dataTypes: Readonly<Record<ElementType, number>> = { float32: 1, int64: 7, bool: 9 }

/** AttributeProto.AttributeType */
const attributeTypes = { int: 2, text: 3, ints: 7 } as const

/** Understood by ONNX Runtime since 1.12. */
const irVersion = 8
const opsetVersion = 17

/** The bytes of an ONNX file (opset 17). */
export function writeOnnx(graph: OnnxGraph): Uint8Array {
  const content = new BinaryWriter()
  for (const node of graph.nodes) embed(content, fields.graph.node, nodeMessage(node))
  text(content, fields.graph.name, 'cameo')
  for (const tensor of graph.initializers) embed(content, fields.graph.initializer, tensorMessage(tensor))
  for (const input of graph.inputs) embed(content, fields.graph.input, valueInfo(input))
  for (const output of graph.outputs) embed(content, fields.graph.output, valueInfo(output))
  const model = integer(new BinaryWriter(), fields.model.irVersion, irVersion)
  text(model, fields.model.producerName, 'cameo')
  embed(model, fields.model.graph, content)
  embed(model, fields.model.opsetImport, integer(text(new BinaryWriter(), 1, ''), 2, opsetVersion))
  for (const [key, value] of Object.entries(graph.metadata ?? {})) {
    const entry = text(text(new BinaryWriter(), fields.entry.key, key), fields.entry.value, value)
    embed(model, fields.model.metadata, entry)
  }
  return model.finish()
}

/** The metadata of an ONNX file; empty where it has none. Throws where the bytes are no protobuf message. */
export function readOnnxMetadata(onnx: Uint8Array): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>()
  const reader = new BinaryReader(onnx)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field !== fields.model.metadata) {
      reader.skip(wireType, field)
      continue
    }
    const entry = new BinaryReader(reader.bytes())
    let [key, value] = ['', '']
    while (entry.pos < entry.len) {
      const [part, partType] = entry.tag()
      if (part === fields.entry.key) key = entry.string()
      else if (part === fields.entry.value) value = entry.string()
      else entry.skip(partType, part)
    }
    metadata.set(key, value)
  }
  return metadata
}

/**
 * The values of a float32 initializer, by its name: the whole of them, copied; undefined where the file has none of that
 * name and type. Throws where the bytes are no protobuf message, or the values do not fit the dims.
 */
export function readOnnxTensor(
  onnx: Uint8Array,
  name: string,
): { readonly dims: readonly number[]; readonly data: Float32Array } | undefined {
  for (const graph of contentsOf(onnx, fields.model.graph))
    for (const tensor of contentsOf(graph, fields.graph.initializer))
      if (textOf(tensor, fields.tensor.name) === name) return readFloats(tensor, name)
  return undefined
}

function readFloats(tensor: Uint8Array, name: string) {
  const dims: number[] = []
  let type = 0
  // Exporters write the values as bytes, or as a list.
  let bytes = new Uint8Array(0)
  const reader = new BinaryReader(tensor)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === fields.tensor.dims && wireType === WireType.Varint) dims.push(Number(reader.int64()))
    else if (field === fields.tensor.dims && wireType === WireType.LengthDelimited) {
      const packed = new BinaryReader(reader.bytes())
      while (packed.pos < packed.len) dims.push(Number(packed.int64()))
    } else if (field === fields.tensor.dataType) type = reader.int32()
    else if (
      (field === fields.tensor.rawData || field === fields.tensor.floatData) &&
      wireType === WireType.LengthDelimited
    )
      // Not slice(), which of a Buffer is no copy.
      bytes = new Uint8Array(reader.bytes())
    else reader.skip(wireType, field)
  }
  if (type !== dataTypes.float32) return undefined
  const count = dims.reduce((product, dim) => product * dim, 1)
  if (bytes.length !== 4 * count)
    throw new Error(`the tensor ${name} has ${bytes.length} bytes for ${count} values`)
  return { dims, data: new Float32Array(bytes.buffer) }
}

const text = (to: BinaryWriter, field: number, value: string) =>
  to.tag(field, WireType.LengthDelimited).string(value)
const integer = (to: BinaryWriter, field: number, value: number) =>
  to.tag(field, WireType.Varint).int64(value)
const embed = (to: BinaryWriter, field: number, message: BinaryWriter) =>
  to.tag(field, WireType.LengthDelimited).bytes(message.finish())

function nodeMessage({ opType, inputs, outputs, attributes = {} }: OnnxNode): BinaryWriter {
  const node = new BinaryWriter()
  for (const input of inputs) text(node, fields.node.input, input)
  for (const output of outputs) text(node, fields.node.output, output)
  text(node, fields.node.opType, opType)
  for (const [name, value] of Object.entries(attributes))
    embed(node, fields.node.attribute, attributeMessage(name, value))
  return node
}

function attributeMessage(name: string, value: Attribute): BinaryWriter {
  const { attribute } = fields
  const message = text(new BinaryWriter(), attribute.name, name)
  if (typeof value === 'number')
    return integer(integer(message, attribute.int, value), attribute.type, attributeTypes.int)
  if ('text' in value)
    return integer(text(message, attribute.text, value.text), attribute.type, attributeTypes.text)
  for (const one of value) integer(message, attribute.ints, one)
  return integer(message, attribute.type, attributeTypes.ints)
}

function tensorMessage({ name, dims, data }: OnnxTensor): BinaryWriter {
  const { tensor } = fields
  const message = new BinaryWriter()
  for (const dim of dims) integer(message, tensor.dims, dim)
  integer(message, tensor.dataType, dataTypes[data instanceof Float32Array ? 'float32' : 'int64'])
  text(message, tensor.name, name)
  // Little-endian, as every machine that Node runs on stores it.
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return message.tag(tensor.rawData, WireType.LengthDelimited).bytes(bytes)
}

function valueInfo({ name, type, dims }: OnnxValueInfo): BinaryWriter {
  const shape = new BinaryWriter()
  for (const dim of dims) {
    const message = new BinaryWriter()
    embed(shape, 1, typeof dim === 'number' ? integer(message, 1, dim) : text(message, 2, dim))
  }
  const tensor = embed(integer(new BinaryWriter(), 1, dataTypes[type]), 2, shape)
  return embed(text(new BinaryWriter(), 1, name), 2, embed(new BinaryWriter(), 1, tensor))
}
