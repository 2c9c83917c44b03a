import { CameoError } from '../../pipeline/common/errors.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import type { FilledArchive } from '../archive/open-archive.js'
import type { Identity } from '../store/identities.js'
import { describedTrackReader } from '../store/stored-tracks.js'
import { checkAgreement } from './check-enrolment.js'
import { enrolledFaces } from './enrolled-faces.js'
import { enroll, knownName, parseName } from './identities.js'
import { trackFaceReader } from './track-face.js'

/** Whose track it is. */
export interface EnrollTrackRequest {
  readonly name: string
  readonly trackId: number
  /** Enrol even if the name has faces that do not match. Default: false. */
  readonly force?: boolean
}

/**
 * Adds the best face of a track to a new or known name. It is forgotten together with its clip, and replaces a face of the same
 * clip.
 * @throws TRACK_UNKNOWN; FACES_DISAGREE if the name has faces of somebody else, unless forced; USAGE if the name is empty
 */
export function enrollTrack(
  opened: FilledArchive,
  { pack }: { readonly pack: Pack },
  { name: given, trackId, force = false }: EnrollTrackRequest,
): Identity {
  const { archive, recipe } = opened
  const { database } = archive
  const clipId = describedTrackReader(database)(trackId)?.clipId
  const face = trackFaceReader(opened)(trackId)
  const [source] = clipId === undefined ? [] : archive.files.pathsOf(clipId)
  if (face === undefined || source === undefined)
    throw new CameoError('TRACK_UNKNOWN', `the archive has no track ${trackId}`)
  const name = knownName(database, parseName(given))
  const reference = { source, ...face }
  const enrolled = enrolledFaces(database, name, recipe.embedderDigest)
  if (enrolled.length > 0)
    checkAgreement({ name, enrolled, given: [reference], dimension: pack.embedder.dimension, threshold: thresholdOfModels(pack) }, force) // prettier-ignore
  return enroll(database, name, recipe.embedderDigest, [reference])
}
