import type { CheckpointFolder, CheckpointKey } from '../../../checkpoints/checkpoint-folder.js'
import type { SegmentRequest } from '../../../threads/thread-messages.js'
import type { Received } from '../../broker/received.js'
import type { CheckpointUpdate } from '../../../../pipeline/segments/segment-checkpoint.js'

/** A unique name of the job: topics that are created again count offsets from 0 again. */
export const jobName = ({
  partition,
  offset,
  timestamp = '',
}: Pick<Received, 'partition' | 'offset' | 'timestamp'>) => `${partition}/${offset}/${timestamp}`

/**
 * The request, with the checkpoint of its first segment. If the clip cannot be cut, one job processes the
 * whole clip. It skips the segments that it published before: a checkpoint of a later segment shows that.
 */
export function resumedRequest(
  request: SegmentRequest,
  folder: CheckpointFolder | undefined,
  key: CheckpointKey,
  job: string,
): SegmentRequest {
  const found = folder?.read(key) ?? []
  if (request.kind === 'segments') {
    const [first] = request.segments
    return { ...request, resume: found.find(({ segment }) => segment === first?.index) }
  }
  const own = found.filter((checkpoint) => checkpoint.job === job).at(-1)
  const resume = own ?? found.find(({ segment }) => segment === 0)
  return { ...request, resume, from: own?.segment ?? 0 }
}

/**
 * Stores the checkpoints of a job's segments. Each one is stored after everything published before it is
 * durable.
 */
export class JobCheckpoints {
  readonly #folder: CheckpointFolder | undefined
  readonly #key: CheckpointKey
  readonly #job: string
  readonly #done: number[] = []
  #saving = Promise.resolve()

  constructor(folder: CheckpointFolder | undefined, key: CheckpointKey, job: string) {
    this.#folder = folder
    this.#key = key
    this.#job = job
  }

  /** @param sent what was published so far */
  save(update: CheckpointUpdate, sent: readonly Promise<void>[]): void {
    const durable = Promise.all(sent)
    const done = [...this.#done]
    this.#saving = this.#saving
      .then(() => durable)
      .then(() => {
        this.#folder?.write(this.#key, this.#job, update)
        this.#drop(done)
      })
      // A failed send is repeated, and this checkpoint with it.
      .catch(() => undefined)
  }

  finished(segment: number): void {
    this.#done.push(segment)
  }

  /** Resolves when all checkpoints are written. */
  settled(): Promise<void> {
    return this.#saving
  }

  /** Everything published is durable. */
  async close(): Promise<void> {
    await this.#saving
    const earlier = this.#folder?.read(this.#key).filter(({ job }) => job === this.#job) ?? []
    this.#drop([...this.#done, ...earlier.map(({ segment }) => segment)])
  }

  #drop(segments: readonly number[]): void {
    for (const segment of segments) this.#folder?.drop(this.#key, segment)
  }
}
