import { relative } from 'node:path'
import { archiveError } from '../../../index/store/database.js'
import { isForgotten } from '../../../index/identities/forget.js'
import type { Failure, RunKey, SegmentKey } from '../../../index/store/clips.js'
import { isUrl, type FileStamp } from '../../../index/store/files.js'
import type { Inbox } from '../../../index/store/inbox.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { unknownStamp } from '../../ingest/file-stamp.js'
import { createArchiveRecipes, type ArchiveRecipesOptions } from './archive-recipes.js'
import type { KafkaMessage } from '../broker/client.js'
import type { KafkaConnection } from '../broker/connection.js'
import { checkGivenUp, tracksOfSegment } from '../messages/check-segment.js'
import { segmentOutput } from '../messages/segment-messages.js'
import { statusKey } from './status.js'
import { topicName } from '../broker/topics.js'
import {
  decodeDescriptors,
  encodeMessage,
  failureOf,
  wireVersion,
  type ClosingMessage,
  type DescribedMessage,
  type DescriptorsMessage,
  type GivenUpMessage,
  type StatusMessage,
  type WirePlan,
} from '../messages/schemas.js'

export interface ApplyOptions extends ArchiveRecipesOptions {
  readonly inbox: Inbox
  readonly connection: Pick<KafkaConnection, 'prefix'>
}

/** Parts of one attempt at a segment, as far as they came in this batch. */
interface Attempt {
  readonly clipId: string
  readonly segment: number
  readonly attempt: string
  readonly parts: Map<number, DescribedMessage>
  closing: ClosingMessage | undefined
}

/** A job over several segments is one attempt at all of them, and their messages may come mixed. */
const attemptKey = ({ clipId, segment, attempt }: Pick<Attempt, 'clipId' | 'segment' | 'attempt'>) =>
  `${clipId}/${segment}/${attempt}`

export interface Refused {
  readonly index: number
  readonly uri?: string | undefined
  readonly clipId?: string | undefined
  readonly error: CameoError
}

export interface Applied {
  /** Messages that cannot be applied, with the reason. */
  readonly refused: readonly Refused[]
  readonly segments: number
  /** Clips of which it is known now what became of them. */
  readonly finished: readonly Pick<StatusMessage, 'uri' | 'clipId' | 'state' | 'tracks'>[]
}

/**
 * Writes what a batch of messages says into the archive. Segments count when all their parts are there, in whatever order
 * they come; parts that wait for others are kept. Everything may come twice. To be called within a transaction.
 */
