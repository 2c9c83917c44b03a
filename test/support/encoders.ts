import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { onnxFile, type OnnxGraph } from './onnx.js'

/** Rows of the tiny encoder's 1×1 convolution: two channels from red, green and blue 0..1. */
export const tinyWeights: readonly (readonly number[])[] = [
  [1, 0, 0],
  [-0.5, 0, -0.5],
]
export const tinyBias: readonly number[] = [0, 1]

/**
 * A classifier of two classes: (r, 1 − (r + b) / 2) at each pixel of 8×8, averaged, as `logits`; `features`
 * [1, 2, 8, 8] is inside the graph.
 */
export function tinyEncoder(elementType: 'float32' | 'float16' = 'float32'): OnnxGraph {
  return {
    inputDims: [1, 3, 8, 8],
    outputDims: [1, 2],
    nodes: [
      { opType: 'Conv', inputs: ['x', 'w', 'b'], output: 'features' },
      { opType: 'GlobalAveragePool', inputs: ['features'], output: 'pooled' },
      { opType: 'Flatten', inputs: ['pooled'], output: 'logits' },
    ],
    vectors: {},
    vectorsAs: 'initializers',
    weights: {
      w: { dims: [2, 3, 1, 1], values: tinyWeights.flat() },
      b: { dims: [2], values: tinyBias },
    },
    elementType,
  }
}

/** A context encoder file for it, [0, 1] inputs. */
export const tinyContext = {
  kind: 'context',
  name: 'tiny',
  file: 'tiny.onnx',
  input: { widthPx: 8, heightPx: 8, channelOrder: 'rgb', mean: 0, scale: 255, resize: 'stretch' },
  output: 'features',
  pool: 'average',
  dimension: 2,
} as const

/** Writes the tiny encoder and its JSON file into a folder. Returns the path of the JSON file. */
export function writeTinyContext(dir: string, changes: object = {}): string {
  writeFileSync(join(dir, 'tiny.onnx'), onnxFile(tinyEncoder()))
  return writeJson(join(dir, 'tiny.json'), { ...tinyContext, ...changes })
}

/**
 * The default pack's own embedder as a further embedder, with another digest. It gives identical embeddings
 * for every face.
 * @returns the path of its JSON file
 */
export function writeTwinEmbedder(dir: string): string {
  const lite = findPack('lite')
  const { file, input, dimension } = lite.embedder
  return writeJson(join(dir, 'twin.json'), {
    ...{ kind: 'embedder', name: 'twin', dimension, sha256: file.sha256 },
    file: join(packDir(lite, defaultModelsDir()), file.name),
    input: { ...input, mean: [127.5, 127.5, 127.5], scale: [127.5, 127.5, 127.5] },
  })
}

/**
 * A further embedder with long embeddings, from the mean colours of a face: its messages are large, and it costs nothing.
 * @returns the path of its JSON file
 */
export function writeLongEmbedder(dir: string, dimension: number): string {
  const { input } = findPack('lite').embedder
  const graph = {
    inputDims: [1, 3, 112, 112],
    outputDims: [1, dimension],
    nodes: [
      { opType: 'GlobalAveragePool', inputs: ['x'], output: 'mean' },
      { opType: 'Conv', inputs: ['mean', 'w'], output: 'wide' },
      { opType: 'Flatten', inputs: ['wide'], output: 'embedding' },
    ],
    ...{ vectors: {}, vectorsAs: 'initializers' as const },
    weights: {
      w: {
        dims: [dimension, 3, 1, 1],
        values: Array.from({ length: dimension * 3 }, (_, i) => Math.sin(i)),
      },
    },
  }
  writeFileSync(join(dir, 'long.onnx'), onnxFile(graph))
  return writeJson(join(dir, 'long.json'), {
    ...{ kind: 'embedder', name: 'long', dimension, file: 'long.onnx', input },
  })
}

export function writeJson(path: string, value: unknown): string {
  writeFileSync(path, JSON.stringify(value))
  return path
}
