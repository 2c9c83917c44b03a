import type { Archive } from '../../../../index/archive/open-archive.js'
import { isForgotten } from '../../../../index/store/forgotten-clips.js'
import { archiveError } from '../../../../index/store/database.js'
import type { SegmentKey } from '../../../../index/store/clip-facts.js'
import type { Inbox } from '../../../../index/store/inbox.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import { CameoError, messageOf } from '../../../../pipeline/common/errors.js'
import type { KafkaMessage } from '../../broker/client.js'
import { checkGivenUp, tracksOfSegment } from '../../messages/check-segment.js'
import {
  decodeDescriptors,
  failureOf,
  type ClosingMessage,
  type DescriptorsMessage,
  type GivenUpMessage,
  type StatusMessage,
  type WirePlan,
} from '../../messages/schemas.js'
import { segmentOutput } from '../../messages/segment-messages.js'
import { createArchiveRecipes, type ArchiveRecipes, type ArchiveRecipesOptions } from './archive-recipes.js'
import { ClipOutcomes, type ClipOutcomesOptions } from './clip-outcomes.js'
import { SegmentParts, type WholeSegment } from './segment-parts.js'

export interface ApplyOptions extends ArchiveRecipesOptions, ClipOutcomesOptions {}

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
  /** Clips that now have a result. */
  readonly finished: readonly Pick<StatusMessage, 'uri' | 'clipId' | 'state' | 'tracks'>[]
}

/**
 * Writes a batch of messages into the archive. A segment counts when all its parts have arrived, in any
 * order. Parts that wait for others are stored. Every message may come twice. Call it within a transaction.
 */
export function applyDescriptors(
  messages: readonly Pick<KafkaMessage, 'value' | 'timestamp'>[],
  options: ApplyOptions,
): Applied {
  const batch = new DescriptorBatch(options)
  const refused: Refused[] = []
  for (const [index, { value, timestamp }] of messages.entries()) {
    let message: DescriptorsMessage | undefined
    try {
      message = decodeDescriptors(value)
      batch.apply(message, Number(timestamp))
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      refused.push({ index, error, uri: message?.source.uri, clipId: message?.clipId })
    }
  }
  return { refused, ...batch.finish() }
}

/** The rows of a batch of messages. */
class DescriptorBatch {
  readonly #archive: Archive
  readonly #inbox: Inbox
  readonly #recipes: ArchiveRecipes
  readonly #parts: SegmentParts
  readonly #outcomes: ClipOutcomes
  #segments = 0

  constructor(options: ApplyOptions) {
    this.#archive = options.archive
    this.#inbox = options.inbox
    this.#recipes = createArchiveRecipes(options)
    this.#parts = new SegmentParts(options.inbox)
    this.#outcomes = new ClipOutcomes(options)
  }

  /**
   * @param writtenMs when the message was written
   * @throws CameoError if the archive cannot take the message; the batch continues after that
   */
  apply(message: DescriptorsMessage, writtenMs: number): void {
    if (message.kind === 'given-up') {
      this.#orFail(message, () => this.#giveUp(message, writtenMs))
      return
    }
    const whole = this.#parts.add(message)
    if (whole === undefined) return
    // Any message can be the last to arrive. The closing message names the clip.
    this.#orFail(whole.closing, () => this.#store(whole, writtenMs))
    this.#segments++
  }

