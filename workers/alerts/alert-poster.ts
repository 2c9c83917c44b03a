import { alertsIn, countWaitingAlerts, setAlertState } from '../../index/store/alerts.js'
import type { Database } from '../../index/store/sqlite.js'
import { counted } from '../../pipeline/common/counted.js'
import { messageOf } from '../../pipeline/common/errors.js'
import { postAlert, PostError, type Webhook } from './webhook.js'

/** The pauses after a server failed. */
const pauseMs = { first: 30_000, longest: 10 * 60_000 }

/** Number of alerts that are read at once. */
const pageLength = 100

/**
 * Posts the alerts of an archive that wait for it, one after the other, and marks them. What the server does not take
 * waits, in the archive, for a later attempt.
 */
export class AlertPoster {
  readonly #database: Database
  readonly #webhook: Webhook
  readonly #notify: (notice: string) => void
  readonly #stop = new AbortController()
  #posting: Promise<void> | undefined
  #again: NodeJS.Timeout | undefined
  #pauseMs = pauseMs.first
  /** Alerts that the server refused. They are tried again by the next process: until then the answer would be the same. */
  readonly #refused = new Set<string>()
  /** The failure that was told. */
  #told: string | undefined

  constructor(database: Database, webhook: Webhook, notify: (notice: string) => void) {
    this.#database = database
    this.#webhook = webhook
    this.#notify = notify
  }

  /** Posts what waits, unless the server failed a short time ago. */
  wake(): void {
    if (this.#again === undefined) void this.post()
  }

  /** Posts what waits now. Resolves when the server has taken all, or does not answer. */
  post(): Promise<void> {
    this.#posting ??= this.#postAll().finally(() => (this.#posting = undefined))
    return this.#posting
  }

  /** Stops at once. What was not posted waits for the next ingest. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('stopped'))
    clearTimeout(this.#again)
    await this.#posting
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  async #postAll(): Promise<void> {
    clearTimeout(this.#again)
    this.#again = undefined
    const refused = this.#refused
    const isNew = ({ clipId, name }: { clipId: string; name: string }) => !refused.has(`${clipId} ${name}`)
    for (;;) {
      const alert = alertsIn(this.#database, 'waiting', pageLength + refused.size).find(isNew)
      if (alert === undefined || this.#isStopped()) return
      try {
        await postAlert(this.#webhook, alert, this.#stop.signal)
        setAlertState(this.#database, alert, 'told')
        this.#noteTaken()
      } catch (error) {
        if (this.#isStopped()) return
        this.#tell(messageOf(error))
        if (!(error instanceof PostError) || !error.isOfAlert) {
          this.#pause()
          return
        }
        refused.add(`${alert.clipId} ${alert.name}`)
      }
    }
  }

  #noteTaken(): void {
    this.#pauseMs = pauseMs.first
    if (this.#told !== undefined) this.#notify(`${this.#webhook.host} takes alerts again`)
    this.#told = undefined
  }

  #tell(failure: string): void {
    if (this.#told === failure) return
    this.#told = failure
    const waiting = counted(countWaitingAlerts(this.#database), 'alert')
    this.#notify(`the alert webhook failed: ${failure}; ${waiting} will be posted later`)
  }

  #pause(): void {
    this.#again = setTimeout(() => void this.post(), this.#pauseMs)
    this.#again.unref()
    this.#pauseMs = Math.min(2 * this.#pauseMs, pauseMs.longest)
  }
}
