import { CameoError } from '../../pipeline/common/errors.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { readEditFacts, type EditFacts } from '../../pipeline/decode/edit-facts.js'
import { isUrl } from '../store/whole-path.js'
import type { EditHit } from './hits.js'
import { parseTimecode, timecodeRateOf, usualRate, type TimecodeRate } from './timecode.js'

/** A clip as an editing program counts its frames. */
export interface EditSource {
  readonly rate: TimecodeRate
  /** Frame number of the clip's first frame in its timecode: 0 where it has none. */
  readonly startFrame: number
  /** Its timecode drops frame numbers. */
  readonly isDrop: boolean
  /** Its file was not read: rate and timecode are assumed. */
  readonly isAssumed: boolean
}

/** How a file is looked at; another one in tests. */
export type ReadFacts = (path: string) => Promise<EditFacts>

/**
 * The rate and the timecode of each clip, by its id, read from its file. Where the file is away or cannot be read, the rate is that
 * of most other clips, else 25, and times count from 00:00:00:00: a notice says so.
 */
export async function readSources(
  hits: readonly EditHit[],
  notify: (notice: string) => void,
  readFacts: ReadFacts = readEditFacts,
): Promise<ReadonlyMap<string, EditSource>> {
  const clips = new Map(hits.map((hit) => [hit.clipId, hit]))
  const known = new Map<string, EditSource>()
  const away: EditHit[] = []
  for (const hit of clips.values()) {
    const facts = await factsOf(hit, notify, readFacts)
    if (facts?.frameRate === undefined) away.push(hit)
    else known.set(hit.clipId, sourceOf(facts.frameRate, facts.startTimecode))
  }
  const rate = mostCommon([...known.values()].map((source) => source.rate)) ?? usualRate
  for (const { clipId } of away)
    known.set(clipId, { rate, startFrame: 0, isDrop: rate.canDrop, isAssumed: true })
  return known
}

async function factsOf(
  { path, isMissing }: EditHit,
  notify: (notice: string) => void,
  readFacts: ReadFacts,
): Promise<EditFacts | undefined> {
  const tell = (why: string) =>
    notify(`${clipName(path)} ${why}: its frame rate is assumed, and its times count from 00:00:00:00`)
  if (isUrl(path) || isMissing) {
    tell(isMissing ? 'is not there' : 'is not on this machine')
    return undefined
  }
  try {
    const facts = await readFacts(path)
    if (facts.frameRate === undefined) tell('does not state its frame rate')
    return facts
  } catch (error) {
    if (!(error instanceof CameoError) || error.code === 'FFMPEG_MISSING') throw error
    tell(`cannot be read (${error.message})`)
    return undefined
  }
}

function sourceOf(frameRate: number, startTimecode: string | undefined): EditSource {
  const rate = timecodeRateOf(frameRate)
  const start = startTimecode === undefined ? undefined : parseTimecode(startTimecode, rate)
  // Without a timecode of its own, a clip's timecode should keep to the clock.
  return { rate, startFrame: start?.frames ?? 0, isDrop: start?.isDrop ?? rate.canDrop, isAssumed: false }
}

/** The first of those that come most often. */
function mostCommon(rates: readonly TimecodeRate[]): TimecodeRate | undefined {
  const counts = new Map<TimecodeRate, number>()
  for (const rate of rates) counts.set(rate, (counts.get(rate) ?? 0) + 1)
  return [...counts].reduce<[TimecodeRate, number] | undefined>(
    (best, each) => (best === undefined || each[1] > best[1] ? each : best),
    undefined,
  )?.[0]
}

/** Frames of a clip, the second one not included. */
export interface FrameRange {
  readonly first: number
  readonly end: number
}

/** Times are of frames, rounded: a time a little before its frame is that frame's. */
const roundingS = 1e-4

/** The frames of a hit, counted from the clip's first: at least one, and none beyond the clip's end. */
export function framesOf(
  { startS, endS, durationS }: Pick<EditHit, 'startS' | 'endS' | 'durationS'>,
  { fps }: TimecodeRate,
): FrameRange {
  const frameAt = (timeS: number) => Math.max(0, Math.floor((timeS + roundingS) * fps))
  const first = frameAt(startS)
  const limit = durationS === undefined ? Infinity : Math.ceil((durationS - roundingS) * fps)
  return { first, end: Math.max(first + 1, Math.min(limit, frameAt(endS) + 1)) }
}
