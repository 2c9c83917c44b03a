import { CameoError } from './errors.js'

/**
 * To be called between two steps of long work.
 * @param what was stopped, as the message names it
 * @throws INTERRUPTED where the signal was given
 */
export function throwIfStopped(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true)
    throw new CameoError('INTERRUPTED', `${what} was stopped`, { cause: signal.reason })
}
