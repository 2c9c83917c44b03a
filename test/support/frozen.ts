import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { format, resolveConfig } from 'prettier'

/** Set it to 1 to write the snapshots again. */
const acceptVariable = 'CAMEO_ACCEPT_SURFACES'

/** Number of differences that a message lists. */
const maxListed = 30

/**
 * Compares a public surface with its snapshot, test/frozen/NAME.json. Scripts, archives, topics and
 * dashboards rely on these surfaces. So a difference must be a decision, not a side effect of moving code.
 * @param value anything that JSON can hold; `undefined` counts as absent
 */
export async function assertFrozen(name: string, value: unknown): Promise<void> {
  const actual: unknown = JSON.parse(JSON.stringify(value))
  // Tests run from dist/test; the snapshots stay in the source folder.
  const file = fileURLToPath(new URL(`../../../test/frozen/${name}.json`, import.meta.url))
  if (process.env[acceptVariable] === '1') {
    const options = await resolveConfig(file)
    writeFileSync(file, await format(linesOf(actual), { ...options, filepath: file }))
    // A run that writes must not pass: it would accept any surface.
    assert.fail(`${file} is written: look at the diff, and run again without ${acceptVariable}`)
  }
  const howToAccept = `To accept a deliberate change, run this test with ${acceptVariable}=1, look at the diff of test/frozen, and tell users in the changelog.`
  if (!existsSync(file))
    assert.fail(`the public surface "${name}" has no snapshot: ${file} is missing. ${howToAccept}`)
  const expected: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (isDeepStrictEqual(actual, expected)) return
  const found = differences(expected, actual, name)
  const more = found.length > maxListed ? [`and ${found.length - maxListed} more`] : []
  assert.fail(
    [
      `the public surface "${name}" is frozen, and differs from test/frozen/${name}.json:`,
      ...[...found.slice(0, maxListed), ...more].map((line) => `  ${line}`),
      howToAccept,
    ].join('\n'),
  )
}

/** Sorted by name: the order in the code is not part of a surface. */
export const byName = <T>(entries: readonly (readonly [name: string, value: T])[]): Record<string, T> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))

/** One line for each value that differs. */
function differences(expected: unknown, actual: unknown, path: string): string[] {
  if (isDeepStrictEqual(expected, actual)) return []
  const [before, now] = [entriesOf(expected), entriesOf(actual)]
  if (before === undefined || now === undefined || Array.isArray(expected) !== Array.isArray(actual))
    return [`${path}: was ${shown(expected)}, is ${shown(actual)}`]
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((key) =>
    differences(before.get(key), now.get(key), `${path} › ${key}`),
  )
}

const entriesOf = (value: unknown): ReadonlyMap<string, unknown> | undefined =>
  typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined

function shown(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** Length that fits on a line. */
const shortLength = 90

/**
 * JSON with small values on one line each, in a form that prettier keeps. A diff then shows one field per
 * line.
 */
function linesOf(value: unknown): string {
  const short = JSON.stringify(value)
  if (short.length <= shortLength || typeof value !== 'object' || value === null) return short
  if (Array.isArray(value)) return `[\n${value.map(linesOf).join(',\n')}\n]`
  const entries = Object.entries(value).map(([key, own]) => `${JSON.stringify(key)}: ${linesOf(own)}`)
  return `{\n${entries.join(',\n')}\n}`
}
