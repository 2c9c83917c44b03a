import { readPart, regularFileBytes } from './clip-file.js'

/** Whether a file of such a container is cut off before its end. */
type EndCheck = (path: string, bytes: number) => Promise<boolean> | boolean

/** Checks for containers that state where they end and that ffmpeg reads without a message if they are cut off. */
const checks: Readonly<Record<string, EndCheck>> = {
  mpegts: endsInPacket,
  ogg: endsBeforeLastPage,
  asf: isShorterThanStated,
  gif: lacksTrailer,
  avi: endsInRiff,
  dv: endsInDvFrame,
}

/** True if a clip's file lacks its end according to its container; false also if the container does not tell. */
export async function lacksEnd(path: string, container: string | undefined): Promise<boolean> {
  const check = container === undefined ? undefined : checks[container]
  const bytes = await regularFileBytes(path)
  return check !== undefined && bytes !== undefined && (await check(path, bytes))
}

/** Packet lengths of MPEG transport streams, bytes: plain, with time codes (M2TS), with error correction. */
const transportPacketBytes = [188, 192, 204]

/** A transport stream states no end, but it consists of whole packets. */
function endsInPacket(_: string, bytes: number): boolean {
  return transportPacketBytes.every((length) => bytes % length !== 0)
}

/** Header of a RIFF chunk: its type, its length, and the form of its content. */
const riffHeaderBytes = 12

/**
 * An AVI is one RIFF chunk; a large one is several (OpenDML). Each states its length; the length is zero if the
 * recording was cut off.
 */
async function endsInRiff(path: string, bytes: number): Promise<boolean> {
  for (let at = 0; at + riffHeaderBytes <= bytes;) {
    const header = await readPart(path, at, riffHeaderBytes)
    const length = header.readUInt32LE(4)
    if (header.toString('latin1', 0, 4) !== 'RIFF' || length === 0) return false
    at += 8 + length + (length % 2)
    if (at > bytes + 1) return true
  }
  return false
}

/** Bytes per frame of 525 and 625 lines at 25 Mbit/s (IEC 61834); faster formats use two or four of them. */
const dvFrameBytes = [120_000, 144_000]

function endsInDvFrame(_: string, bytes: number): boolean {
  return dvFrameBytes.every((length) => bytes % length !== 0)
}

/** Largest size of an Ogg page (RFC 3533). */
const maxPageBytes = 65_307
const pageHeaderBytes = 27
const lastPageFlag = 4

/** The last page of a logical stream is marked as the last, and a file ends with such a page (RFC 3533). */
async function endsBeforeLastPage(path: string, bytes: number): Promise<boolean> {
  const tail = await readPart(path, Math.max(0, bytes - maxPageBytes), maxPageBytes)
  const at = tail.lastIndexOf('OggS', undefined, 'latin1')
  if (at === -1) return false // other data follows the pages
  if (at + pageHeaderBytes > tail.length) return true
  const segments = tail.subarray(at + pageHeaderBytes, at + pageHeaderBytes + (tail[at + 26] ?? 0))
  const end = at + pageHeaderBytes + segments.length + segments.reduce((sum, length) => sum + length, 0)
  return end > tail.length || ((tail[at + 5] ?? 0) & lastPageFlag) === 0
}

/** A GIF ends with this byte; zeros may follow it (GIF89a, appendix A). */
const gifTrailer = 0x3b

async function lacksTrailer(path: string, bytes: number): Promise<boolean> {
  const tail = await readPart(path, Math.max(0, bytes - 1024), 1024)
  return tail.findLast((byte) => byte !== 0) !== gifTrailer
}

/**
 * The File Properties Object of ASF (specification, section 3.2) and the offsets of the fields that state the file's
 * length.
 */
const fileProperties = Buffer.from('a1dcab8c47a9cf118ee400c00c205365', 'hex')
const [fileSizeAt, flagsAt] = [40, 88]
const broadcastFlag = 1
const asfHeaderBytes = 256 * 1024

async function isShorterThanStated(path: string, bytes: number): Promise<boolean> {
  const head = await readPart(path, 0, asfHeaderBytes)
  const at = head.indexOf(fileProperties)
  if (at === -1 || at + flagsAt + 4 > head.length) return false
  const isBroadcast = (head.readUInt32LE(at + flagsAt) & broadcastFlag) !== 0
  return !isBroadcast && head.readBigUInt64LE(at + fileSizeAt) > BigInt(bytes)
}
