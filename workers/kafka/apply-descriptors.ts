import { relative } from 'node:path'
import { adoptRecipe, type Archive } from '../../index/archive.js'
import { isForgotten } from '../../index/forget.js'
import type { RunKey, SegmentKey } from '../../index/store/clips.js'
import type { FileStamp } from '../../index/store/files.js'
import { activeSpace } from '../../index/store/meta.js'
import type { Inbox } from '../../index/store/inbox.js'
import { CameoError } from '../../pipeline/errors.js'
import { isUrl } from '../clip-access.js'
import { unknownStamp } from '../file-stamp.js'
import type { KafkaConnection } from './connection.js'
import { segmentOutput } from './segment-messages.js'
import { statusKey } from './status.js'
import { topicName } from './topics.js'
import {
  decodeDescriptors,
  encodeMessage,
  wireVersion,
  type ClosingMessage,
  type DescribedMessage,
  type DescriptorsMessage,
  type GivenUpMessage,
  type StatusMessage,
  type WirePlan,
} from './wire.js'

export interface ApplyOptions {
  readonly archive: Archive
  readonly inbox: Inbox
  readonly connection: Pick<KafkaConnection, 'prefix'>
  /** Take over another recipe than the archive's, with its next message. */
  readonly reprocess: boolean
  /** The head that the describe workers have, for searches in this archive. */
  readonly headFile: string | undefined
}

/** Parts of one attempt at a segment, as far as they came in this batch. */
interface Attempt {
  readonly clipId: string
  readonly segment: number
  readonly attempt: string
  readonly parts: Map<number, DescribedMessage>
  closing: ClosingMessage | undefined
}

export interface Applied {
  /** Messages that cannot be applied, with the reason. */
  readonly refused: readonly { readonly index: number; readonly uri?: string; readonly error: CameoError }[]
  readonly segments: number
}

/**
 * Writes what a batch of messages says into the archive. Segments count when all their parts are there, in whatever order
 * they come; parts that wait for others are kept. Everything may come twice. To be called within a transaction.
 */
