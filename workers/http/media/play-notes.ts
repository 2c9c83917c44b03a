import type { RequestActor } from '../../../index/access/request-actor.js'
import type { AuditAppender } from '../audit/audit-writer.js'
import { clipSubject, subjectEntry } from '../audit/use-entries.js'
import { BoundedMap } from './bounded-map.js'

/** Players ask for a file in many parts; these belong to one look at the clip. */
const sameLookMs = 15 * 60_000

/** Writes to the audit log who plays which clip. */
export class PlayNotes {
  readonly #audit: AuditAppender
  readonly #now: () => number
  /** When somebody last began to play a clip, ms. */
  readonly #begun = new BoundedMap<number>(10_000)

  constructor(audit: AuditAppender, now: () => number = () => Date.now()) {
    this.#audit = audit
    this.#now = now
  }

  /** Somebody begins to play a clip. Nobody sees a clip if this fails. */
  async begin(actor: RequestActor, clipId: string): Promise<void> {
    await this.#audit.append(subjectEntry(actor, 'play', clipSubject(clipId)))
    this.#begun.set(keyOf(actor, clipId), this.#now())
  }

  /** Somebody reads bytes of a clip. It is written only if this person did not begin to play the clip a short time ago. */
  async goOn(actor: RequestActor, clipId: string): Promise<void> {
    const begun = this.#begun.get(keyOf(actor, clipId))
    if (begun === undefined || this.#now() - begun > sameLookMs) await this.begin(actor, clipId)
  }
}

const keyOf = ({ kind, id }: RequestActor, clipId: string) => `${kind} ${id} ${clipId}`
