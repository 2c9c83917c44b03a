import { basename } from 'node:path'
import { visibleJson } from './visible-text.js'

const longestName = 80

/** A clip's file name for messages: on one line, in quotes, what would not be seen escaped, not longer than 80 characters. */
export function clipName(path: string): string {
  const name = basename(path)
  return quoted(name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name)
}

/** On one line, in quotes, what would not be seen escaped: as JSON has it. */
export function quoted(text: string): string {
  return visibleJson(text)
}
