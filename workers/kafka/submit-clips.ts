import { statSync, type BigIntStats } from 'node:fs'
import { isUrl } from '../../index/store/files.js'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { isSameTime } from '../ingest/file-stamp.js'
import { damageOf } from '../ingest/ingest-jobs.js'
import type { FoundFile } from '../ingest/find-clips.js'
import type { KafkaMessage, OutMessage, Publisher } from './broker/client.js'
import type { KafkaConnection } from './broker/connection.js'
import { readStatus, statusKey } from './stages/status.js'
import { topicName } from './broker/topics.js'
import {
  encodeMessage,
  jobKey,
  versionFor,
  wireVersion,
  type ClipSource,
  type StatusMessage,
  type WireRecipe,
} from './messages/schemas.js'

/** What became of a submitted clip. */
export interface SubmitResult {
  readonly path: string
  /** `unchanged`: was indexed before under the same recipe; `queued`: not waited for. */
  readonly status: 'done' | 'unchanged' | 'partial' | 'forgotten' | 'failed' | 'queued' | 'skipped'
  readonly clipId?: string
  readonly tracks?: number
  readonly truncated?: boolean
  /** The file is damaged: so many seconds of it could not be decoded. */
  readonly damaged?: true
  readonly lostS?: number
  readonly leftOut?: readonly string[]
  readonly code?: string
  readonly message?: string
}

/** What was looked at of a clip, as far as its worker told. */
export interface LookedAt {
  readonly durationS?: number | undefined
  readonly frames?: number | undefined
  readonly faces?: number | undefined
}

export interface SubmitEvents {
  onFound(file: FoundFile): void
  onAllFound(): void
  onSubmitted(count: number): void
  onResult(result: SubmitResult, looked?: LookedAt): void
}

export interface Submission {
  /** To be called with every message of the status topic, from its beginning. */
  onStatus(message: KafkaMessage): void
  /** Publishes jobs for the clips that need one; after the status topic was read to its end. */
  submit(files: AsyncIterable<FoundFile>): Promise<void>
  /** Publishes the jobs of clips that are waited for once more: when the queue is empty and they are not in it. */
  resubmitWaiting(): Promise<number>
  /** Tells what is waited for as failed: workers have nothing left to do, and said nothing of it. */
  giveUpWaiting(): void
  /** Results still waited for. */
  readonly waiting: number
  /** Resolves when every clip has its result. */
  readonly finished: Promise<void>
}

export interface SubmissionOptions {
  readonly connection: KafkaConnection
  readonly publisher: Publisher
  readonly recipe: WireRecipe
  /** Also clips that are queued already or were finished before. */
  readonly again: boolean
  readonly wait: boolean
  readonly events: SubmitEvents
  readonly signal: AbortSignal
}

/** Jobs published in one request. */
const batchSize = 200

/**
 * Publishes a job for each clip, and tells what becomes of it. A clip that is finished under the recipe is not submitted
 * again unless its file changed; one that waits in the queue is waited for.
 */
