import { writeHead } from '../../pipeline/training/trained-head.js'
import type { InferenceOptions } from '../../pipeline/training/inference-graph.js'
import { parseLoss } from '../../pipeline/training/losses/parse-loss.js'
import { createNetwork } from '../../pipeline/training/network.js'
import { gaussian, seededRandom } from '../../pipeline/common/seeded-random.js'
import type { HeadTensors } from '../../pipeline/training/step-tensors.js'
import {
  networkSchema,
  type NetworkSettings,
  type HeadMetadata,
} from '../../pipeline/describe/head/head-metadata.js'

export interface RandomHeadOptions {
  readonly dimension: number
  readonly classes: readonly string[]
  readonly residualShare?: number
  readonly network?: Partial<NetworkSettings>
  readonly seed?: number
}

/** A head with random numbers for all of its tensors, in the format of `head train`. */
export function randomHead({
  dimension,
  classes,
  residualShare = 1,
  network: settings = {},
  seed = 1,
}: RandomHeadOptions): {
  readonly onnx: Uint8Array
  readonly tensors: HeadTensors
  readonly inference: InferenceOptions
  readonly metadata: HeadMetadata
} {
  const random = seededRandom(seed)
  const networkSettings = networkSchema.parse({ width: 5, ...settings })
  const network = createNetwork(networkSettings, dimension, random)
  const loss = parseLoss('arcface', 20)
  const tensors = new Map<string, { dims: readonly number[]; data: Float32Array }>()
  const add = (name: string, dims: readonly number[]) => {
    const length = dims.reduce((a, b) => a * b, 1)
    tensors.set(name, { dims, data: Float32Array.from({ length }, () => 0.3 * gaussian(random)) })
  }
  for (const { name, dims } of network.parameters) add(name, dims)
  add('class weights', [classes.length + 1, network.outputDimension])
  for (const [layer, width] of network.standardised) {
    add(`${layer} mean`, [1, width])
    tensors.set(`${layer} variance`, { dims: [1, width], data: new Float32Array(width).fill(1) })
  }
  const inference = { network, loss, residualShare }
  const metadata: HeadMetadata = {
    version: 1,
    embedders: [{ digest: 'digest', name: 'synthetic', dimension }],
    classes: [...classes],
    network: networkSettings,
    loss: 'arcface',
    scale: 20,
    seed,
    epochs: 0,
    residualShare,
    trainingDigest: 'none',
    figures: {},
  }
  return { onnx: writeHead(tensors, inference, metadata), tensors, inference, metadata }
}
