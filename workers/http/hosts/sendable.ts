import { CameoError, errorOfParts, partsOfError, type ErrorParts } from '../../../pipeline/common/errors.js'

/** Stands for a function or a signal in arguments that are sent to a thread. */
interface Placeholder {
  readonly $sent: 'function' | 'signal'
  readonly place: number
}

type Listener = (...args: readonly unknown[]) => void

/** Arguments without functions and signals, and what was taken out. */
export interface Sendable {
  readonly args: readonly unknown[]
  /** Functions, by their places. */
  readonly listeners: readonly Listener[]
  readonly signals: readonly AbortSignal[]
}

/**
 * Takes functions and signals out of arguments, so that they can be sent to a thread. Looks at the properties of objects, and at
 * the properties of those.
 */
export function sendable(args: readonly unknown[]): Sendable {
  const listeners: Listener[] = []
  const signals: AbortSignal[] = []
  const taken = (value: unknown, depth: number): unknown => {
    if (isListener(value))
      return { $sent: 'function', place: listeners.push(value) - 1 } satisfies Placeholder
    if (value instanceof AbortSignal)
      return { $sent: 'signal', place: signals.push(value) - 1 } satisfies Placeholder
    if (depth === 0 || !isPlain(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, taken(own, depth - 1)]))
  }
  return { args: args.map((value) => taken(value, 2)), listeners, signals }
}

/** Puts functions and a signal in again. @param tell called when a function at a place is called */
export function received(
  args: readonly unknown[],
  signal: AbortSignal,
  tell: (place: number, args: readonly unknown[]) => void,
): readonly unknown[] {
  const restored = (value: unknown, depth: number): unknown => {
    if (isPlaceholder(value))
      return value.$sent === 'signal' ? signal : (...own: readonly unknown[]) => tell(value.place, own)
    if (depth === 0 || !isPlain(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, restored(own, depth - 1)]))
  }
  return args.map((value) => restored(value, 2))
}

/** Stands for an error in a result that is sent from a thread: a copy of an error keeps only its message. */
interface SentError {
  readonly $error: ErrorParts
}

/** How deep errors are in results: of the files of a result, for example. */
const resultDepth = 3

/** A result with its errors as data, for the way between threads. */
export const sentResult = (result: unknown): unknown =>
  replaced(result, resultDepth, (value) =>
    value instanceof CameoError ? ({ $error: partsOfError(value) } satisfies SentError) : value,
  )

/** The same result with its errors. */
export const receivedResult = (sent: unknown): unknown =>
  replaced(sent, resultDepth, (value) => (isSentError(value) ? errorOfParts(value.$error) : value))

/** The same value if nothing in it is replaced. */
function replaced(value: unknown, depth: number, replace: (value: unknown) => unknown): unknown {
  const own = replace(value)
  if (own !== value || depth === 0) return own
  const inner = (each: unknown) => replaced(each, depth - 1, replace)
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    const after = items.map(inner)
    return after.some((each, k) => each !== items[k]) ? after : value
  }
  if (!isPlain(value)) return value
  const changed = Object.entries(value).flatMap(([key, each]) => {
    const after = inner(each)
    return after === each ? [] : [[key, after] as const]
  })
  return changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) }
}

const isSentError = (value: unknown): value is SentError => isPlain(value) && isPlain(value['$error'])

const isListener = (value: unknown): value is Listener => typeof value === 'function'

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)

const isPlaceholder = (value: unknown): value is Placeholder =>
  isPlain(value) && typeof value['$sent'] === 'string' && typeof value['place'] === 'number'
