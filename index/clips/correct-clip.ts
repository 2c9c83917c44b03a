import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'
import { correctTracks, undoCorrections } from '../identities/corrections.js'
import { knownName } from '../identities/identities.js'
import {
  noVerdicts,
  readCorrections,
  tracksOfClip,
  type ClipTrack,
  type Correction,
  type Verdicts,
} from '../identities/verdicts.js'
import { leavePeople } from '../people/leave-people.js'
import { ClipDescriber } from '../search/describe-clip.js'
import { hiddenMatchOf } from '../search/hidden-match.js'
import { chooseThreshold, type ThresholdRequest } from '../search/match-threshold.js'
import { descriptorOfQuery, queryOfName } from '../search/read-query.js'
import type { Verdict } from '../store/corrections.js'
import { createDescriptorStore } from '../store/descriptors.js'
import { activeSpace } from '../store/meta.js'
import { createWholeRows } from '../store/whole-rows.js'
import { clipIdOf } from './clip-id.js'
import type { ListParts } from './list-clips.js'

/** What a person says about a name and a clip. */
export interface CorrectionRequest extends ThresholdRequest {
  readonly name: string
  /** Id of the clip, its first 8 digits or more, or the path of its file. */
  readonly clip: string
  readonly verdict: Verdict
  /** Only what is seen within these seconds. Default: what answers for the name now. */
  readonly range?: { readonly startS: number; readonly endS: number } | undefined
  /** Take such corrections back. Default: false. */
  readonly undo?: boolean
}

/** A track that was corrected. */
export interface CorrectedTrack {
  /** Undefined of a correction that was taken back, if the archive no longer has the track. */
  readonly trackId: number | undefined
  readonly ranges: readonly { readonly startS: number; readonly endS: number }[]
}

/** What was noted, or taken back. */
export interface CorrectionReport {
  /** The name as stored in the archive. */
  readonly name: string
  readonly clipId: string
  /** Undefined if the archive knows of no file of the clip. */
  readonly path: string | undefined
  readonly verdict: Verdict
  readonly undone: boolean
  readonly tracks: readonly CorrectedTrack[]
}

/**
 * Notes that a clip shows a name, or does not, or takes that back. Without a range, a rejection is about all tracks of
 * the clip that answer for the name, and a confirmation about the best one of them. If none answers, the range or the
 * only track of the clip says which is meant.
 * @throws NAME_UNKNOWN, CLIP_UNKNOWN; TRACK_UNCLEAR if it is not clear which face is meant, or if there is nothing to
 * take back
 */
export async function correctClip(parts: ListParts, request: CorrectionRequest): Promise<CorrectionReport> {
  const { archive } = parts.opened
  const { database } = archive
  const { verdict, undo = false } = request
  const name = knownName(database, request.name)
  const clipId = clipIdOf(database, request.clip)
  const about = { name, clipId, path: archive.files.pathsOf(clipId)[0], verdict, undone: undo }
  if (undo) return { ...about, tracks: undoIn(parts, { ...request, name }, clipId) }
  const chosen = await chooseTracks(parts, { ...request, name }, clipId)
  correctTracks(database, name, { clipId, tracks: chosen, verdict })
  if (verdict === 'rejected')
    leavePeople(archive, name, chosen.map(({ trackId }) => trackId)) // prettier-ignore
  return { ...about, tracks: chosen.map(correctedTrack) }
}

const correctedTrack = ({
  trackId,
  spansS,
}: Pick<ClipTrack, 'spansS'> & Pick<CorrectedTrack, 'trackId'>): CorrectedTrack => ({
  trackId,
  ranges: spansS.map(([startS, endS]) => ({ startS, endS })),
})

function undoIn({ opened }: ListParts, request: CorrectionRequest, clipId: string): CorrectedTrack[] {
  const { database } = opened.archive
  const { name, verdict, range } = request
  const chosen = readCorrections(database, name).filter(
    (correction) =>
      correction.clipId === clipId && correction.verdict === verdict && isWithin(spansOf(correction), range),
  )
  if (chosen.length === 0)
    throw new CameoError(
      'TRACK_UNCLEAR',
      `nothing in this clip${rangeText(range)} was ${verdict} for ${quoted(name)}, so there is nothing to take back`,
    )
  undoCorrections(database, name, chosen)
  return chosen.map((correction) =>
    correctedTrack({ trackId: correction.tracks[0]?.trackId, spansS: spansOf(correction) }),
  )
}

