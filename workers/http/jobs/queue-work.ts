import { openArchive } from '../../../index/archive/open-archive.js'
import type { ArchiveRecipe } from '../../../index/store/meta.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { findClips } from '../../ingest/find-clips.js'
import { brokerError, isBrokerError } from '../../kafka/broker/client.js'
import type { KafkaConnection } from '../../kafka/broker/connection.js'
import { submitClips, type SubmitClipsOptions } from '../../kafka/submit/submit-clips.js'
import { wireRecipeOf } from '../../kafka/submit/wire-recipe.js'
import { EventWatcher } from '../../library/clip-events.js'
import type { Logger } from '../../service/log.js'
import type { JobOrder } from './job-desk.js'

/** Where workers take their jobs from. */
export interface ClipQueue {
  /** Folder of the archive that the index worker writes to. */
  readonly archive: string
  readonly connection: KafkaConnection
  readonly log: Logger
  /** Models of an archive without clips. */
  readonly pack: string | undefined
}

/** Puts clips into the queue, and waits until workers have indexed them. When it is stopped, clips stay in the queue. */
export const queueWork =
  (queue: ClipQueue, paths: readonly string[]): JobOrder['work'] =>
  async (signal, tell) => {
    const { connection, log, pack } = queue
    const watcher = new QueueWatcher(new EventWatcher(tell), log)
    const own = ownRecipe(queue.archive)
    const recipe = await wireRecipeOf(own === undefined && pack !== undefined ? { pack } : {}, own)
    try {
      await submitClips(findClips([...paths]), {
        ...{ connection, log, recipe, signal, events: watcher },
        ...{ again: false, wait: true },
      })
    } catch (error) {
      throw isBrokerError(error) ? brokerError(connection, error) : error
    }
    const status = signal.aborted ? 'interrupted' : 'done'
    return {
      isInterrupted: signal.aborted,
      result: { status, failed: watcher.failed, results: watcher.counts },
    }
  }

/** Events of a submission, as those of an ingest. */
class QueueWatcher implements Pick<EventWatcher, 'counts'> {
  readonly #clips: EventWatcher
  readonly #log: Logger

  constructor(clips: EventWatcher, log: Logger) {
    this.#clips = clips
    this.#log = log
  }

  get counts() {
    return this.#clips.counts
  }

  get failed(): number {
    const { failed = 0, partial = 0 } = this.counts
    return failed + partial
  }

  readonly onFound: Events['onFound'] = (file) => this.#clips.onFound(file)

  readonly onAllFound = () => this.#clips.onAllFound()

  readonly onSubmitted = () => undefined

  readonly onResult: Events['onResult'] = ({ status, ...result }, looked) => {
    if (status === 'queued') return
    if (looked?.durationS !== undefined) this.#clips.onMeasured(result.path, looked.durationS)
    this.#clips.onResult({ ...result, status })
  }

  readonly onBrokerAway = () =>
    this.#log.warn('the broker does not take messages at the moment: waiting for it')

  readonly onBrokerBack = () => this.#log.info('the broker takes messages again')

  readonly onResubmitted: Events['onResubmitted'] = (clips) =>
    this.#log.warn({ clips }, 'clips were not in the queue any more and were submitted again')

  readonly onGivenUp = () => this.#log.error('clips were lost again and again; see the dead letters')
}

type Events = SubmitClipsOptions['events']

/** Undefined before the first clip. */
function ownRecipe(archiveDir: string): ArchiveRecipe | undefined {
  try {
    const archive = openArchive(archiveDir)
    try {
      return archive.recipe
    } finally {
      archive.close()
    }
  } catch (error) {
    if (error instanceof CameoError && error.code === 'ARCHIVE_MISSING') return undefined
    throw error
  }
}
