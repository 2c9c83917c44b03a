import { CameoError } from '../../../../pipeline/common/errors.js'
import { checkHead, type HeadFile } from '../../../../pipeline/describe/head/head-file.js'
import { toBlob } from '../../../../index/store/blobs.js'
import type { DescribeThread } from '../../../threads/describe-handle.js'
import type { OutMessage } from '../../broker/out-messages.js'
import type { Received } from '../../broker/received.js'
import { faceEmbeddings, givenUpMessage, headName } from '../../messages/segment-messages.js'
import { attemptWork, type WorkerContext } from '../shared/stage-worker.js'
import { maxSentBytes, topicName } from '../../broker/topics.js'
import {
  decodeEmbeddings,
  encodeMessage,
  type DescriptorsMessage,
  type EmbeddingsMessage,
  type TracksMessage,
} from '../../messages/schemas.js'

export interface DescribeHandlerOptions {
  readonly context: Omit<WorkerContext, 'kafka'>
  readonly describer: DescribeThread
  /** Absent if this worker has none. */
  readonly head: HeadFile | undefined
}

/** Handles a message: see `MessageHandler`. */
export function createDescribeHandler({ context, describer, head }: DescribeHandlerOptions) {
  const { connection, publisher } = context
  const descriptors = topicName(connection, 'descriptors')

  async function handle(message: Received, signal: AbortSignal): Promise<void> {
    let read: EmbeddingsMessage | undefined
    const key = message.key?.toString() ?? ''
    await attemptWork(context, {
      stage: 'describe',
      ...{ message, signal },
      about: () => ({ uri: read?.source.uri, clipId: read?.clipId }),
      async work() {
        read ??= decodeEmbeddings(message.value)
        const value = encodeMessage(await described(read))
        // Brokers would refuse it every time. Messages of Cameo are half as long, with room for descriptors.
        if (value.byteLength > maxSentBytes)
          throw new CameoError(
            'MESSAGE_TOO_LARGE',
            `with its descriptors the message has ${value.byteLength} bytes, more than the ${maxSentBytes} that brokers accept`,
          )
        await publisher.send([{ topic: descriptors, key, value }])
      },
      whenGivenUp: (error, attempts) => (read === undefined ? [] : [givenUp(read, key, error, attempts)]),
    })
  }

  async function described(message: EmbeddingsMessage): Promise<DescriptorsMessage> {
    checkOwnHead(message)
    if (message.kind === 'tracks') return describeTracks(message)
    const { plan } = message
    if (plan === undefined || head === undefined) return message
    const { dimension } = await describer.describe(embedderOf(message, plan.dimension), [])
    return { ...message, plan: { ...plan, dimension } }
  }

  async function describeTracks(message: TracksMessage): Promise<DescriptorsMessage> {
    const dimension = (message.tracks[0]?.faces[0]?.vector.byteLength ?? 0) / 2
    const { descriptors } = await describer.describe(
      embedderOf(message, dimension),
      message.tracks.map(faceEmbeddings),
    )
    return {
      ...message,
      kind: 'described',
      tracks: message.tracks.map((track, i) => {
        const descriptor = descriptors[i]
        if (descriptor === undefined) throw new Error('a track was not described')
        return { ...track, descriptor: toBlob(descriptor) }
      }),
    }
  }

  function checkOwnHead({ recipe, kind }: EmbeddingsMessage): void {
    if (kind === 'given-up') return
    if (recipe.headSha256 === head?.sha256) {
      if (head !== undefined) checkHead(head, recipe)
      return
    }
    throw new CameoError(
      'RECIPE_MISMATCH',
      `the clip was submitted with ${headName(recipe.headSha256)}, this worker has ${headName(head?.sha256)}; start the describe worker with the same head, then send the message again`,
      { details: { remedy: 'use-same-head', stage: 'describe', headSha256: recipe.headSha256 } },
    )
  }

  function givenUp(message: EmbeddingsMessage, key: string, error: CameoError, attempts: number): OutMessage {
    const { recipe, source, clipId } = message
    const value = givenUpMessage({ recipe, source, error, attempts, clipId, segments: [] })
    return { topic: descriptors, key, value: encodeMessage(value) }
  }

  return handle
}

const embedderOf = ({ recipe }: EmbeddingsMessage, dimension: number) => ({
  digest: recipe.embedderDigest,
  dimension,
})
