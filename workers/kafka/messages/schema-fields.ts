import { z } from 'zod'
import { maxDimension, maxTimeS } from '../../../pipeline/common/limits.js'
import { maxMessageBytes } from '../broker/topics.js'

/** The kinds of fields that messages are made of. Each has a bound: whoever can write to a topic can write any number. */

/** As kafkajs gives it, at most a message. */
export const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'bytes are expected')

const floats = (size: 2 | 4) =>
  bytes.refine(
    ({ byteLength }) => byteLength > 0 && byteLength % size === 0 && byteLength <= size * maxDimension,
    `up to ${maxDimension} float${8 * size} numbers are expected`,
  )
export const float16 = floats(2)
export const float32 = floats(4)

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
export const digest = z.string().regex(/^[0-9a-f]{16,64}$/)

/** 0 … `most`. */
export const countUpTo = (most: number) => z.int().min(0).max(most)

/**
 * For counts without a limit of memory: frames, faces, bytes of a file. Up to 2⁵³ − 1, as all whole numbers.
 */
export const count = z.int().min(0)

/** Number of tries or deaths. */
export const tries = z.int().min(1).max(1_000_000)

/** Kafka's partition numbers are int32. */
export const partition = countUpTo(2 ** 31 - 1)

export const seconds = z.number().min(0).max(maxTimeS)

/** A frame's own time. Edit lists place some frames before the clip's beginning. */
export const frameTime = z.number().min(-maxTimeS).max(maxTimeS)

/** A path or URL. Statuses and dead letters repeat it, and must fit into a message too. */
export const address = z.string().min(1).max(8192)

export const shortText = z.string().min(1).max(256)

/** A name that a person gave, or the source of its face. */
export const longText = z.string().min(1).max(16_384)

/** A file's time, or the version that a server states. Node accepts headers of 16 KB in all. */
export const version = z.string().max(16_384)

/** Limit of a reason, so that a long one fits. Characters. */
export const maxReasonLength = 2000

/**
 * A list of at most `most` elements. The count is checked before the elements: otherwise a list of a million
 * wrong elements would produce a million faults.
 */
export const listOf = <T extends z.ZodType>(element: T, most: number, least = 0) =>
  z.array(z.unknown()).min(least).max(most).pipe(z.array(element))

/** Parts of a segment: 1 GB. The faces and index workers hold all tracks of a segment in memory. */
export const maxParts = 2 * 1024

/** A track takes at least 300 bytes; see `wireBytes` in `segment-messages.ts`. */
export const maxTracksOfPart = Math.floor(maxMessageBytes / 300)

/** A span of a track takes 20 bytes; see there too. */
export const maxSpans = Math.floor(maxMessageBytes / 20)
