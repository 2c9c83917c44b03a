import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

/** Files up to this size are read at once: setting up a stream costs more than hashing them. */
const readAtOnceBytes = 1 << 20

/** As lower-case hex. */
export const sha256OfBytes = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** SHA-256 of a file as lower-case hex; large files are read in pieces. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  if ((await stat(path)).size <= readAtOnceBytes)
    return hash.update(await readFile(path, signal === undefined ? {} : { signal })).digest('hex')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) }), hash)
  return hash.digest('hex')
}

/** SHA-256 of a value's canonical JSON (keys sorted). Equal settings have equal digests. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

/** JSON with sorted keys: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`
  }
  return JSON.stringify(value)
}