export function applyDescriptors(
  messages: readonly Pick<KafkaMessage, 'value' | 'timestamp'>[],
  options: ApplyOptions,
): Applied {
  const { archive, inbox, connection } = options
  const recipes = createArchiveRecipes(options)
  const refused: Refused[] = []
  const attempts = new Map<string, Attempt>()
  let segments = 0
  const finished: StatusMessage[] = []

  for (const [index, { value, timestamp }] of messages.entries()) {
    let message: DescriptorsMessage | undefined
    try {
      message = decodeDescriptors(value)
      apply(message, Number(timestamp))
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      refused.push({ index, error, uri: message?.source.uri, clipId: message?.clipId })
    }
  }
  for (const attempt of attempts.values()) keep(attempt)
  recipes.save()
  return { refused, segments, finished }

  function apply(message: DescriptorsMessage, writtenMs: number): void {
    if (message.kind === 'given-up') {
      orFail(message, () => giveUp(message, writtenMs))
      return
    }
    const attempt = attempts.get(attemptKey(message)) ?? startAttempt(message)
    if (message.kind === 'described') attempt.parts.set(message.part, message)
    else attempt.closing = message
    const { closing, parts } = attempt
    if (closing === undefined) return
    if (parts.size < closing.parts) takeKept(attempt)
    if (parts.size < closing.parts) return
    attempts.delete(attemptKey(message))
    // Whichever message was the last to come: the closing one says of which clip.
    orFail(closing, () => store(closing, [...parts.values()], writtenMs))
    segments++
  }

  /** Where this archive cannot take it, being of another recipe for example, the clip fails, says why, and nothing of it stays. */
  function orFail(message: ClosingMessage | GivenUpMessage, work: () => void): void {
    try {
      archive.database.transaction(work)()
    } catch (thrown) {
      const error = refusalFor(thrown)
      const { clipId, plan } = message
      if (message.kind === 'closing') inbox.dropParts(message.clipId, message.segment)
      if (clipId !== undefined && plan !== undefined) record(message, plan.stamp, clipId)
      fail(message, clipId, failureOf(error))
      throw error
    }
  }

  function startAttempt({ clipId, segment, attempt }: DescribedMessage | ClosingMessage): Attempt {
    const started: Attempt = { clipId, segment, attempt, parts: new Map(), closing: undefined }
    attempts.set(attemptKey(started), started)
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

  function store(closing: ClosingMessage, parts: readonly DescribedMessage[], writtenMs: number): void {
    const { clipId, segment, plan } = closing
    inbox.dropParts(clipId, segment)
    record(closing, plan.stamp, clipId)
    if (isForgotten(archive.database, clipId)) {
      tellForgotten(closing, clipId)
      return
    }
    const tracks = tracksOfSegment(closing, parts)
    const key = keyFor(closing, plan, writtenMs)
    takeUp(key, plan)
    // The same segment again, from a worker that was not heard: the rows stay as they are.
    if (!archive.clips.hasSegment(key, segment))
      archive.clips.storeSegment(key, segmentOutput(closing, tracks))
    finishIfComplete(closing, key, plan.stamp)
  }

  function giveUp(message: GivenUpMessage, writtenMs: number): void {
    const { clipId, plan, failure, stamp } = message
    checkGivenUp(message)
    if (clipId !== undefined && stamp !== undefined) record(message, stamp, clipId)
    if (clipId === undefined || plan === undefined || failure.code === 'CLIP_CHANGED') {
      // A changed file says nothing against its old content.
      fail(message, clipId, failure)
      return
    }
    if (isForgotten(archive.database, clipId)) {
      tellForgotten(message, clipId)
      return
    }
    const key = keyFor(message, plan, writtenMs)
    takeUp(key, plan)
    for (const { index, startS, endS = Infinity } of message.segments) {
      if (archive.clips.hasSegment(key, index)) continue
      archive.clips.giveUpSegment(key, { index, startS, endS }, failure)
      if (plan.pass !== undefined) inbox.noteGivenUp(clipId, index, plan.pass)
    }
    const first = archive.clips.failureOf(key) ?? failure
    if (archive.clips.dropFailedRun(key)) fail(message, clipId, first)
    else finishIfComplete(message, key, stamp)
  }

  /**
   * Plans the run. Where it had ended without some segments and this is another pass over the clip, they are missing again:
   * what is told is what this pass makes of them, not the failure of the last one.
   */
  function takeUp(key: SegmentKey, plan: WirePlan): void {
    archive.clips.plan(key, factsOf(plan), plan.segments, plan.cuttable)
    if (plan.pass === undefined || inbox.hasGivenUp(key.clipId, plan.pass)) return
    if (archive.clips.run(key)?.state === 'partial') archive.clips.retryGivenUp(key)
  }

  function keyFor(
    { recipe }: DescriptorsMessage,
    { clipId, dimension }: WirePlan,
    writtenMs: number,
  ): SegmentKey {
    const spaceId = recipes.spaceFor(recipe, dimension, writtenMs)
    return { clipId, recipe: recipe.digest, embedder: recipe.embedderDigest, spaceId }
  }

  function record(message: DescriptorsMessage, stamp: FileStamp, clipId: string): void {
    const { rootId, path } = placeOf(message)
    archive.files.record(rootId, path, stamp, clipId)
  }

  function setFailure(message: DescriptorsMessage, failure: Failure | undefined): void {
    const { rootId, path } = placeOf(message)
    archive.files.setFailure(rootId, path, failure)
  }

  function placeOf({ source }: DescriptorsMessage): { readonly rootId: number; readonly path: string } {
    const root = archive.files.rootFor(source.root)
    return { rootId: root.rootId, path: relativePath(root.path, source.uri) }
  }

  /** What became of the clip follows from its rows alone, in whatever order they came. */
  function finishIfComplete(
    message: ClosingMessage | GivenUpMessage,
    key: RunKey,
    stamp: FileStamp | undefined,
  ): void {
    const run = archive.clips.run(key)
    if (run === undefined || run.state === 'working') return
    const failure = archive.clips.failureOf(key)
    if (failure === undefined) archive.files.clearFailuresOf(key.clipId)
    setFailure(message, failure)
    tell(message, {
      state: run.state === 'done' ? 'indexed' : 'partial',
      clipId: key.clipId,
      tracks: run.tracks,
      frames: run.frames,
      faces: run.faces,
      durationS: archive.clips.durationOf(key.clipId),
      truncated: run.truncated,
      ...(run.lostS === 0 ? {} : { lostS: run.lostS }),
      ...(run.leftOut.length === 0 ? {} : { leftOut: run.leftOut }),
      failure,
      ...(stamp === undefined ? {} : { sizeBytes: stamp.sizeBytes, mtimeNs: stamp.mtimeNs }),
    })
  }

  function fail(
    message: ClosingMessage | GivenUpMessage,
    clipId: string | undefined,
    failure: Failure,
  ): void {
    const { rootId, path } = placeOf(message)
    const isRecorded = clipId !== undefined && (message.kind === 'closing' || message.stamp !== undefined)
    if (isRecorded) archive.files.setFailure(rootId, path, failure)
    else archive.files.recordFailed(rootId, path, unknownStamp, failure)
    tell(message, { state: 'failed', clipId, failure })
  }

  function tellForgotten(message: DescriptorsMessage, clipId: string): void {
    setFailure(message, undefined)
    tell(message, { state: 'forgotten', clipId })
  }

  function tell(
    { source, recipe }: DescriptorsMessage,
    status: Omit<StatusMessage, 'v' | 'kind' | 'uri' | 'recipe' | 'at'>,
  ): void {
    const about = { uri: source.uri, recipe: recipe.digest }
    const message: StatusMessage = {
      ...{ v: wireVersion, kind: 'status', ...about, ...status },
      ...(source.ctimeNs === undefined ? {} : { ctimeNs: source.ctimeNs }),
      at: new Date().toISOString(),
    }
    inbox.toPublish(
      topicName(connection, 'status'),
      statusKey(about.recipe, about.uri),
      encodeMessage(message),
    )
    finished.push(message)
  }
}

/**
 * What is said against the message that brought an error to light: it must not hold up those behind it. Errors of the archive
 * itself, a full disk for example, are thrown on.
 */
function refusalFor(thrown: unknown): CameoError {
  if (thrown instanceof CameoError) return thrown
  if (archiveError('', thrown) !== undefined) throw thrown
  return new CameoError('MESSAGE_FAILED', `this should not have happened: ${messageOf(thrown)}`, {
    cause: thrown,
  })
}

/** The store wants to be told that a duration is unknown. */
const factsOf = ({ facts }: WirePlan) => ({ ...facts, durationS: facts.durationS })

/** Of a path or URL below its root. */
function relativePath(root: string, uri: string): string {
  if (!isUrl(uri)) return relative(root, uri)
  return uri.startsWith(root) ? uri.slice(root.length).replace(/^\//, '') : uri
}
