import { readPackets, type PacketOptions } from './packet-times.js'

/** So many packets are read to find a key frame; other containers than MP4 and Matroska may begin between two. */
const mostPackets = 250

/** Containers round times, to a millisecond at the most. */
const roundingS = 0.002

/**
 * The time of the key frame with which a copy of a clip's packets begins that is asked to start at a time. Undefined if there is
 * none at that time or not long before it.
 * @throws CLIP_*, INTERRUPTED
 */
export async function copyStartS(
  path: string,
  startS: number,
  options: PacketOptions = {},
): Promise<number | undefined> {
  let timeBaseS = Number.NaN
  let foundS: number | undefined
  const onLine = (line: string) => {
    const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line)
    if (timeBase !== null) timeBaseS = Number(timeBase[1]) / Number(timeBase[2])
    // A line that ends with flags is of a packet that is not simply a key frame.
    if (foundS !== undefined || !line.startsWith('0,') || /, F=0x/.test(line)) return
    const pts = Number(line.split(',')[2])
    if (pts > Number.MIN_SAFE_INTEGER) foundS = pts * timeBaseS
  }
  const packets = ['-map', '0:V:0', '-frames:v', String(mostPackets)]
  await readPackets(path, packets, onLine, { ...options, seekToS: startS })
  return foundS !== undefined && foundS <= startS + roundingS ? Math.max(0, foundS) : undefined
}
