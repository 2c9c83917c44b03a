import { toFloat32 } from '../../index/store/blobs.js'
import {
  decodeDescriptors,
  type ClosingMessage,
  type DescribedMessage,
  type GivenUpMessage,
} from '../kafka/messages/schemas.js'

/**
 * Some of the tracks of one attempt at a segment of a clip. Each track is one person with a descriptor. The
 * tracks count only when the closing message with the same `clipId`, `segment` and `attempt` has arrived, and
 * all the parts that it announces. Parts come in any order, and may come twice.
 */
export interface DescribedTracks extends DescribedMessage {}

/** The last message of an attempt at a segment: the number of parts and tracks, and what was looked at. */
export interface SegmentClosing extends ClosingMessage {}

/** A clip, or some of its segments, that the workers could not process. */
export interface GivenUp extends GivenUpMessage {}

/**
 * A message of the topic; `kind` is `described`, `closing` or `given-up`. Times are seconds, boxes pixels.
 */
export type DescriptorsMessage = DescribedTracks | SegmentClosing | GivenUp

/**
 * Reads a message of the Kafka topic of descriptors, which is MessagePack. Checks its size, counts and
 * values, because the sender is not trusted.
 * @param value of the Kafka message; null is not a valid message
 * @throws MESSAGE_INVALID; MESSAGE_NEWER for a message of a newer Cameo
 */
export const readDescriptorsMessage = (value: Uint8Array | null): DescriptorsMessage =>
  decodeDescriptors(value)

/**
 * The descriptor of a track of such a message. It is L2-normalised, so the dot product of two descriptors is
 * their cosine similarity.
 * @throws Error if the bytes are not float32 values
 */
export const descriptorOf = ({ descriptor }: DescribedTracks['tracks'][number]): Float32Array =>
  toFloat32(descriptor)
