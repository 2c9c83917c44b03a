import { readPackets, type PacketOptions } from './packet-times.js'

/** So many packets are read to find a key frame; other containers than MP4 and Matroska may begin between two. */
const mostPackets = 250

/** Where a copy of packets begins. */
export interface CopyStart {
  /** What ffmpeg has to be asked for, s. */
  readonly seekToS: number
  /** The time of the key frame with which the copy then begins, s. */
  readonly startS: number
}

/** ffmpeg goes to a key frame in most containers, but to any packet in transport streams: then it is asked for an earlier time. */
const earlierS = [0, 2.5, 6, 10]

/**
 * Finds a key frame at a time or not long before it, from which packets can be copied. Undefined if there is none.
 * @throws CLIP_*, INTERRUPTED
 */
export async function findCopyStart(
  path: string,
  startS: number,
  options: PacketOptions = {},
): Promise<CopyStart | undefined> {
  let before: number | undefined
  for (const earlier of earlierS) {
    const seekToS = Math.max(0, startS - earlier)
    if (seekToS === before) return undefined
    before = seekToS
    const foundS = await keyFrameFrom(path, seekToS, options)
    if (foundS !== undefined && foundS <= startS + roundingS) return { seekToS, startS: Math.max(0, foundS) }
  }
  return undefined
}

/** Containers round times, to a millisecond at the most. */
const roundingS = 0.002

async function keyFrameFrom(
  path: string,
  seekToS: number,
  options: PacketOptions,
): Promise<number | undefined> {
  let timeBaseS = Number.NaN
  let foundS: number | undefined
  const onLine = (line: string) => {
    const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line)
    if (timeBase !== null) timeBaseS = Number(timeBase[1]) / Number(timeBase[2])
    // A line with flags is of a packet that is not simply a key frame.
    if (foundS !== undefined || !line.startsWith('0,') || /, F=0x/.test(line)) return
    const pts = Number(line.split(',')[2])
    if (pts > Number.MIN_SAFE_INTEGER) foundS = pts * timeBaseS
  }
  const packets = ['-map', '0:V:0', '-frames:v', String(mostPackets)]
  await readPackets(path, packets, onLine, { ...options, seekToS })
  return foundS
}
