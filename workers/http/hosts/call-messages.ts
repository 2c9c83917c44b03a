import type { ErrorParts } from '../../../pipeline/common/errors.js'
import type { ErrorDetails } from '../../../pipeline/common/remedies.js'
import type { Cameo } from '../../library/cameo.js'
import type { CameoOptions } from '../../library/options.js'

/** Options of a hosted archive: those of the library that can be sent to a thread. */
export type HostOptions = Pick<CameoOptions, 'archive' | 'models' | 'device' | 'pack' | 'threads'>

/** The calls of the library that return a promise. */
export type Calls = {
  [
    Name in keyof Cameo as Cameo[Name] extends (...args: never) => Promise<unknown> ? Name : never
  ]: Cameo[Name]
}
export type CallName = Exclude<keyof Calls, 'close' | symbol>
export type CallArguments<Name extends CallName> = Parameters<Calls[Name]>
export type CallResult<Name extends CallName> = Awaited<ReturnType<Calls[Name]>>

/** From the owner of an archive thread to the thread. */
export type CallMessage =
  | {
      readonly kind: 'call'
      readonly id: number
      readonly name: CallName
      /** Functions and signals are replaced; see `sendable`. */
      readonly args: readonly unknown[]
    }
  /** The signal of the call was aborted. */
  | { readonly kind: 'abort'; readonly id: number }
  /** Finish running calls, release everything and end. */
  | { readonly kind: 'close' }

/** From an archive thread to its owner. */
export type ReplyMessage =
  | { readonly kind: 'done'; readonly id: number; readonly value: never }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorParts }
  /** A function that was passed to the call is called. */
  | { readonly kind: 'event'; readonly id: number; readonly place: number; readonly args: readonly unknown[] }
  | {
      readonly kind: 'notice'
      readonly text: string
      readonly details?: ErrorDetails | undefined
    }
