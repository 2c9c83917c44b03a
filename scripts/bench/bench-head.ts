import { writeFileSync } from 'node:fs'
import { writeHead } from '../../pipeline/training/trained-head.js'
import { createNetwork } from '../../pipeline/training/network.js'
import type { InputEmbedder } from '../../pipeline/describe/pooled-input.js'
import { gaussian, seededRandom } from '../../pipeline/common/seeded-random.js'
import { classWeightsName } from '../../pipeline/training/training-graph.js'
import { networkSchema } from '../../pipeline/describe/head/head-metadata.js'

export interface UntrainedHead {
  readonly embedders: readonly InputEmbedder[]
  readonly classes: number
  readonly width: number
  /**
   * Standard deviation of what the network adds to its input. 0 leaves the descriptor as it is without a
   * head.
   */
  readonly change: number
}

/** Writes the file of a head as `head train` writes it, with random weights. */
export function writeUntrainedHead(path: string, { embedders, classes, width, change }: UntrainedHead): void {
  const random = seededRandom(7)
  const settings = networkSchema.parse({ kind: 'residual', width })
  const dimension = embedders.reduce((sum, embedder) => sum + embedder.dimension, 0)
  const network = createNetwork(settings, dimension, random)
  const numbers = (length: number, deviation: number) =>
    Float32Array.from({ length }, () => (deviation === 0 ? 0 : deviation * gaussian(random)))
  const tensors = new Map(
    network.parameters.map(({ name, dims, initial }) => [
      name,
      { dims, data: name === 'out' ? numbers(initial.length, change / Math.sqrt(width)) : initial },
    ]),
  )
  const classWeights = numbers((classes + 1) * dimension, 1)
  tensors.set(classWeightsName, { dims: [classes + 1, dimension], data: classWeights })
  const head = writeHead(
    tensors,
    { network, loss: { scoring: 'cosine', scale: 32 }, residualShare: 1 },
    {
      version: 1,
      embedders: [...embedders],
      classes: Array.from({ length: classes }, (_, i) => `person ${i + 1}`),
      network: settings,
      ...{
        loss: 'arcface',
        scale: 32,
        seed: 7,
        epochs: 0,
        residualShare: 1,
        trainingDigest: '',
        figures: {},
      },
    },
  )
  writeFileSync(path, head)
}