export function createSubmission(options: SubmissionOptions): Submission {
  const { connection, publisher, recipe, events } = options
  /** Newest status of each clip under the recipe. */
  const statuses = new Map<string, StatusMessage>()
  const waiting = new Map<string, Clip>()
  let isSubmitting = true
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => (finish = resolve))

  function finishIfDone(): void {
    if (!isSubmitting && waiting.size === 0) finish()
  }

  function onStatus({ key, value }: KafkaMessage): void {
    if (value === null) {
      // Taken back: the archive was built anew and lacks it.
      const own = statusKey(recipe.digest, '')
      const name = key?.toString() ?? ''
      if (name.startsWith(own)) statuses.delete(name.slice(own.length))
      return
    }
    // To work beside a newer Cameo is the workers' decision.
    const status = readStatus(value)
    if (status?.recipe !== recipe.digest) return
    statuses.set(status.uri, status)
    if (status.state !== 'queued' && waiting.delete(status.uri)) tell(status, false)
    finishIfDone()
  }

  function tell(status: StatusMessage, isOld: boolean): void {
    const { uri, state, clipId, tracks, truncated, lostS, leftOut, failure } = status
    const { durationS, frames, faces } = status
    const result: SubmitResult = {
      path: uri,
      status: state === 'indexed' ? (isOld ? 'unchanged' : 'done') : state,
      ...(clipId === undefined ? {} : { clipId }),
      ...(tracks === undefined ? {} : { tracks }),
      ...(truncated === true ? { truncated } : {}),
      ...damageOf(lostS),
      ...(leftOut === undefined ? {} : { leftOut }),
      ...(failure === undefined ? {} : { code: failure.code, message: failure.message }),
    }
    events.onResult(result, { durationS, frames, faces })
  }

  async function publish(clips: readonly Clip[]): Promise<void> {
    if (clips.length === 0) return
    const at = new Date().toISOString()
    const jobs = clips.map(({ uri, root }): OutMessage => ({
      topic: topicName(connection, 'jobs'),
      key: jobKey(uri, 0),
      value: encodeMessage({ v: versionFor(recipe), kind: 'clip', recipe, source: sourceOf({ uri, root }) }),
    }))
    // Before the jobs, or it could come after what says that they are done. To be killed between the two leaves clips queued
    // without a job: `resubmitWaiting` is for them.
    const queued = clips.map(({ uri }): OutMessage => ({
      topic: topicName(connection, 'status'),
      key: statusKey(recipe.digest, uri),
      value: encodeMessage({
        v: wireVersion,
        kind: 'status',
        uri,
        recipe: recipe.digest,
        state: 'queued',
        at,
      }),
    }))
    for (const clip of clips) {
      statuses.delete(clip.uri)
      if (options.wait) waiting.set(clip.uri, clip)
    }
    await publisher.send(queued)
    await publisher.send(jobs)
    events.onSubmitted(clips.length)
    if (!options.wait) for (const { uri } of clips) events.onResult({ path: uri, status: 'queued' })
  }

  /** So that a file whose node changed but not its content is read once only. */
  async function renew(status: StatusMessage): Promise<void> {
    statuses.set(status.uri, status)
    const key = statusKey(recipe.digest, status.uri)
    await publisher.send([{ topic: topicName(connection, 'status'), key, value: encodeMessage(status) }])
  }

  return {
    finished,
    onStatus,
    get waiting() {
      return waiting.size
    },
    async resubmitWaiting() {
      const clips = [...waiting.values()]
      await publish(clips)
      return clips.length
    },
    giveUpWaiting() {
      for (const { uri } of waiting.values())
        events.onResult({
          ...{ path: uri, status: 'failed', code: 'RESULT_MISSING' },
          message:
            'workers have finished their queues without a word of it: "cameo dead-letters list" shows messages they could not read',
        })
      waiting.clear()
      finishIfDone()
    },
    async submit(files) {
      let batch: Clip[] = []
      for await (const file of files) {
        if (options.signal.aborted) break
        events.onFound(file)
        if (file.kind === 'skipped') events.onResult({ path: file.path, status: 'skipped' })
        else if (file.kind === 'failed') {
          const { code, message } = file.error
          events.onResult({ path: file.path, status: 'failed', code, message })
        } else {
          const clip = { uri: file.path, root: file.folder }
          const status = statuses.get(clip.uri)
          const need = options.again ? 'publish' : await needOf(clip, status, renew)
          if (need === 'publish') batch.push(clip)
          else if (need === 'nothing' && status !== undefined) tell(status, true)
          else if (options.wait) waiting.set(clip.uri, clip)
          else events.onResult({ path: clip.uri, status: 'queued' })
        }
        if (batch.length >= batchSize) {
          await publish(batch)
          batch = []
        }
      }
      events.onAllFound()
      await publish(batch)
      isSubmitting = false
      finishIfDone()
    },
  }
}

interface Clip {
  readonly uri: string
  readonly root: string
}

/** @param renew told what is known of the clip, where its file has another time now and the same content */
async function needOf(
  { uri }: Clip,
  status: StatusMessage | undefined,
  renew: (status: StatusMessage) => Promise<void>,
): Promise<'publish' | 'wait' | 'nothing'> {
  if (status === undefined || status.state === 'failed' || status.state === 'partial') return 'publish'
  if (status.state === 'queued') return 'wait'
  // A URL is taken to stay the same.
  if (status.sizeBytes === undefined || isUrl(uri)) return 'nothing'
  const file = statusOf(uri)
  if (file === undefined || !hasSizeAndTime(file, status)) return 'publish'
  if (isSameNode(file, status)) return 'nothing'
  if (!(await hasContent(uri, status.clipId))) return 'publish'
  await renew({ ...status, ctimeNs: `${file.ctimeNs}` })
  return 'nothing'
}

const statusOf = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false })

const hasSizeAndTime = ({ size, mtimeNs }: BigIntStats, status: StatusMessage): boolean =>
  Number(size) === status.sizeBytes &&
  status.mtimeNs !== undefined &&
  isSameTime(`${mtimeNs}`, status.mtimeNs)

/** An earlier version did not note when the node changed: if that was before the clip was indexed, it has not changed since. */
function isSameNode({ ctimeNs }: BigIntStats, status: StatusMessage): boolean {
  if (status.ctimeNs !== undefined) return isSameTime(`${ctimeNs}`, status.ctimeNs)
  return Number(ctimeNs / 1_000_000n) <= Date.parse(status.at)
}

async function hasContent(path: string, clipId: string | undefined): Promise<boolean> {
  try {
    return (await sha256OfFile(path)) === clipId
  } catch {
    return false // A worker says what is wrong with it.
  }
}

function sourceOf(clip: Clip): ClipSource {
  const ctimeNs = isUrl(clip.uri) ? undefined : statusOf(clip.uri)?.ctimeNs
  return ctimeNs === undefined ? clip : { ...clip, ctimeNs: `${ctimeNs}` }
}