  /** Stores the parts that wait for later batches. */
  finish(): Omit<Applied, 'refused'> {
    // Nothing of a forgotten clip is stored, not even for a moment.
    this.#parts.keepRest((clipId) => this.#isForgotten(clipId))
    this.#recipes.save()
    return { segments: this.#segments, finished: this.#outcomes.told }
  }

  /**
   * If this archive cannot take the clip, for example because of another recipe, the clip fails with a
   * reason, and none of its rows stay.
   */
  #orFail(message: ClosingMessage | GivenUpMessage, work: () => void): void {
    try {
      inTransaction(this.#archive.database, work)
    } catch (thrown) {
      const error = refusalFor(thrown)
      const { clipId, plan } = message
      if (message.kind === 'closing') this.#inbox.dropParts(message.clipId, message.segment)
      if (clipId !== undefined && plan !== undefined) this.#outcomes.recordFile(message, plan.stamp, clipId)
      this.#outcomes.fail(message, clipId, failureOf(error))
      throw error
    }
  }

  #store({ closing, parts }: WholeSegment, writtenMs: number): void {
    const { clipId, segment, plan } = closing
    const { clips } = this.#archive
    this.#inbox.dropParts(clipId, segment)
    this.#outcomes.recordFile(closing, plan.stamp, clipId)
    if (this.#isForgotten(clipId)) {
      this.#outcomes.setForgotten(closing, clipId)
      return
    }
    const tracks = tracksOfSegment(closing, parts)
    const key = this.#keyFor(closing, plan, writtenMs)
    this.#takeUp(key, plan)
    // The same segment again, from a worker that was believed dead: the rows stay unchanged.
    if (!clips.hasSegment(key, segment)) clips.storeSegment(key, segmentOutput(closing, tracks))
    this.#outcomes.finishIfComplete(closing, key, plan.stamp)
  }

  #giveUp(message: GivenUpMessage, writtenMs: number): void {
    const { clipId, plan, failure, stamp } = message
    const { clips } = this.#archive
    checkGivenUp(message)
    if (clipId !== undefined && stamp !== undefined) this.#outcomes.recordFile(message, stamp, clipId)
    if (clipId === undefined || plan === undefined || failure.code === 'CLIP_CHANGED') {
      // A changed file does not affect its old content.
      this.#outcomes.fail(message, clipId, failure)
      return
    }
    if (this.#isForgotten(clipId)) {
      this.#outcomes.setForgotten(message, clipId)
      return
    }
    const key = this.#keyFor(message, plan, writtenMs)
    this.#takeUp(key, plan)
    for (const { index, startS, endS = Infinity } of message.segments) {
      if (clips.hasSegment(key, index)) continue
      clips.giveUpSegment(key, { index, startS, endS }, failure)
      if (plan.pass !== undefined) this.#inbox.noteGivenUp(clipId, index, plan.pass)
    }
    const first = clips.failureOf(key) ?? failure
    if (clips.dropFailedRun(key)) this.#outcomes.fail(message, clipId, first)
    else this.#outcomes.finishIfComplete(message, key, stamp)
  }

  /**
   * Plans the run. If an earlier run ended without some segments and this is another pass over the clip, they
   * count as missing again. The clip then gets the result of this pass, not the failure of the earlier one.
   */
  #takeUp(key: SegmentKey, plan: WirePlan): void {
    const { clips } = this.#archive
    clips.plan(key, factsOf(plan), plan.segments, plan.cuttable)
    if (plan.pass === undefined || this.#inbox.hasGivenUp(key.clipId, plan.pass)) return
    if (clips.run(key)?.state === 'partial') clips.retryGivenUp(key)
  }

  #keyFor({ recipe }: DescriptorsMessage, { clipId, dimension }: WirePlan, writtenMs: number): SegmentKey {
    const spaceId = this.#recipes.spaceFor(recipe, dimension, writtenMs)
    return { clipId, recipe: recipe.digest, embedder: recipe.embedderDigest, spaceId }
  }

  #isForgotten(clipId: string): boolean {
    return isForgotten(this.#archive.database, clipId)
  }
}

/**
 * The reason for the dead letter of a message that caused an error, so that it does not block later messages.
 * Errors of the archive itself, for example a full disk, are thrown.
 */
function refusalFor(thrown: unknown): CameoError {
  if (thrown instanceof CameoError) return thrown
  if (archiveError('', thrown) !== undefined) throw thrown
  return new CameoError('MESSAGE_FAILED', `this should not have happened: ${messageOf(thrown)}`, {
    cause: thrown,
  })
}

/** The store requires an explicit unknown duration. */
const factsOf = ({ facts }: WirePlan) => ({ ...facts, durationS: facts.durationS })
