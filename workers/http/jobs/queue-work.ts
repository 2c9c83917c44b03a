import { openArchive } from '../../../index/archive/open-archive.js'
import type { ArchiveRecipe } from '../../../index/store/meta.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { findClips } from '../../ingest/find-clips.js'
import type { KafkaConnection } from '../../kafka/broker/connection.js'
import { submitClips, type SubmitClipsOptions } from '../../kafka/submit/submit-clips.js'
import { wireRecipeOf } from '../../kafka/submit/wire-recipe.js'
import { EventWatcher } from '../../library/clip-events.js'
import type { Logger } from '../../service/log.js'
import type { AllowedIngest } from './ingest-paths.js'
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
  (queue: ClipQueue, { paths, within }: AllowedIngest): JobOrder['work'] =>
  async (signal, tell) => {
    const { connection, log, pack } = queue
    const clips = new EventWatcher(tell)
    const own = ownRecipe(queue.archive)
    const recipe = await wireRecipeOf(own === undefined && pack !== undefined ? { pack } : {}, own)
    await submitClips(findClips(paths, { within }), {
      ...{ connection, log, recipe, signal, events: eventsOf(clips, log) },
      ...{ again: false, wait: true },
    })
    const status = signal.aborted ? 'interrupted' : 'done'
    const { failed = 0, partial = 0 } = clips.counts
    return {
      isInterrupted: signal.aborted,
      result: { status, failed: failed + partial, results: clips.counts },
    }
  }

/** Events of a submission, as those of an ingest. */
const eventsOf = (clips: EventWatcher, log: Logger): SubmitClipsOptions['events'] => ({
  onFound: clips.onFound,
  onAllFound: clips.onAllFound,
  onSubmitted: () => undefined,
  onResult({ status, ...result }, looked) {
    if (status === 'queued') return
    if (looked?.durationS !== undefined) clips.onMeasured(result.path, looked.durationS)
    clips.onResult({ ...result, status })
  },
  onBrokerAway: () => log.warn('the broker does not take messages at the moment: waiting for it'),
  onBrokerBack: () => log.info('the broker takes messages again'),
  onResubmitted: (number) =>
    log.warn({ clips: number }, 'clips were not in the queue any more and were submitted again'),
  onGivenUp: () => log.error('clips were lost again and again; see the dead letters'),
})

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
