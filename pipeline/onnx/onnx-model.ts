import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  type GraphProto,
  type ModelProto,
} from './proto/onnx_pb.js'

/**
 * An ONNX file as the messages of onnx.proto; weights that are stored as bytes are not copied. Fields that this version of the
 * format does not know are kept. Throws where the bytes are no protobuf message.
 */
export const readModel = (onnx: Uint8Array): ModelProto => fromBinary(ModelProtoSchema, onnx)

export const modelBytes = (model: ModelProto): Uint8Array<ArrayBuffer> => toBinary(ModelProtoSchema, model)

/** Its graph; an empty one where the file has none. */
export const graphOf = (model: ModelProto): GraphProto => model.graph ?? create(GraphProtoSchema)

/** The numbers that models are fed. */
const floatTypes: ReadonlyMap<number, string> = new Map([
  [TensorProto_DataType.FLOAT, 'float32'],
  [TensorProto_DataType.FLOAT16, 'float16'],
])

/** Names of the weights: old files list them among the inputs, too. */
export const weightNames = (graph: GraphProto): ReadonlySet<string> =>
  new Set(graph.initializer.map(({ name }) => name))

/** What the graph's input holds; undefined for anything but floats. */
export function inputTypeOf(onnx: Uint8Array): string | undefined {
  const graph = graphOf(readModel(onnx))
  const weights = weightNames(graph)
  const type = graph.input.find(({ name }) => !weights.has(name))?.type?.value
  return type?.case === 'tensorType' ? floatTypes.get(type.value.elemType) : undefined
}
