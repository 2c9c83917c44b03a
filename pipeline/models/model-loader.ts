import { readFile } from 'node:fs/promises'
import { loadModel, type ModelLoader, type SessionOptions } from './session.js'

/** Loads models into this thread; each has its own session. */
export function modelLoader(options: Omit<SessionOptions, 'graph'>): ModelLoader {
  return async (path, _itemDims, output) => {
    if (output === undefined) return loadModel(path, options)
    const { withOneOutput } = await import('../onnx/select-output.js')
    return loadModel(path, { ...options, graph: withOneOutput(await readFile(path), output) })
  }
}