const spansOf = ({ tracks, place }: Correction) => tracks[0]?.spansS ?? place.spansS

/** @throws TRACK_UNCLEAR */
async function chooseTracks(
  parts: ListParts,
  request: CorrectionRequest,
  clipId: string,
): Promise<readonly ClipTrack[]> {
  const { name, range, verdict } = request
  const all = tracksOfClip(parts.opened.archive.database, clipId)
  const tracks = all.filter(({ spansS }) => isWithin(spansS, range))
  const { answering, descriptor, verdicts } = await answeringTracks(parts, request, clipId)
  const chosen = answering.flatMap((trackId) => tracks.filter((track) => track.trackId === trackId))
  const [best] = chosen
  if (best !== undefined) return verdict === 'confirmed' && range === undefined ? [best] : chosen
  const said = tracks.filter(({ trackId }) => verdicts[verdict].has(trackId))
  if (said.length > 0) return said
  const [only, ...more] = tracks
  if (only !== undefined && more.length === 0 && (verdict === 'confirmed' || range !== undefined))
    return [only]
  const what = tracks.length === 0 ? 'no face is seen' : `no face answers for ${quoted(name)}`
  throw new CameoError(
    'TRACK_UNCLEAR',
    unclearText(`${what} in this clip${rangeText(range)}`, all, { descriptor, verdicts }),
    all.length === 0 ? {} : { details: { remedy: 'give-range' } },
  )
}

function unclearText(
  what: string,
  tracks: readonly ClipTrack[],
  { descriptor, verdicts }: Pick<Answering, 'descriptor' | 'verdicts'>,
): string {
  if (tracks.length === 0) return what
  const lines = tracks.slice(0, mostListed).map(({ trackId, spansS, descriptor: own }) => {
    const times = spansS.map(([startS, endS]) => `${formatTime(startS)}–${formatTime(endS)}`).join(', ')
    const isRejected = verdicts.rejected.has(trackId) ? ', rejected' : ''
    return `  ${times} (score ${dotProduct(descriptor, own).toFixed(2)}${isRejected})`
  })
  if (tracks.length > mostListed) lines.push(`  … and ${tracks.length - mostListed} more`)
  return `${what}; say which time range is meant, of:\n${lines.join('\n')}`
}

const mostListed = 20

interface Answering {
  /** The tracks of the clip that answer a search for the name, best first. */
  readonly answering: readonly number[]
  /** Of the name, L2-normalised. */
  readonly descriptor: Float32Array
  readonly verdicts: Verdicts
}

async function answeringTracks(
  { opened, models }: ListParts,
  request: CorrectionRequest,
  clipId: string,
): Promise<Answering> {
  const { archive, recipe } = opened
  const { database } = archive
  const query = queryOfName(request.name, opened)
  const descriptor = await descriptorOfQuery(query, await models.describer())
  const count = createDescriptorStore(database).count(activeSpace(database)?.spaceId ?? 0)
  const { threshold } = chooseThreshold(recipe, models.pack, count, request)
  const hidden = hiddenMatchOf(recipe, models.pack, descriptor, request)
  const rows = createWholeRows(database, new Set())
  const { verdicts = noVerdicts } = query
  const options = { top: 1, minScore: threshold, hidden, verdicts }
  const found = new ClipDescriber(archive, rows, descriptor, options).tracksOf(clipId)
  const answering = found.filter(({ isMatch }) => isMatch).map(({ trackId }) => trackId)
  return { answering, descriptor, verdicts }
}

const isWithin = (
  spansS: readonly (readonly [number, number])[],
  range: CorrectionRequest['range'],
): boolean =>
  range === undefined || spansS.some(([startS, endS]) => startS <= range.endS && endS >= range.startS)

const rangeText = (range: CorrectionRequest['range']) =>
  range === undefined ? '' : ` at ${formatTime(range.startS)}–${formatTime(range.endS)}`
