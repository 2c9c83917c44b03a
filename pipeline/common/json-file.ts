import { readFileSync, statSync } from 'node:fs'
import { maxJsonFileBytes } from './limits.js'

/**
 * What is in a JSON file that a person wrote: a pack, an encoder, an ensemble.
 * @throws Error where it is no file, is larger than any of these, or holds no JSON
 */
export function readJsonFile(path: string): unknown {
  const status = statSync(path)
  if (!status.isFile()) throw new Error('it is no file')
  if (status.size > maxJsonFileBytes)
    throw new Error(`it has ${status.size} bytes, and such files have up to ${maxJsonFileBytes}`)
  return JSON.parse(readFileSync(path, 'utf8'))
}
