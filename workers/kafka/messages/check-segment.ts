import { toFloat32 } from '../../../index/store/blobs.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { ClosingMessage, DescribedMessage, GivenUpMessage, WireDescribedTrack } from './schemas.js'

/**
 * The tracks of a segment, in order. Checks what a schema cannot, before anything is written: the messages
 * fit together, and the descriptors can be searched.
 * @throws MESSAGE_INVALID
 */
export function tracksOfSegment(
  closing: ClosingMessage,
  parts: readonly DescribedMessage[],
): WireDescribedTrack[] {
  const { segment, plan } = closing
  const refuse = (what: string) => invalid(closing, what)
  if (segment >= plan.segments) throw refuse(`is not one of ${plan.segments}, which count from 0`)
  const inOrder = [...parts].sort((a, b) => a.part - b.part)
  if (inOrder.some(({ part }, at) => part !== at)) throw refuse('came with parts of another segment')
  const tracks = inOrder.flatMap((part) => part.tracks)
  if (tracks.length !== closing.tracks) throw refuse(`came with ${tracks.length} of ${closing.tracks} tracks`)
  if (new Set(tracks.map(({ number }) => number)).size < tracks.length)
    throw refuse('came with two tracks of the same number')
  for (const { descriptor, faces } of tracks) {
    const values = toFloat32(descriptor)
    if (values.length !== plan.dimension)
      throw refuse(`came with a descriptor of ${values.length} values, its plan says ${plan.dimension}`)
    if (!values.every(Number.isFinite)) throw refuse('came with a descriptor that is not a valid vector')
    if (new Set(faces.map(({ vector }) => vector.byteLength)).size > 1)
      throw refuse('came with embeddings of several lengths')
  }
  return tracks
}

/** @throws MESSAGE_INVALID */
export function checkGivenUp(message: GivenUpMessage): void {
  const { plan, segments } = message
  const odd = segments.find(({ index }) => plan !== undefined && index >= plan.segments)
  if (odd !== undefined)
    throw new CameoError(
      'MESSAGE_INVALID',
      `segment ${odd.index} was given up, which is not one of ${plan?.segments ?? 0}`,
    )
}

const invalid = ({ clipId, segment }: ClosingMessage, what: string) =>
  new CameoError('MESSAGE_INVALID', `segment ${segment} of ${clipId.slice(0, 12)} ${what}`)
