import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  type GraphProto,
  type ModelProto,
} from './proto/onnx_pb.js'

/**
 * An ONNX file as the messages of onnx.proto. Weights stored as bytes are not copied. Fields that this version of the
 * format does not know are kept. Throws if the bytes are not a protobuf message.
 */
export const readModel = (onnx: Uint8Array): ModelProto => fromBinary(ModelProtoSchema, onnx)

export const modelBytes = (model: ModelProto): Uint8Array<ArrayBuffer> => toBinary(ModelProtoSchema, model)

/** The model's graph; an empty one if the file has none. */
export const graphOf = (model: ModelProto): GraphProto => model.graph ?? create(GraphProtoSchema)

/** Types of numbers that models take as input. */
const floatTypes: ReadonlyMap<number, string> = new Map([
  [TensorProto_DataType.FLOAT, 'float32'],
  [TensorProto_DataType.FLOAT16, 'float16'],
])

/** Names of the weights: old files also list them as inputs. */
export const weightNames = (graph: GraphProto): ReadonlySet<string> =>
  new Set(graph.initializer.map(({ name }) => name))

/** The type of the graph's input; undefined for anything except floats. */
export function inputTypeOf(onnx: Uint8Array): string | undefined {
  const graph = graphOf(readModel(onnx))
  const weights = weightNames(graph)
  const type = graph.input.find(({ name }) => !weights.has(name))?.type?.value
  return type?.case === 'tensorType' ? floatTypes.get(type.value.elemType) : undefined
}
