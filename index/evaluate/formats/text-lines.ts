import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { TextDecoder } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { CameoError, messageOf, type ErrorCode } from '../../../pipeline/common/errors.js'

/** Read from the file at once. */
const chunkBytes = 1 << 20

/** A compressed list may have so many bytes; IJB-C's largest has 300 MB. */
const maxUnpackedBytes = 1 << 30

/** Of the beginning of a file so many bytes are looked at for its encoding. */
const sampleBytes = 4096

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

/** What is wrong with a text; told with the file's name, and where it is known with the line. */
class NoText extends Error {
  constructor(
    message: string,
    /** After those that were handed out already; from 1. */
    readonly line?: number,
  ) {
    super(message)
  }
}

/**
 * The lines of a text list, whoever wrote it: UTF-8 or UTF-16 in either byte order, with or without a byte-order mark; line
 * ends of Unix, Windows or old Macs, the last one missing or not; plain or gzip. One chunk in memory: IJB-C's pairs have 15
 * million lines. Every list of text is read through here.
 * @param code of the error where the file is not there, or is no text
 */
export function* textLines(path: string, code: ErrorCode): Generator<string> {
  let lines = 0
  try {
    for (const line of linesOf(chunksOf(path))) {
      lines++
      yield line
    }
  } catch (error) {
    if (error instanceof CameoError) throw error
    const line = error instanceof NoText ? error.line : undefined
    const where = line === undefined ? '' : ` at line ${lines + line}`
    throw new CameoError(code, `${path} cannot be read${where}: ${messageOf(error)}`, { cause: error })
  }
}

/** The lines of a text that is in memory. */
export const splitLines = (text: string): string[] => text.split(lineEnd).map(withoutMark)

const lineEnd = /\r\n|\n|\r/

/** Files that were joined have a byte-order mark inside, too. */
const withoutMark = (line: string) => (line.startsWith('\uFEFF') ? line.slice(1) : line)

function* linesOf(chunks: Iterable<Buffer>): Generator<string> {
  let decoder: TextDecoder | undefined
  let rest = ''
  for (const chunk of chunks) {
    decoder ??= new TextDecoder(encodingOf(chunk), { fatal: true })
    const text = rest + decode(decoder, chunk)
    // What follows may be the second half of a Windows line end.
    const isHalf = text.endsWith('\r')
    const lines = (isHalf ? text.slice(0, -1) : text).split(lineEnd)
    rest = (lines.pop() ?? '') + (isHalf ? '\r' : '')
    yield* lines.map(withoutMark)
  }
  if (decoder !== undefined) rest += decode(decoder)
  if (rest !== '') yield* splitLines(rest.replace(/\r$/, ''))
}

/** Without bytes: the end. */
function decode(decoder: TextDecoder, bytes?: Buffer): string {
  let text: string
  try {
    text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
  } catch {
    const wasUtf8 = decoder.encoding === 'utf-8'
    throw new NoText(
      wasUtf8 ? 'it is neither UTF-8 nor UTF-16: save it as UTF-8' : 'its UTF-16 is damaged or cut off',
      wasUtf8 && bytes !== undefined ? firstLineThatIsNoUtf8(bytes) : undefined,
    )
  }
  if (controlCharacter.test(text)) throw new NoText('it is no text: there are control characters in it')
  return text
}

/** But for tabs, line ends and page feeds. */
const controlCharacter = /[^\P{Cc}\t\n\v\f\r]/u

/** From 1; undefined where no line alone is wrong. */
function firstLineThatIsNoUtf8(bytes: Buffer): number | undefined {
  for (let from = 0, line = 1; from < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from)
    const to = end < 0 ? bytes.length : end
    if (!isUtf8(bytes.subarray(from, to))) return line
    from = to + 1
  }
  return undefined
}

/** By its mark, or where it has none by its zero bytes: in UTF-16 digits, blanks and line ends have one each. */
function encodingOf(chunk: Buffer): Encoding {
  const [a, b, c, d] = chunk
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff))
    throw new NoText('it is UTF-32: save it as UTF-8')
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  const zeros = [0, 0]
  const sample = chunk.subarray(0, sampleBytes)
  sample.forEach((byte, at) => {
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1
  })
  const [even = 0, odd = 0] = zeros
  if (even + odd === 0) return 'utf-8'
  // Characters such as U+4E00 have their zero byte on the other side: rare beside digits and blanks.
  if (odd > 4 * even) return 'utf-16le'
  if (even > 4 * odd) return 'utf-16be'
  throw new NoText('it is no text: there are zero bytes in it')
}

function* chunksOf(path: string): Generator<Buffer> {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(chunkBytes)
    let got = readSync(file, chunk)
    if (got > 1 && chunk[0] === 0x1f && chunk[1] === 0x8b) {
      const unpacked = gunzipSync(readFileSync(path), { maxOutputLength: maxUnpackedBytes })
      for (let from = 0; from < unpacked.length; from += chunkBytes)
        yield unpacked.subarray(from, from + chunkBytes)
      return
    }
    for (; got > 0; got = readSync(file, chunk)) yield chunk.subarray(0, got)
  } finally {
    closeSync(file)
  }
}
