import { decode } from '@msgpack/msgpack'
import { z } from 'zod'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { checkShape } from './message-shape.js'
import { maxMessageBytes } from '../broker/topics.js'
import { maxReasonLength } from './schema-fields.js'

/**
 * A dead letter holds a whole message. Other programs can write more than the default limit of 1 MB if the
 * broker allows it. Bytes.
 */
const maxReadBytes = 2 * maxMessageBytes

/**
 * Reads a message of a topic. Checks its size and counts before it is decoded.
 * @param newestVersion newest version that can be read
 * @throws MESSAGE_INVALID, MESSAGE_NEWER
 */
export function readMessage<T>(schema: z.ZodType<T>, value: Uint8Array | null, newestVersion: number): T {
  if (value === null) throw new CameoError('MESSAGE_INVALID', 'the message is empty')
  if (value.byteLength > maxReadBytes)
    throw new CameoError(
      'MESSAGE_INVALID',
      `the message has ${value.byteLength} bytes, more than the ${maxReadBytes} of Cameo's longest message`,
    )
  let content: unknown
  try {
    checkShape(value)
    content = decode(value)
  } catch (error) {
    throw new CameoError('MESSAGE_INVALID', `the message is not valid MessagePack: ${messageOf(error)}`, {
      cause: error,
    })
  }
  const version = z.object({ v: z.int() }).safeParse(content)
  if (version.success && version.data.v > newestVersion)
    throw new CameoError(
      'MESSAGE_NEWER',
      `the message was written by a newer Cameo (version ${version.data.v}, this one reads up to ${newestVersion}): update this worker, then send the message again`,
      { details: { remedy: 'retry-message' } },
    )
  const parsed = schema.safeParse(content)
  if (!parsed.success)
    throw new CameoError('MESSAGE_INVALID', `the message does not fit its schema: ${faultsOf(parsed.error)}`)
  return parsed.data
}

/** Only the first faults: there may be as many faults as elements. */
function faultsOf(error: z.ZodError): string {
  const first = new z.ZodError(error.issues.slice(0, 3))
  return z
    .prettifyError(first)
    .replace(/\s*\n\s*/g, ' ')
    .slice(0, maxReasonLength / 2)
}
