import { filmOf } from './film-stream.js'
import { readPackets, type PacketOptions } from './packet-times.js'

/** What an editing program has to know of a clip. */
export interface EditFacts {
  /** Frames a second; undefined where the file does not say. */
  readonly frameRate: number | undefined
  /** Of the first frame, `10:00:00:00`, or `10:00:00;00` for drop frame; undefined where the file has none. */
  readonly startTimecode: string | undefined
}

/** Reads no more of a file than its head and one packet. @throws CLIP_* as decoding does; INTERRUPTED */
export async function readEditFacts(path: string, options: PacketOptions = {}): Promise<EditFacts> {
  const onePacket = ['-map', '0:V:0', '-frames:v', '1']
  const { input, explain } = await readPackets(path, onePacket, () => undefined, options)
  if (input === undefined) throw await explain()
  return { frameRate: filmOf(input.streams, undefined)?.frameRate, startTimecode: input.timecode }
}
