import { basename } from 'node:path'
import { visibleJson } from './visible-text.js'

const longestName = 80

/** A clip's file name for messages: on one line, in quotes, at most 80 characters. Invisible characters are escaped. */
export function clipName(path: string): string {
  const name = basename(path)
  return quoted(name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name)
}

/** The text on one line, in quotes, as a JSON string. Invisible characters are escaped. */
export function quoted(text: string): string {
  return visibleJson(text)
}
