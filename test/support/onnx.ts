import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { encodeFloat16 } from '../../pipeline/data/float16.js'

export interface OnnxNode {
  readonly opType: string
  readonly inputs: readonly string[]
  readonly output: string
  /** Lists of integers. */
  readonly attributes?: Readonly<Record<string, readonly number[]>>
}

export interface OnnxGraph {
  /** Dimensions of the one input, `x`. */
  readonly inputDims: readonly number[]
  /** Dimensions of the last node's output. The output has the node's name. */
  readonly outputDims: readonly number[]
  readonly nodes: readonly OnnxNode[]
  /** int64 vectors: initializers, or nodes of type Constant. */
  readonly vectors: Readonly<Record<string, readonly number[]>>
  readonly vectorsAs: 'initializers' | 'constants'
  /** Weights: initializers of the graph's element type. */
  readonly weights?: Readonly<
    Record<string, { readonly dims: readonly number[]; readonly values: readonly number[] }>
  >
  /** Type of the input, the output and the weights; default float32. */
  readonly elementType?: 'float32' | 'float16'
}

const elementTypes = { float32: 1, float16: 10 } as const
const int64 = 7
const intsAttribute = 7
const tensorAttribute = 4

/** A small ONNX file (onnx.proto, opset 11) as an exporter would write it. */
export function onnxFile(description: OnnxGraph): Uint8Array {
  const {
    inputDims,
    outputDims,
    nodes,
    vectors,
    vectorsAs,
    weights = {},
    elementType = 'float32',
  } = description
  const graph = new BinaryWriter()
  const lists = Object.entries(vectors)
  if (vectorsAs === 'constants') for (const [name, values] of lists) embed(graph, 1, constant(name, values))
  for (const node of nodes) embed(graph, 1, nodeMessage(node))
  text(graph, 2, 'test')
  if (vectorsAs === 'initializers')
    for (const [name, values] of lists) embed(graph, 5, vector(name, values, 'raw'))
  for (const [name, { dims, values }] of Object.entries(weights))
    embed(graph, 5, weightTensor(name, dims, values, elementType))
  embed(graph, 11, valueInfo('x', inputDims, elementType))
  embed(graph, 12, valueInfo(nodes.at(-1)?.output ?? 'x', outputDims, elementType))
  const opset = number(text(new BinaryWriter(), 1, ''), 2, 11)
  return embed(embed(number(new BinaryWriter(), 1, 6), 7, graph), 8, opset).finish()
}

const text = (to: BinaryWriter, no: number, value: string) =>
  to.tag(no, WireType.LengthDelimited).string(value)
const number = (to: BinaryWriter, no: number, value: number) => to.tag(no, WireType.Varint).int64(value)
const embed = (to: BinaryWriter, no: number, message: BinaryWriter) =>
  to.tag(no, WireType.LengthDelimited).bytes(message.finish())

function nodeMessage({ opType, inputs, output, attributes = {} }: OnnxNode): BinaryWriter {
  const node = new BinaryWriter()
  for (const input of inputs) text(node, 1, input)
  text(text(node, 2, output), 4, opType)
  for (const [name, values] of Object.entries(attributes)) {
    const attribute = text(new BinaryWriter(), 1, name)
    for (const value of values) number(attribute, 8, value)
    embed(node, 5, number(attribute, 20, intsAttribute))
  }
  return node
}

function constant(name: string, values: readonly number[]): BinaryWriter {
  const attribute = embed(text(new BinaryWriter(), 1, 'value'), 5, vector('', values, 'varints'))
  const node = text(text(new BinaryWriter(), 2, name), 4, 'Constant')
  return embed(node, 5, number(attribute, 20, tensorAttribute))
}

function vector(name: string, values: readonly number[], as: 'raw' | 'varints'): BinaryWriter {
  const tensor = number(number(new BinaryWriter(), 1, values.length), 2, int64)
  if (as === 'raw') {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    return text(tensor, 8, name).tag(9, WireType.LengthDelimited).bytes(bytes)
  }
  const packed = new BinaryWriter()
  for (const value of values) packed.int64(value)
  return embed(tensor, 7, packed)
}

type ElementType = keyof typeof elementTypes

function weightTensor(
  name: string,
  dims: readonly number[],
  values: readonly number[],
  elementType: ElementType,
): BinaryWriter {
  const tensor = new BinaryWriter()
  for (const dim of dims) number(tensor, 1, dim)
  const floats = Float32Array.from(values)
  const { buffer } = elementType === 'float16' ? encodeFloat16(floats) : floats
  return text(number(tensor, 2, elementTypes[elementType]), 8, name)
    .tag(9, WireType.LengthDelimited)
    .bytes(new Uint8Array(buffer))
}

function valueInfo(name: string, dims: readonly number[], elementType: ElementType): BinaryWriter {
  const shape = new BinaryWriter()
  for (const dim of dims) embed(shape, 1, number(new BinaryWriter(), 1, dim))
  const tensor = embed(number(new BinaryWriter(), 1, elementTypes[elementType]), 2, shape)
  return embed(text(new BinaryWriter(), 1, name), 2, embed(new BinaryWriter(), 1, tensor))
}
