import { graphOf, modelBytes, readModel } from './onnx-model.js'
import { TensorProto_DataType } from './proto/onnx_pb.js'

/**
 * Weights closer to 0 than this are set to 0. Products with them stay below the rounding of a float32 sum of values
 * around 1. Below 1.18e-38 they are subnormal: some processors need about a hundred times as long for each operation
 * with them.
 */
export const tinyWeight = 1e-20

/** The smallest normal float32. */
const smallestNormal = 2 ** -126

export interface FlushedWeights {
  /** The ONNX file with those weights set to 0. */
  readonly onnx: Uint8Array<ArrayBuffer>
  /** Number of weights that were set to 0, and of the subnormal ones among them. */
  readonly tiny: number
  readonly subnormal: number
}

const float32: number = TensorProto_DataType.FLOAT

/** Sets every float32 weight (an initializer of the graph) with 0 < |w| < 1e-20 to 0. */
export function flushTinyWeights(onnx: Uint8Array): FlushedWeights {
  const model = readModel(onnx)
  let tiny = 0
  let subnormal = 0
  const isTiny = (weight: number): boolean => {
    const size = Math.abs(weight)
    if (size === 0 || !(size < tinyWeight)) return false
    tiny++
    if (size < smallestNormal) subnormal++
    return true
  }
  for (const tensor of graphOf(model).initializer) {
    if (tensor.dataType !== float32) continue
    // Exporters store the values as bytes or as a list.
    if (tensor.rawData.length > 0) tensor.rawData = flushBytes(tensor.rawData, isTiny)
    for (const [i, weight] of tensor.floatData.entries()) if (isTiny(weight)) tensor.floatData[i] = 0
  }
  return { onnx: modelBytes(model), tiny, subnormal }
}

/** `values` are float32, little-endian. */
function flushBytes(values: Uint8Array, isTiny: (weight: number) => boolean): Uint8Array {
  // Not slice(): for a Buffer it does not copy.
  const flushed = new Uint8Array(values)
  const view = new DataView(flushed.buffer)
  for (let at = 0; at + 4 <= flushed.length; at += 4)
    if (isTiny(view.getFloat32(at, true))) view.setFloat32(at, 0, true)
  return flushed
}
