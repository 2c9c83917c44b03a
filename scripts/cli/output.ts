import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { adviceMessageOf } from './advice.js'
import { visibleJson, visibleLines } from '../../pipeline/common/visible-text.js'

// What commands show of names, paths and messages from elsewhere.
export { oneLine } from '../../pipeline/common/visible-text.js'

/** What a command's end means to a script. */
export const exitCodes = {
  ok: 0,
  /** The command ran, but some of the files it was given failed. */
  someFailed: 1,
  /** The command could not run: wrong options, unusable input, an archive in trouble. */
  failed: 2,
  /** Stopped by Ctrl-C or a termination signal; run it again to go on. */
  interrupted: 130,
} as const

/** A result on standard output. Nothing in it can give the terminal orders; line ends in names are for `oneLine`. */
export function print(text: string): void {
  process.stdout.write(`${visibleLines(text)}\n`)
}

/** The exact data: what a terminal would obey stands in it as JSON's escapes. */
export function printJson(value: unknown): void {
  process.stdout.write(`${visibleJson(value)}\n`)
}

/** Notices, progress and errors go to standard error, so that results can be piped. */
export function note(text: string): void {
  process.stderr.write(`${visibleLines(text)}\n`)
}

/** An error as `--json` gives it, whatever the command. */
export function printJsonError(error: CameoError): void {
  printJson(errorJson(error))
}

/** What `--json` says of an error: its message comes with the advice for the shell. */
export const errorJson = (error: CameoError) => ({
  code: error.code,
  message: adviceMessageOf(error),
  retriable: error.retriable,
})

/** The line that tells a person of an error. */
export function noteError(error: CameoError): void {
  note(`cameo: ${adviceMessageOf(error)} [${error.code}]`)
}

/** Tells an error as a person, or with `--json` a script, can use it. */
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

/** A thumbnail as it stands in JSON and pages. */
export const dataUri = (jpeg: Uint8Array) => `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`
