import type { StreamExtent } from './film-stream.js'
import { PacketTimes, readPackets } from './packet-times.js'
import type { PacketOptions } from './packet-times.js'

/** Within this many seconds, previews and still images can be recognised. */
const lookedAtS = 600

/**
 * The number of pictures and the length of streams, from their packets; nothing is decoded. Reads the file's first ten
 * minutes.
 * @param streams their numbers
 * @throws CLIP_* and INTERRUPTED
 */
export async function measureStreams(
  path: string,
  streams: readonly number[],
  options: PacketOptions,
): Promise<Map<number, StreamExtent>> {
  const times = streams.map(() => new PacketTimes())
  const maps = streams.flatMap((index) => ['-map', `0:${index}`])
  await readPackets(
    path,
    [...maps, '-t', String(lookedAtS)],
    (line) => {
      for (const [n, ofStream] of times.entries()) ofStream.readLine(line, n)
    },
    options,
  )
  return new Map(
    times.map(({ packets, endS = 0 }, n) => [streams[n] ?? 0, { pictures: packets, lengthS: endS }]),
  )
}
