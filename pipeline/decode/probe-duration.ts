import { retimingOf } from './formats.js'
import { PacketTimes, readPackets } from './packet-times.js'
import type { PacketOptions } from './packet-times.js'

export interface ProbeOptions extends PacketOptions {
  /** The film's stream, if there is a choice: see `chooseFilm`. */
  readonly stream?: number | undefined
}

/**
 * The end of a clip's video in seconds, found by reading every packet without decoding. It is for containers that do
 * not state a duration (raw streams, some WebM and TS). Reads the whole file.
 */
export async function probeDurationS(path: string, options: ProbeOptions = {}): Promise<number> {
  const { stream = 'V:0' } = options
  const times = new PacketTimes()
  const { input, explain } = await readPackets(
    path,
    ['-map', `0:${stream}`],
    (line) => times.readLine(line),
    options,
  )
  const durationS = retimingOf(input?.container) === undefined ? times.endS : times.totalS
  if (durationS === undefined) throw await explain()
  return durationS
}
