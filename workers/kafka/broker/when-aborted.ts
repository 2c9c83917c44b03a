import { CameoError } from '../../../pipeline/common/errors.js'

/** A promise to race with work that does not know the signal. Call `forget` afterwards. @throws INTERRUPTED */
export function whenAborted(
  signal: AbortSignal,
  during: string,
): { readonly promise: Promise<never>; forget(): void } {
  let abort: () => void = () => undefined
  const promise = new Promise<never>((_, reject) => {
    abort = () => reject(new CameoError('INTERRUPTED', `stopped ${during}`))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort)
  })
  promise.catch(() => undefined)
  return { promise, forget: () => signal.removeEventListener('abort', abort) }
}
