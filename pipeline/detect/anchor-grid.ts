import type { Tensor } from '../data/tensor.js'

/** The strides of the feature maps that SCRFD and YuNet predict on, px. */
export const strides = [8, 16, 32] as const

/** The output `name`. For exporters that number their outputs, see `outputByShape`. */
export function outputOf(outputs: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const output = outputs.get(name)
  if (output === undefined)
    throw new Error(`the detector has no output ${name}; it has ${[...outputs.keys()].join(', ')}`)
  return output
}

/**
 * The output with `rows` rows of `columns` values. Exporters call SCRFD's outputs score_8 … or number them; the shape
 * identifies them whatever their names are.
 */
export function outputByShape(outputs: ReadonlyMap<string, Tensor>, rows: number, columns: number): Tensor {
  for (const tensor of outputs.values())
    if (tensor.dims.at(-1) === columns && tensor.data.length === rows * columns) return tensor
  throw new Error(`the detector has no output of ${rows} rows of ${columns} values`)
}