export function applyDescriptors(
  values: readonly (Uint8Array | null)[],
  { archive, inbox, connection, reprocess, headFile }: ApplyOptions,
): Applied {
  const refused: { index: number; uri?: string; error: CameoError }[] = []
  const attempts = new Map<string, Attempt>()
  let segments = 0

  for (const [index, value] of values.entries()) {
    let message: DescriptorsMessage | undefined
    try {
      message = decodeDescriptors(value)
      apply(message)
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      refused.push({ index, error, ...(message === undefined ? {} : { uri: message.source.uri }) })
      if (message !== undefined) refuse(message, error)
    }
  }
  for (const attempt of attempts.values()) keep(attempt)
  return { refused, segments }

  function apply(message: DescriptorsMessage): void {
    if (message.kind === 'given-up') {
      giveUp(message)
      return
    }
    const attempt = attempts.get(message.attempt) ?? startAttempt(message)
    if (message.kind === 'described') attempt.parts.set(message.part, message)
    else attempt.closing = message
    const { closing, parts } = attempt
    if (closing === undefined) return
    if (parts.size < closing.parts) takeKept(attempt)
    if (parts.size < closing.parts) return
    attempts.delete(message.attempt)
    store(closing, [...parts.values()])
    segments++
  }

  function startAttempt({ clipId, segment, attempt }: DescribedMessage | ClosingMessage): Attempt {
    const started: Attempt = { clipId, segment, attempt, parts: new Map(), closing: undefined }
    attempts.set(attempt, started)
    takeKept(started)
    return started
  }

  function takeKept(attempt: Attempt): void {
    for (const { message } of inbox.partsOf(attempt)) {
      const kept = decodeDescriptors(message)
      if (kept.kind === 'described') attempt.parts.set(kept.part, kept)
      if (kept.kind === 'closing') attempt.closing = kept
    }
  }

  function keep({ clipId, segment, attempt, parts, closing }: Attempt): void {
    // Of a forgotten clip nothing is kept, not even for a moment.
    if (isForgotten(archive.database, clipId)) return
    for (const message of [...parts.values(), ...(closing === undefined ? [] : [closing])])
      inbox.keepPart({
        ...{ clipId, segment, attempt },
        part: message.kind === 'closing' ? -1 : message.part,
        message: encodeMessage(message),
      })
  }

  function store(closing: ClosingMessage, parts: readonly DescribedMessage[]): void {
    const { clipId, segment, plan } = closing
    inbox.dropParts(clipId, segment)
    record(closing, plan.stamp, clipId)
    if (isForgotten(archive.database, clipId)) {
      tell(closing, { state: 'forgotten', clipId })
      return
    }
    const key = adopt(closing, plan)
    archive.clips.plan(key, factsOf(plan), plan.segments, plan.cuttable)
    // The same segment again, from a worker that was not heard: the rows stay as they are.
    if (!archive.clips.hasSegment(key, segment)) {
      const tracks = [...parts].sort((a, b) => a.part - b.part).flatMap((part) => part.tracks)
      if (tracks.length !== closing.tracks)
        throw new CameoError(
          'MESSAGE_INVALID',
          `segment ${segment} of ${clipId.slice(0, 12)} came with ${tracks.length} of ${closing.tracks} tracks`,
        )
      archive.clips.storeSegment(key, segmentOutput(closing, tracks))
    }
    tellIfComplete(closing, key, plan.stamp)
  }

  function giveUp(message: GivenUpMessage): void {
    const { clipId, plan, failure, stamp } = message
    record(message, stamp, clipId, failure)
    if (clipId === undefined || plan === undefined || failure.code === 'CLIP_CHANGED') {
      // A changed file says nothing against its old content.
      tell(message, { state: 'failed', clipId, failure })
      return
    }
    if (isForgotten(archive.database, clipId)) {
      tell(message, { state: 'forgotten', clipId })
      return
    }
    const key = adopt(message, plan)
    archive.clips.plan(key, factsOf(plan), plan.segments, plan.cuttable)
    for (const { index, startS, endS = Infinity } of message.segments)
      if (!archive.clips.hasSegment(key, index))
        archive.clips.giveUpSegment(key, { index, startS, endS }, failure)
    if (archive.clips.dropFailedRun(key)) tell(message, { state: 'failed', clipId, failure })
    else tellIfComplete(message, key, stamp, failure)
  }

  /** A message that this archive cannot take, of another recipe for example: the clip fails, and says why. */
  function refuse(message: DescriptorsMessage, { code, message: text }: CameoError): void {
    if (message.kind === 'described') return
    const { clipId, plan } = message
    const failure = { code, message: text }
    record(message, plan?.stamp, clipId, failure)
    tell(message, { state: 'failed', clipId, failure })
  }

  function adopt({ recipe }: DescriptorsMessage, { clipId, dimension }: WirePlan): SegmentKey {
    const { digest, embedderDigest, spaceDigest, packName, settings, features } = recipe
    const space = archive.recipe?.digest === digest ? activeSpace(archive.database) : undefined
    const spaceId =
      space?.spaceId ??
      adoptRecipe(
        archive,
        { digest, embedderDigest, spaceDigest, packName, settings, features },
        { packName, ...(headFile === undefined ? {} : { headFile }) },
        dimension,
        reprocess,
      )
    return { clipId, recipe: digest, embedder: embedderDigest, spaceId }
  }

  function record(
    { source }: DescriptorsMessage,
    stamp: FileStamp = unknownStamp,
    clipId?: string,
    failure?: { readonly code: string; readonly message: string },
  ): void {
    const root = archive.files.rootFor(source.root)
    const path = relativePath(root.path, source.uri)
    archive.files.record(root.rootId, path, stamp, clipId)
    archive.files.setFailure(root.rootId, path, failure)
  }

  function tellIfComplete(
    message: ClosingMessage | GivenUpMessage,
    key: RunKey,
    stamp: FileStamp | undefined,
    failure?: { readonly code: string; readonly message: string },
  ): void {
    const run = archive.clips.run(key)
    if (run === undefined || run.state === 'working') return
    tell(message, {
      state: run.state === 'done' ? 'indexed' : 'partial',
      clipId: key.clipId,
      tracks: run.tracks,
      truncated: run.truncated,
      ...(run.state === 'done' ? {} : { failure: failure ?? partialFailure }),
      ...(stamp === undefined ? {} : { sizeBytes: stamp.sizeBytes, mtimeNs: stamp.mtimeNs }),
    })
  }

  function tell(
    { source, recipe }: DescriptorsMessage,
    status: Omit<StatusMessage, 'v' | 'kind' | 'uri' | 'recipe' | 'at'>,
  ): void {
    const about = { uri: source.uri, recipe: recipe.digest }
    inbox.toPublish(
      topicName(connection, 'status'),
      statusKey(about.recipe, about.uri),
      encodeMessage({ v: wireVersion, kind: 'status', ...about, ...status, at: new Date().toISOString() }),
    )
  }
}

/** The store wants to be told that a duration is unknown. */
const factsOf = ({ facts }: WirePlan) => ({ ...facts, durationS: facts.durationS })

const partialFailure = { code: 'CLIP_DECODE_FAILED', message: 'a part of the clip had to be given up' }

/** Of a path or URL below its root. */
function relativePath(root: string, uri: string): string {
  if (!isUrl(uri)) return relative(root, uri)
  return uri.startsWith(root) ? uri.slice(root.length).replace(/^\//, '') : uri
}
