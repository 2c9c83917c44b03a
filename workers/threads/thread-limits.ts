import type { ResourceLimits } from 'node:worker_threads'

/**
 * ONNX Runtime 1.30 matches a regular expression against the process's command line when it is loaded, about 280 bytes of
 * stack a character, and a thread's usual 4 MB end in a crash at some 200 file names. (Only what is used takes memory.)
 */
const stackBytesPerCharacter = 400

/** Room on the stack of a thread that loads models, whatever files the command was given. */
export function threadLimits(): ResourceLimits {
  const characters = [...process.execArgv, ...process.argv].join(' ').length
  return { stackSizeMb: 4 + Math.ceil((characters * stackBytesPerCharacter) / 1e6) }
}
