import { readFile } from 'node:fs/promises'
import { withOneOutput } from '../onnx/select-output.js'
import { loadModel, type ModelLoader, type SessionOptions } from './session.js'

/** Loads models into this thread; each has its own session. */
export function modelLoader(options: Omit<SessionOptions, 'graph'>): ModelLoader {
  return async (path, _itemDims, output) =>
    output === undefined
      ? loadModel(path, options)
      : loadModel(path, { ...options, graph: withOneOutput(await readFile(path), output) })
}
