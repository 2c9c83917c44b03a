import { CameoError } from '../../pipeline/common/errors.js'
import { edlOf } from './edl.js'
import { csvOfHits } from './hits-csv.js'
import type { EditHit } from './hits.js'
import { otioOf } from './otio.js'
import { readSources, type EditSource, type ReadFacts } from './sources.js'
import { cuesOfClip, cuesOfCut, srtOf, vttOf } from './subtitles.js'
import { rateText } from './timecode.js'

/** What editors take an answer in. */
export const editFormats = ['csv', 'edl', 'otio', 'vtt', 'srt'] as const
export type EditFormat = (typeof editFormats)[number]

/** What is written. */
export interface Edit {
  readonly hits: readonly EditHit[]
  /** One line. */
  readonly title: string
  /** All hits are of one clip, and subtitles are at its times; else at those of a cut in which the hits follow each other. */
  readonly isOfOneClip: boolean
  /** Only clips of this rate, frames a second: for an EDL, which has one. */
  readonly rate?: number | undefined
}

/**
 * An answer in a format for editors. Hits below the threshold are in the table alone. What of a clip's rate and timecode could not
 * be read is told.
 * @throws USAGE where an EDL cannot hold the hits
 */
export async function writeEdit(
  { hits: all, title, isOfOneClip, rate }: Edit,
  format: EditFormat,
  notify: (notice: string) => void,
  readFacts?: ReadFacts,
): Promise<string> {
  if (format === 'csv') return csvOfHits(all)
  const hits = all.filter(({ isWeak }) => !isWeak)
  if (format === 'vtt' || format === 'srt') {
    const cues = isOfOneClip ? cuesOfClip(hits) : cuesOfCut(hits)
    return format === 'vtt' ? vttOf(cues) : srtOf(cues)
  }
  const sources = await readSources(hits, notify, readFacts)
  const chosen = rate === undefined ? hits : ofRate(hits, sources, rate)
  return format === 'otio' ? otioOf(chosen, sources, title) : edlOf(chosen, sources, title)
}

/** @throws USAGE where no clip is of it */
function ofRate(
  hits: readonly EditHit[],
  sources: ReadonlyMap<string, EditSource>,
  wanted: number,
): EditHit[] {
  const rateOf = ({ clipId }: EditHit) => sources.get(clipId)?.rate
  const chosen = hits.filter((hit) => Math.abs((rateOf(hit)?.fps ?? 0) - wanted) < 0.01)
  if (chosen.length > 0 || hits.length === 0) return chosen
  const known = [...new Set(hits.flatMap((hit) => rateOf(hit) ?? []))].map(rateText)
  throw new CameoError('USAGE', `no hit is of a clip with ${wanted} frames a second, but with ${known.join(', ')}`) // prettier-ignore
}
