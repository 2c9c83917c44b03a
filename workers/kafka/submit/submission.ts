import { Deferred } from '../../../pipeline/common/deferred.js'
import type { FoundFile } from '../../ingest/find-clips.js'
import type { KafkaMessage, Publisher } from '../broker/client.js'
import type { OutMessage } from '../broker/out-messages.js'
import type { KafkaConnection } from '../broker/connection.js'
import { topicName } from '../broker/topics.js'
import {
  encodeMessage,
  jobKey,
  versionFor,
  wireVersion,
  type StatusMessage,
  type WireRecipe,
} from '../messages/schemas.js'
import { statusKey } from '../stages/index/status.js'
import { needOf, sourceOf, type Clip } from './clip-need.js'
import { ClipStatuses } from './clip-statuses.js'
import { lookedAt, resultOf, type SubmitEvents } from './submit-events.js'

export interface SubmissionOptions {
  readonly connection: KafkaConnection
  readonly publisher: Publisher
  readonly recipe: WireRecipe
  /** Include clips that are already queued or were finished before. */
  readonly again: boolean
  readonly wait: boolean
  readonly events: SubmitEvents
  readonly signal: AbortSignal
}

/** Number of jobs published in one request. */
const batchSize = 200

/**
 * Publishes a job for each clip, and reports the results. A clip that is finished with this recipe is
 * submitted again only if its file changed. A queued clip is waited for.
 */
export class Submission {
  readonly #options: SubmissionOptions
  readonly #statuses: ClipStatuses
  readonly #waiting = new Map<string, Clip>()
  readonly #finished = new Deferred<void>()
  #isSubmitting = true

  constructor(options: SubmissionOptions) {
    this.#options = options
    this.#statuses = new ClipStatuses(options.recipe.digest)
  }

  /** Number of results still waited for. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Resolves when every clip has its result. */
  get finished(): Promise<void> {
    return this.#finished.promise
  }

  /** Call it with every message of the status topic, from its beginning. */
  onStatus(message: KafkaMessage): void {
    const status = this.#statuses.learn(message)
    if (status === undefined) return
    if (status.state !== 'queued' && this.#waiting.delete(status.uri)) this.#tell(status, false)
    this.#finishIfDone()
  }

  /** Publishes jobs for the clips that need one. Call it after the status topic was read to its end. */
  async submit(files: AsyncIterable<FoundFile>): Promise<void> {
    const { events, signal } = this.#options
    let batch: Clip[] = []
    for await (const file of files) {
      if (signal.aborted) break
      events.onFound(file)
      const clip = await this.#clipToPublish(file)
      if (clip !== undefined) batch.push(clip)
      if (batch.length >= batchSize) {
        await this.#publish(batch)
        batch = []
      }
    }
    events.onAllFound()
    await this.#publish(batch)
    this.#isSubmitting = false
    this.#finishIfDone()
  }

  /**
   * Publishes the jobs of the awaited clips again. Call it when the queue is empty but results are missing.
   */
  async resubmitWaiting(): Promise<number> {
    const clips = [...this.#waiting.values()]
    await this.#publish(clips)
    return clips.length
  }

  /** Reports the awaited clips as failed: the workers have nothing left to do and sent no result. */
  giveUpWaiting(): void {
    for (const { uri } of this.#waiting.values())
      this.#options.events.onResult({
        ...{ path: uri, status: 'failed', code: 'RESULT_MISSING' },
        message:
          'workers have finished their queues and reported no result for this clip; messages they could not read are among the dead letters',
      })
    this.#waiting.clear()
    this.#finishIfDone()
  }

  #finishIfDone(): void {
    if (!this.#isSubmitting && this.#waiting.size === 0) this.#finished.resolve()
  }

  #tell(status: StatusMessage, isOld: boolean): void {
    this.#options.events.onResult(resultOf(status, isOld), lookedAt(status))
  }

  /** Undefined if the file needs no job. Its result is then reported or waited for. */
  async #clipToPublish(file: FoundFile): Promise<Clip | undefined> {
    const { events, again, wait } = this.#options
    if (file.kind === 'skipped') {
      events.onResult({ path: file.path, status: 'skipped' })
      return undefined
    }
    if (file.kind === 'failed') {
      const { code, message } = file.error
      events.onResult({ path: file.path, status: 'failed', code, message })
      return undefined
    }
    const clip = { uri: file.path, root: file.folder }
    const status = this.#statuses.of(clip.uri)
    const need = again ? 'publish' : await needOf(clip, status, (renewed) => this.#renew(renewed))
    if (need === 'publish') return clip
    if (need === 'nothing' && status !== undefined) this.#tell(status, true)
    else if (wait) this.#waiting.set(clip.uri, clip)
    else events.onResult({ path: clip.uri, status: 'queued' })
    return undefined
  }

  async #publish(clips: readonly Clip[]): Promise<void> {
    if (clips.length === 0) return
    const { publisher, events, wait } = this.#options
    const at = new Date().toISOString()
    const jobs = clips.map((clip) => this.#jobOf(clip))
    const queued = clips.map((clip) => this.#queuedStatusOf(clip, at))
    for (const clip of clips) {
      this.#statuses.forget(clip.uri)
      if (wait) this.#waiting.set(clip.uri, clip)
    }
    // Statuses go before the jobs: otherwise they could arrive after the results. A process killed between
    // the two leaves clips queued without a job; `resubmitWaiting` handles them.
    await publisher.send(queued)
    await publisher.send(jobs)
    events.onSubmitted(clips.length)
    if (!wait) for (const { uri } of clips) events.onResult({ path: uri, status: 'queued' })
  }

  /** Stores the new time, so that a file with the same content is read only once. */
  async #renew(status: StatusMessage): Promise<void> {
    this.#statuses.set(status)
    await this.#options.publisher.send([this.#statusMessage(status)])
  }

  #jobOf({ uri, root }: Clip): OutMessage {
    const { connection, recipe } = this.#options
    return {
      topic: topicName(connection, 'jobs'),
      key: jobKey(uri, 0),
      value: encodeMessage({ v: versionFor(recipe), kind: 'clip', recipe, source: sourceOf({ uri, root }) }),
    }
  }

  #queuedStatusOf({ uri }: Clip, at: string): OutMessage {
    const recipe = this.#options.recipe.digest
    return this.#statusMessage({ v: wireVersion, kind: 'status', uri, recipe, state: 'queued', at })
  }

  #statusMessage(status: StatusMessage): OutMessage {
    const { connection, recipe } = this.#options
    const key = statusKey(recipe.digest, status.uri)
    return { topic: topicName(connection, 'status'), key, value: encodeMessage(status) }
  }
}
