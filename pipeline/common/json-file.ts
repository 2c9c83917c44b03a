import { readFileSync, statSync } from 'node:fs'
import { maxJsonFileBytes } from './limits.js'

/**
 * Reads a JSON file that a person wrote: a pack, an encoder, an ensemble.
 * @throws Error if it is not a file, is too large, or holds no JSON
 */
export function readJsonFile(path: string): unknown {
  const status = statSync(path)
  if (!status.isFile()) throw new Error('it is not a file')
  if (status.size > maxJsonFileBytes)
    throw new Error(`it has ${status.size} bytes; at most ${maxJsonFileBytes} are allowed`)
  return JSON.parse(readFileSync(path, 'utf8'))
}
