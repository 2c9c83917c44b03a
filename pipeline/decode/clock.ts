import { readPart, regularFileBytes } from './clip-file.js'

/** A time that an MPEG stream states about a place in its file. */
interface ClockMark {
  /** A transport stream has one clock per program. */
  readonly clock: number
  readonly timeS: number
  readonly atByte: number
}

/** What an MPEG stream's clock says about its file. */
export interface MpegClock {
  /**
   * True if one clock runs through the whole file, as in a single recording; false if files with separate clocks were
   * joined.
   */
  readonly isSteady: boolean
  /** From the first to the last time, if the clock is steady. */
  readonly spanS: number
}

/**
 * The clock is read at this many places in a file. Each place is large enough to hold one or two marks at any bit rate.
 */
const places = 64
const placeBytes = 64 * 1024

/** ffmpeg itself treats a larger step as a jump of the clock (dts_delta_threshold). */
export const leastJumpS = 10

/**
 * A clock step that takes this many times fewer bytes than usual is a jump. If it takes as many bytes as usual, the
 * bytes between are damaged.
 */
const jumpFactor = 20

const transportPacketBytes = [188, 192]
const sync = 0x47

/** The system clock counts at 90 kHz in 33 bits. */
const wrapS = 2 ** 33 / 90_000

/**
 * Reads the clock of an MPEG transport or program stream at places all over the file. Undefined for other containers.
 * The times are PCR and SCR of ISO/IEC 13818-1.
 */
export async function mpegClockOf(path: string): Promise<MpegClock | undefined> {
  const head = await readPart(path, 0, 4 * 192 + 5)
  const marksIn = marksReader(head)
  const bytes = await regularFileBytes(path)
  if (marksIn === undefined || bytes === undefined) return undefined
  const step = Math.max(placeBytes, (bytes - placeBytes) / (places - 1))
  const marks: ClockMark[] = []
  for (let at = 0; at < bytes; at += step) {
    const from = Math.floor(at)
    marks.push(...marksIn(await readPart(path, from, placeBytes), from))
  }
  return clockOf(marks)
}

export function clockOf(marks: readonly ClockMark[]): MpegClock {
  const jumping = { isSteady: false, spanS: 0 }
  const last = new Map<number, ClockMark>()
  const spans = new Map<number, number>()
  const steps: { readonly elapsedS: number; readonly bytes: number }[] = []
  for (const mark of marks) {
    const before = last.get(mark.clock)
    last.set(mark.clock, mark)
    if (before === undefined) continue
    const elapsedS = (mark.timeS - before.timeS + wrapS) % wrapS
    // A step of more than half the range means that the clock went back.
    if (elapsedS > wrapS / 2) return jumping
    spans.set(mark.clock, (spans.get(mark.clock) ?? 0) + elapsedS)
    steps.push({ elapsedS, bytes: mark.atByte - before.atByte })
  }
  const slowness = steps.map(({ elapsedS, bytes }) => elapsedS / bytes).sort((a, b) => a - b)
  const usual = slowness[slowness.length >> 1] ?? 0
  const isSteady = steps.every(
    ({ elapsedS, bytes }) => elapsedS < leastJumpS || elapsedS < jumpFactor * usual * bytes,
  )
  return isSteady ? { isSteady, spanS: Math.max(0, ...spans.values()) } : jumping
}

type MarksReader = (part: Buffer, atByte: number) => ClockMark[]

function marksReader(head: Buffer): MarksReader | undefined {
  if (head.length >= 4 && head.readUInt32BE(0) === 0x1ba) return programMarks
  const packetBytes = transportPacketBytes.find((length) =>
    [1, 2, 3].every((n) => head[n * length - 188 + (length === 188 ? 188 : 192)] === sync),
  )
  return packetBytes === undefined ? undefined : (part, at) => transportMarks(part, at, packetBytes)
}

function transportMarks(part: Buffer, atByte: number, packetBytes: number): ClockMark[] {
  const marks: ClockMark[] = []
  for (let at = firstPacket(part, packetBytes); at + 12 <= part.length; at += packetBytes) {
    if (part[at] !== sync) {
      const next = firstPacket(part.subarray(at), packetBytes)
      if (at + next + packetBytes > part.length) break
      at += next - packetBytes
      continue
    }
    const hasAdaptation = ((part[at + 3] ?? 0) & 0x20) !== 0
    const hasPcr = hasAdaptation && (part[at + 4] ?? 0) >= 7 && ((part[at + 5] ?? 0) & 0x10) !== 0
    if (!hasPcr) continue
    const ticks = part.readUInt32BE(at + 6) * 2 + ((part[at + 10] ?? 0) >> 7)
    marks.push({ clock: part.readUInt16BE(at + 1) & 0x1fff, timeS: ticks / 90_000, atByte: atByte + at })
  }
  return marks
}

/** The offset of the first packet in a part; the part's length if there is none. */
function firstPacket(part: Buffer, packetBytes: number): number {
  for (let at = part.indexOf(sync); at !== -1; at = part.indexOf(sync, at + 1))
    if ([1, 2].every((n) => at + n * packetBytes >= part.length || part[at + n * packetBytes] === sync))
      return at
  return part.length
}

function programMarks(part: Buffer, atByte: number): ClockMark[] {
  const marks: ClockMark[] = []
  const packStart = Buffer.from([0, 0, 1, 0xba])
  for (let at = part.indexOf(packStart); at !== -1; at = part.indexOf(packStart, at + 4)) {
    if (at + 9 > part.length) break
    const bits = BigInt(`0x${part.toString('hex', at + 4, at + 9)}`)
    // 40 bits; MPEG-2: 01 SCR(3) 1 SCR(15) 1 SCR(15) 1 …, MPEG-1: 0010 SCR(3) 1 SCR(15) 1 SCR(15) 1.
    const isMpeg2 = bits >> 38n === 1n
    if (!isMpeg2 && bits >> 36n !== 2n) continue
    const [high, middle, low] = isMpeg2 ? [35n, 19n, 3n] : [33n, 17n, 1n]
    const ticks =
      (((bits >> high) & 7n) << 30n) | (((bits >> middle) & 0x7fffn) << 15n) | ((bits >> low) & 0x7fffn)
    marks.push({ clock: 0, timeS: Number(ticks) / 90_000, atByte: atByte + at })
  }
  return marks
}
