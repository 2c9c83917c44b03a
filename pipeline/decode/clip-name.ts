import { basename } from 'node:path'

const longestName = 80

/** A clip's file name for messages: one line, in quotes, control characters escaped, not longer than 80 characters. */
export function clipName(path: string): string {
  const name = basename(path)
  return quoted(name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name)
}

/** On one line, in quotes, control characters escaped. */
export function quoted(text: string): string {
  // Escapes of JSON, and the C1 and bidirectional controls that JSON lets through and terminals obey.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
