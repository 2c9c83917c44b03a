import { toFloat32 } from '../../index/store/blobs.js'
import {
  decodeDescriptors,
  type ClosingMessage,
  type DescribedMessage,
  type GivenUpMessage,
} from '../kafka/messages/schemas.js'

/**
 * Some of the tracks of one run over a segment of a clip, each a person with a descriptor. They count when the closing message of
 * the same `clipId`, `segment` and `attempt` has come, and as many parts as it says. They come in any order, and may come twice.
 */
export interface DescribedTracks extends DescribedMessage {}

/** The last message of a run over a segment: how many parts and tracks there are, and what was looked at. */
export interface SegmentClosing extends ClosingMessage {}

/** A clip, or some of its segments, that the workers gave up for good. */
export interface GivenUp extends GivenUpMessage {}

/** A message of the topic, told apart by `kind`: `described`, `closing` or `given-up`. Times are seconds, boxes pixels. */
export type DescriptorsMessage = DescribedTracks | SegmentClosing | GivenUp

/**
 * Reads a message of the Kafka topic of descriptors, which is MessagePack. Nothing in it is trusted: its size, counts and values are
 * checked.
 * @param value of the Kafka message; null is no message of Cameo's
 * @throws MESSAGE_INVALID; MESSAGE_NEWER of a newer Cameo
 */
export const readDescriptorsMessage = (value: Uint8Array | null): DescriptorsMessage =>
  decodeDescriptors(value)

/**
 * The descriptor of a track of such a message: L2-normalised, so that the dot product of two is their cosine similarity.
 * @throws Error where the bytes are no float32 values
 */
export const descriptorOf = ({ descriptor }: DescribedTracks['tracks'][number]): Float32Array =>
  toFloat32(descriptor)
