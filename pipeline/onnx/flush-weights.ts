import { BinaryReader } from '@bufbuild/protobuf/wire'
import { onnxFields, rewriteFields } from './onnx-fields.js'

/**
 * Weights nearer to 0 than this are set to 0. Products with them stay below the rounding of a float32 sum of values around 1,
 * and below 1.18e-38 they are subnormal: some processors need about a hundred times as long for each operation on those.
 */
export const tinyWeight = 1e-20

/** The smallest normal float32. */
const smallestNormal = 2 ** -126

export interface FlushedWeights {
  /** The ONNX file with those weights set to 0; all other bytes as they were. */
  readonly onnx: Uint8Array<ArrayBuffer>
  /** How many weights were set to 0, the subnormal ones among them. */
  readonly tiny: number
  readonly subnormal: number
}

/** TensorProto.DataType */
const float32 = 1

/** Sets every float32 weight (an initializer of the graph) with 0 < |w| < 1e-20 to 0. */
export function flushTinyWeights(onnx: Uint8Array): FlushedWeights {
  const { model, graph, tensor } = onnxFields
  let tiny = 0
  let subnormal = 0

  function flush(values: Uint8Array): Uint8Array {
    const flushed = values.slice()
    const view = new DataView(flushed.buffer, flushed.byteOffset, flushed.byteLength)
    for (let at = 0; at + 4 <= flushed.length; at += 4) {
      const size = Math.abs(view.getFloat32(at, true))
      if (size === 0 || !(size < tinyWeight)) continue
      tiny++
      if (size < smallestNormal) subnormal++
      view.setFloat32(at, 0, true)
    }
    return flushed
  }

  // Exporters write the values as bytes, or as a packed list: the same bytes.
  const flushTensor = (it: Uint8Array) =>
    typeOf(it) === float32 ? rewriteFields(it, { [tensor.rawData]: flush, [tensor.floatData]: flush }) : it
  const changed = rewriteFields(onnx, {
    [model.graph]: (it) => rewriteFields(it, { [graph.initializer]: flushTensor }),
  })
  return { onnx: changed, tiny, subnormal }
}

function typeOf(tensor: Uint8Array): number | undefined {
  const reader = new BinaryReader(tensor)
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag()
    if (no === onnxFields.tensor.dataType) return reader.int32()
    reader.skip(wireType, no)
  }
  return undefined
}
