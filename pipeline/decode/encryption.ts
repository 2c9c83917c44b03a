import { CameoError } from '../common/errors.js'
import { beginsLikeMp4, readPart, regularFileBytes } from './clip-file.js'
import { clipName } from '../common/display-name.js'

/** Sample entries of encrypted video: ISO/IEC 14496-12 (common encryption), and iTunes' FairPlay. */
const encryptedEntries = new Set(['encv', 'drmi'])

/** Boxes that lead to a track's sample entries (ISO/IEC 14496-12). */
const wayToEntries = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl'])

/** Size of an index; the index of a film of many hours takes about 10 MB. */
const maxIndexBytes = 256 * 1024 * 1024

/** The error for a clip that needs a key to be watched. */
export function encrypted(path: string): CameoError {
  return new CameoError(
    'CLIP_ENCRYPTED',
    `${clipName(path)} is encrypted (DRM): give Cameo a copy without encryption`,
  )
}

/** Whether all video of an MP4 is encrypted, according to its index. A decoder would produce noise from it. */
export async function isEncryptedMp4(path: string): Promise<boolean> {
  if (!(await beginsLikeMp4(path))) return false
  const index = await readIndex(path)
  if (index === undefined) return false
  const entries = sampleEntries(index)
  const isEncrypted = (kind: string) => encryptedEntries.has(kind)
  // Films that begin without encryption have entries of both kinds.
  return entries.some(isEncrypted) && !entries.some((kind) => clearVideo.has(kind))
}

/** Sample entries of the usual video codecs. */
const clearVideo = new Set([
  ...['avc1', 'avc2', 'avc3', 'avc4', 'hev1', 'hvc1', 'dvh1', 'dvhe', 'av01', 'vp08', 'vp09', 'mp4v', 'vvc1'],
])

/** The content of the file's `moov` box. */
async function readIndex(path: string): Promise<Buffer | undefined> {
  const bytes = (await regularFileBytes(path)) ?? 0
  for (let at = 0; at + 8 <= bytes;) {
    const header = await readPart(path, at, 16)
    const box = boxAt(header, 0, bytes - at)
    if (box === undefined) return undefined
    if (box.kind === 'moov')
      return box.length > maxIndexBytes ? undefined : readPart(path, at + box.headerLength, box.length)
    at += box.length
  }
  return undefined
}

interface Box {
  readonly kind: string
  readonly headerLength: number
  /** With its header. */
  readonly length: number
}

/** @param room bytes left in the enclosing box: a length of 0 means all of them */
function boxAt(data: Buffer, at: number, room: number): Box | undefined {
  if (at + 8 > data.length) return undefined
  const kind = data.toString('latin1', at + 4, at + 8)
  const stated = data.readUInt32BE(at)
  if (stated === 1) {
    if (at + 16 > data.length) return undefined
    return checked({ kind, headerLength: 16, length: Number(data.readBigUInt64BE(at + 8)) })
  }
  return checked({ kind, headerLength: 8, length: stated === 0 ? room : stated })
}

const checked = (box: Box) => (box.length < box.headerLength ? undefined : box)

/** Kinds of all sample entries inside a box's content. */
function sampleEntries(content: Buffer): string[] {
  const kinds: string[] = []
  for (let at = 0; ;) {
    const box = boxAt(content, at, content.length - at)
    if (box === undefined) return kinds
    const inside = content.subarray(at + box.headerLength, at + box.length)
    if (wayToEntries.has(box.kind)) kinds.push(...sampleEntries(inside))
    // The content begins with version, flags and the number of entries.
    else if (box.kind === 'stsd') kinds.push(...kindsOf(inside.subarray(8)))
    at += box.length
  }
}

function kindsOf(content: Buffer): string[] {
  const kinds: string[] = []
  for (let at = 0; ;) {
    const box = boxAt(content, at, content.length - at)
    if (box === undefined) return kinds
    kinds.push(box.kind)
    at += box.length
  }
}

const headBytes = 1024 * 1024
const transportPacketBytes = 188

/** For a clip that gave no picture: whether its container says that its packets are scrambled or encrypted. */
export async function saysEncrypted(path: string): Promise<boolean> {
  const head = await readPart(path, 0, headBytes)
  return isScrambled(head) || hasEncryptedTrack(head)
}

/** Transport streams: most packets have transport_scrambling_control (ISO/IEC 13818-1, 2.4.3.3). */
function isScrambled(head: Buffer): boolean {
  let [packets, scrambled] = [0, 0]
  for (
    let at = 0;
    at + transportPacketBytes <= head.length && head[at] === 0x47;
    at += transportPacketBytes
  ) {
    packets++
    if (((head[at + 3] ?? 0) & 0xc0) !== 0) scrambled++
  }
  return packets >= 10 && scrambled > packets / 2
}

/** Matroska and WebM: a ContentEncodingType of 1, "encryption" (RFC 9559, 5.1.4.1.31.4). */
function hasEncryptedTrack(head: Buffer): boolean {
  const isMatroska = head.length >= 4 && head.readUInt32BE(0) === 0x1a45dfa3
  const cluster = head.indexOf(Buffer.from('1f43b675', 'hex'))
  const tracks = head.subarray(0, cluster === -1 ? head.length : cluster)
  return isMatroska && tracks.includes(Buffer.from('50338101', 'hex'))
}
