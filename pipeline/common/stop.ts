import { CameoError } from './errors.js'

/**
 * Call it between two steps of long work.
 * @param what the subject of the message: "<what> was stopped"
 * @throws INTERRUPTED if the signal was aborted
 */
export function throwIfStopped(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true)
    throw new CameoError('INTERRUPTED', `${what} was stopped`, { cause: signal.reason })
}
