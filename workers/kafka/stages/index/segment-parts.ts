import type { Inbox } from '../../../../index/store/inbox.js'
import {
  decodeDescriptors,
  encodeMessage,
  type ClosingMessage,
  type DescribedMessage,
} from '../../messages/schemas.js'

/** All messages of one attempt at a segment. */
export interface WholeSegment {
  readonly closing: ClosingMessage
  readonly parts: readonly DescribedMessage[]
}

/** The messages of one attempt at a segment that have arrived so far. */
interface Attempt {
  readonly clipId: string
  readonly segment: number
  readonly attempt: string
  readonly parts: Map<number, DescribedMessage>
  closing: ClosingMessage | undefined
}

/** A job over several segments is one attempt at all of them. Their messages may arrive mixed. */
const attemptKey = ({ clipId, segment, attempt }: Pick<Attempt, 'clipId' | 'segment' | 'attempt'>) =>
  `${clipId}/${segment}/${attempt}`

/** Joins the messages of a batch into segments. Messages of earlier batches are in the inbox. */
export class SegmentParts {
  readonly #inbox: Inbox
  readonly #attempts = new Map<string, Attempt>()

  constructor(inbox: Inbox) {
    this.#inbox = inbox
  }

  /** The segment, if this message is its last one. Messages come in any order, and may come twice. */
  add(message: DescribedMessage | ClosingMessage): WholeSegment | undefined {
    const key = attemptKey(message)
    const attempt = this.#attempts.get(key) ?? this.#start(message)
    if (message.kind === 'described') attempt.parts.set(message.part, message)
    else attempt.closing = message
    const { closing, parts } = attempt
    if (closing === undefined) return undefined
    if (parts.size < closing.parts) this.#takeKept(attempt)
    if (parts.size < closing.parts) return undefined
    this.#attempts.delete(key)
    return { closing, parts: [...parts.values()] }
  }

  /** Stores messages that wait for others in the inbox, except those of forgotten clips. */
  keepRest(isForgotten: (clipId: string) => boolean): void {
    for (const attempt of this.#attempts.values()) if (!isForgotten(attempt.clipId)) this.#keep(attempt)
  }

  #start({ clipId, segment, attempt }: DescribedMessage | ClosingMessage): Attempt {
    const started: Attempt = { clipId, segment, attempt, parts: new Map(), closing: undefined }
    this.#attempts.set(attemptKey(started), started)
    this.#takeKept(started)
    return started
  }

  #takeKept(attempt: Attempt): void {
    for (const { message } of this.#inbox.partsOf(attempt)) {
      const kept = decodeDescriptors(message)
      if (kept.kind === 'described') attempt.parts.set(kept.part, kept)
      if (kept.kind === 'closing') attempt.closing = kept
    }
  }

  #keep({ clipId, segment, attempt, parts, closing }: Attempt): void {
    for (const message of [...parts.values(), ...(closing === undefined ? [] : [closing])])
      this.#inbox.keepPart({
        ...{ clipId, segment, attempt },
        part: message.kind === 'closing' ? -1 : message.part,
        message: encodeMessage(message),
      })
  }
}
