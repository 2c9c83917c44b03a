import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { graphOf, modelBytes, readModel } from './onnx-model.js'
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
  type AttributeProtoSchema,
  type NodeProtoSchema,
  type TensorProto,
  type TensorProtoSchema,
  type TensorShapeProto_DimensionSchema,
  type ValueInfoProtoSchema,
} from './proto/onnx_pb.js'

export type ElementType = 'float32' | 'int64' | 'bool'

/** A size, or the name of a size that is known only when the graph runs. */
export type Dim = number | string

export interface OnnxNode {
  readonly opType: string
  /** Names; an empty name omits an optional input. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, Attribute>>
}

/** A whole number, a list of whole numbers, or a text. */
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
  /** Stored in the file; `readOnnxMetadata` reads it. */
  readonly metadata?: Readonly<Record<string, string>>
}

const dataTypes: Readonly<Record<ElementType, DataType>> = {
  float32: DataType.FLOAT,
  int64: DataType.INT64,
  bool: DataType.BOOL,
}

/** ONNX Runtime supports it since 1.12. */
const irVersion = 8n
const opsetVersion = 17n

/** The bytes of an ONNX file (opset 17). */
export function writeOnnx({ nodes, initializers, inputs, outputs, metadata = {} }: OnnxGraph): Uint8Array {
  return modelBytes(
    create(ModelProtoSchema, {
      irVersion,
      producerName: 'cameo',
      opsetImport: [{ domain: '', version: opsetVersion }],
      graph: {
        name: 'cameo',
        node: nodes.map(nodeMessage),
        initializer: initializers.map(tensorMessage),
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    }),
  )
}

/** The metadata of an ONNX file; empty if it has none. Throws if the bytes are not a protobuf message. */
export const readOnnxMetadata = (onnx: Uint8Array): ReadonlyMap<string, string> =>
  new Map(readModel(onnx).metadataProps.map(({ key, value }) => [key, value]))

/**
 * A copy of all values of a float32 initializer, by its name; undefined if the file has none with that name and type.
 * Throws if the bytes are not a protobuf message, or if the values do not fit the dims.
 */
export function readOnnxTensor(
  onnx: Uint8Array,
  name: string,
): { readonly dims: readonly number[]; readonly data: Float32Array } | undefined {
  const tensor = graphOf(readModel(onnx)).initializer.find((it) => it.name === name)
  if (tensor?.dataType !== DataType.FLOAT) return undefined
  const dims = tensor.dims.map(Number)
  const data = floatsOf(tensor)
  const count = dims.reduce((product, dim) => product * dim, 1)
  if (data.length !== count)
    throw new Error(`the tensor ${name} has ${data.length} values, but its dimensions require ${count}`)
  return { dims, data }
}

/** Exporters store the values as bytes or as a list. */
function floatsOf({ rawData, floatData }: TensorProto): Float32Array {
  if (floatData.length > 0) return Float32Array.from(floatData)
  // Not slice(): for a Buffer it does not copy.
  return new Float32Array(new Uint8Array(rawData).buffer)
}

function nodeMessage({
  opType,
  inputs,
  outputs,
  attributes = {},
}: OnnxNode): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, value]) => attributeMessage(name, value)),
  }
}

function attributeMessage(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, i: BigInt(value), type: AttributeType.INT }
  if ('text' in value) return { name, s: new TextEncoder().encode(value.text), type: AttributeType.STRING }
  return { name, ints: value.map(BigInt), type: AttributeType.INTS }
}

function tensorMessage({ name, dims, data }: OnnxTensor): MessageInitShape<typeof TensorProtoSchema> {
  return {
    name,
    dims: dims.map(BigInt),
    dataType: dataTypes[data instanceof Float32Array ? 'float32' : 'int64'],
    // Little-endian, as on every machine that Node supports.
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }
}

function valueInfo({ name, type, dims }: OnnxValueInfo): MessageInitShape<typeof ValueInfoProtoSchema> {
  const shape = { dim: dims.map(dimension) }
  return { name, type: { value: { case: 'tensorType', value: { elemType: dataTypes[type], shape } } } }
}

function dimension(dim: Dim): MessageInitShape<typeof TensorShapeProto_DimensionSchema> {
  return typeof dim === 'number'
    ? { value: { case: 'dimValue', value: BigInt(dim) } }
    : { value: { case: 'dimParam', value: dim } }
}
