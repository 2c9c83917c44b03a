import { readPart } from './clip-file.js'
import { filmOf } from './film-stream.js'
import { readPackets, type PacketOptions } from './packet-times.js'

/** What decides whether a player can play a file. */
export interface MediaFacts {
  readonly container: 'mp4' | 'quicktime' | 'webm' | 'ogg' | 'matroska' | 'mpegts' | 'flv' | 'other'
  /** ffmpeg's names. */
  readonly videoCodec: string
  readonly pixelFormat: string | undefined
  /** Of the first sound; undefined if there is none. */
  readonly audioCodec: string | undefined
  readonly durationS: number | undefined
}

/** Reads no more of a file than its head and one packet. @throws CLIP_* as decoding does; INTERRUPTED */
export async function readMediaFacts(path: string, options: PacketOptions = {}): Promise<MediaFacts> {
  const onePacket = ['-map', '0:V:0', '-frames:v', '1']
  const { input, explain } = await readPackets(path, onePacket, () => undefined, options)
  const film = input === undefined ? undefined : filmOf(input.streams, undefined)
  if (input === undefined || film === undefined) throw await explain()
  return {
    container: await containerOf(path, input),
    videoCodec: film.codec,
    pixelFormat: film.pixelFormat,
    audioCodec: input.streams.find(({ type }) => type === 'Audio')?.codec,
    durationS: input.durationS,
  }
}

/** ffmpeg has one name for Matroska and WebM, and one for QuickTime and MP4; players treat them differently. */
async function containerOf(
  path: string,
  { container, brands }: { readonly container: string; readonly brands: readonly string[] },
): Promise<MediaFacts['container']> {
  const names = container.split(',')
  if (names.includes('mp4')) return brands.length === 0 || brands[0]?.trim() === 'qt' ? 'quicktime' : 'mp4'
  if (names.includes('matroska')) return (await isWebm(path)) ? 'webm' : 'matroska'
  const [name] = names
  return name === 'ogg' || name === 'mpegts' || name === 'flv' ? name : 'other'
}

/** The document type stands in the EBML header, which is the first thing in the file. */
const isWebm = async (path: string) => (await readPart(path, 0, 64)).includes('webm')
