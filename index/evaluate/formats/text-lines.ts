import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { TextDecoder } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { CameoError, messageOf, type ErrorCode } from '../../../pipeline/common/errors.js'

/** Number of bytes read from the file at once. */
const chunkBytes = 1 << 20

/** Maximum uncompressed size of a list, in bytes. The largest of IJB-C has 300 MB. */
const maxUnpackedBytes = 1 << 30

/** Number of bytes at the beginning of a file from which the encoding is detected. */
const sampleBytes = 4096

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

/** A problem of a text. It is reported with the file name and, if known, the line. */
class NoText extends Error {
  constructor(
    message: string,
    /** Number of the line after the lines that were already returned, from 1. */
    readonly line?: number,
  ) {
    super(message)
  }
}

/**
 * Reads the lines of a text list from any program: UTF-8 or UTF-16 in either byte order, with or without a byte-order
 * mark; line ends of Unix, Windows or old Macs, with or without the last one; plain or gzip. Only one chunk is in
 * memory, because the pairs of IJB-C have 15 million lines. All text lists are read with this function.
 * @param code of the error if the file does not exist or is not text
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

/** The lines of a text in memory. */
export const splitLines = (text: string): string[] => text.split(lineEnd).map(withoutMark)

const lineEnd = /\r\n|\n|\r/

/** Concatenated files also have byte-order marks inside. */
const withoutMark = (line: string) => (line.startsWith('\uFEFF') ? line.slice(1) : line)

function* linesOf(chunks: Iterable<Buffer>): Generator<string> {
  let decoder: TextDecoder | undefined
  let rest = ''
  for (const chunk of chunks) {
    decoder ??= new TextDecoder(encodingOf(chunk), { fatal: true })
    const text = rest + decode(decoder, chunk)
    // The next chunk may start with the second half of a Windows line end.
    const isHalf = text.endsWith('\r')
    const lines = (isHalf ? text.slice(0, -1) : text).split(lineEnd)
    rest = (lines.pop() ?? '') + (isHalf ? '\r' : '')
    yield* lines.map(withoutMark)
  }
  if (decoder !== undefined) rest += decode(decoder)
  if (rest !== '') yield* splitLines(rest.replace(/\r$/, ''))
}

/** Decodes bytes. Without bytes, ends the text. */
function decode(decoder: TextDecoder, bytes?: Buffer): string {
  let text: string
  try {
    text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
  } catch {
    const wasUtf8 = decoder.encoding === 'utf-8'
    throw new NoText(
      wasUtf8 ? 'it is neither UTF-8 nor UTF-16: save it as UTF-8' : 'its UTF-16 is damaged or incomplete',
      wasUtf8 && bytes !== undefined ? firstLineThatIsNoUtf8(bytes) : undefined,
    )
  }
  if (controlCharacter.test(text)) throw new NoText('it is not text: it contains control characters')
  return text
}

/** Control characters except tabs, line ends and page feeds. */
const controlCharacter = /[^\P{Cc}\t\n\v\f\r]/u

/** Number of the line, from 1. Undefined if no single line is invalid. */
function firstLineThatIsNoUtf8(bytes: Buffer): number | undefined {
  for (let from = 0, line = 1; from < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from)
    const to = end < 0 ? bytes.length : end
    if (!isUtf8(bytes.subarray(from, to))) return line
    from = to + 1
  }
  return undefined
}

/**
 * Detects the encoding by the byte-order mark or, without one, by zero bytes: in UTF-16, digits, blanks and line ends
 * have one each.
 */
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
  // Characters like U+4E00 have the zero byte on the other side, but they are rare compared with digits and blanks.
  if (odd > 4 * even) return 'utf-16le'
  if (even > 4 * odd) return 'utf-16be'
  throw new NoText('it is not text: it contains zero bytes')
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
