import type { ResourceLimits } from 'node:worker_threads'

/**
 * When ONNX Runtime 1.30 loads, it matches a regular expression against the command line of the process. That
 * takes about 280 bytes of stack per character. With the default stack of 4 MB a thread crashes at some 200
 * file names. (Only used stack takes memory.)
 */
const stackBytesPerCharacter = 400

/** Stack size for a thread that loads models, large enough for any number of files on the command line. */
export function threadLimits(): ResourceLimits {
  const characters = [...process.execArgv, ...process.argv].join(' ').length
  return { stackSizeMb: 4 + Math.ceil((characters * stackBytesPerCharacter) / 1e6) }
}
