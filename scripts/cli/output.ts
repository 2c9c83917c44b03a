import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { adviceMessageOf } from './advice.js'
import { visibleJson, visibleLines } from '../../pipeline/common/visible-text.js'

// Commands pass names, paths and messages from outside through this.
export { oneLine } from '../../pipeline/common/visible-text.js'

/** What a command's exit means to a script. */
export const exitCodes = {
  ok: 0,
  /** The command ran, but some of the files it was given failed. */
  someFailed: 1,
  /** The command could not run: wrong options, unusable input, or a problem with the archive. */
  failed: 2,
  /** Stopped by Ctrl-C or a termination signal. Run it again to continue. */
  interrupted: 130,
} as const

/**
 * A result on standard output. Escapes control characters, so that no text can control the terminal. Use
 * `oneLine` for names that may hold line ends.
 */
export function print(text: string): void {
  process.stdout.write(`${visibleLines(text)}\n`)
}

/** The exact data. Control characters appear as JSON escapes. */
export function printJson(value: unknown): void {
  process.stdout.write(`${visibleJson(value)}\n`)
}

/** Notices, progress and errors go to standard error, so that results can be piped. */
export function note(text: string): void {
  process.stderr.write(`${visibleLines(text)}\n`)
}

/** An error in the `--json` format, the same for every command. */
export function printJsonError(error: CameoError): void {
  printJson(errorJson(error))
}

/** The `--json` fields of an error. The message includes the advice for the shell. */
export const errorJson = (error: CameoError) => ({
  code: error.code,
  message: adviceMessageOf(error),
  retriable: error.retriable,
})

/** Prints the line that reports an error to a person. */
export function noteError(error: CameoError): void {
  note(`cameo: ${adviceMessageOf(error)} [${error.code}]`)
}

/** Reports an error to a person or, with `--json`, to a script. */
export function reportError(error: unknown, json: boolean): void {
  if (error instanceof CameoError) {
    if (json) printJsonError(error)
    noteError(error)
    return
  }
  if (json) printJson({ code: 'INTERNAL', message: messageOf(error), retriable: false })
  note(
    `cameo: this should not have happened: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  )
}

export { counted, pluralOf } from '../../pipeline/common/counted.js'

/** A thumbnail for JSON and pages. */
export const dataUri = (jpeg: Uint8Array) => `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`
