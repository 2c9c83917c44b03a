import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { z } from 'zod'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { clipName } from '../../pipeline/common/display-name.js'
import {
  lineSchema,
  maxLineBytes,
  namesFileVersion,
  type CorrectionLine,
  type FaceLine,
  type NameLine,
  type NamesLine,
} from './names-file-format.js'

type Content = NameLine | FaceLine | CorrectionLine

/**
 * The names, faces and corrections of a file, in order. The file is known to be whole only when the last one was read.
 * @throws NAMES_INVALID, if it is not such a file, is damaged, or was cut off
 */
export function* readNamesFile(file: string): Generator<Content, void, undefined> {
  const hash = createHash('sha256')
  const names = new Set<string>()
  let lines = 0
  let isEnded = false
  for (const bytes of linesOf(file)) {
    const line = parseLine(file, bytes, lines + 1)
    if (isEnded) throw invalid(file, 'it goes on after its last line')
    if ((lines === 0) !== (line.kind === 'cameo-names'))
      throw invalid(file, 'it does not begin as a file of names does')
    if (line.kind === 'end') {
      if (line.lines !== lines || line.sha256 !== hash.digest('hex'))
        throw invalid(file, 'it is damaged: its content is not what was written')
      isEnded = true
      continue
    }
    hash.update(bytes).update('\n')
    lines++
    if (line.kind === 'cameo-names') {
      if (line.version > namesFileVersion)
        throw invalid(
          file,
          `a newer Cameo wrote it (version ${line.version}, this one reads ${namesFileVersion})`,
        )
      continue
    }
    if (line.kind === 'name') names.add(line.name)
    else if (!names.has(line.name))
      throw invalid(file, `line ${lines} is about a name that does not come before it`)
    yield line
  }
  if (!isEnded) throw invalid(file, lines === 0 ? 'it is empty' : 'it is cut off: its last line is missing')
}

function parseLine(file: string, bytes: Buffer, number: number): NamesLine {
  let content: unknown
  try {
    content = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw invalid(file, `line ${number} is not JSON`, cause)
  }
  const parsed = lineSchema.safeParse(content)
  if (parsed.success) return parsed.data
  const fault = new z.ZodError(parsed.error.issues.slice(0, 1))
  throw invalid(
    file,
    `line ${number} does not fit the format: ${z.prettifyError(fault).replace(/\s*\n\s*/g, ' ')}`,
  )
}

/** Lines without their ends. The last one may lack its end. */
function* linesOf(file: string): Generator<Buffer, void, undefined> {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (cause) {
    throw invalid(file, `it cannot be opened (${messageOf(cause)})`, cause)
  }
  try {
    let rest = Buffer.alloc(0)
    const chunk = Buffer.alloc(1 << 20)
    for (;;) {
      const read = readBytes(file, handle, chunk)
      const bytes = Buffer.concat([rest, chunk.subarray(0, read)])
      let from = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        yield bytes.subarray(from, end)
        from = end + 1
      }
      rest = Buffer.from(bytes.subarray(from))
      if (rest.length > maxLineBytes) throw invalid(file, 'a line of it is longer than any line of names')
      if (read === 0) break
    }
    if (rest.length > 0) yield rest
  } finally {
    closeSync(handle)
  }
}

function readBytes(file: string, handle: number, chunk: Buffer): number {
  try {
    return readSync(handle, chunk)
  } catch (cause) {
    throw invalid(file, `it cannot be read (${messageOf(cause)})`, cause)
  }
}

const invalid = (file: string, why: string, cause?: unknown) =>
  new CameoError(
    'NAMES_INVALID',
    `${clipName(file)} cannot be imported: ${why}`,
    cause === undefined ? {} : { cause },
  )
