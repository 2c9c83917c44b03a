import { readHeadFile } from '../../pipeline/describe/head/head-file.js'
import { startThreads, type PoolOptions, type ThreadPool } from './thread-pool.js'

/** Keeps the threads of the last ingest, with their models, for the next one. */
export class KeptThreads {
  readonly #startThreads: typeof startThreads
  #kept: { readonly key: string; readonly pool: ThreadPool } | undefined

  constructor(start: typeof startThreads = startThreads) {
    this.#startThreads = start
  }

  /**
   * Same as `startThreads`, but the pool does not stop the threads. They serve the next call with the same
   * options.
   */
  readonly start = async (options: PoolOptions): Promise<ThreadPool> => {
    const key = await keyOf(options)
    if (this.#kept?.key !== key) {
      await this.close()
      this.#kept = { key, pool: await this.#startThreads(options) }
    }
    return { ...this.#kept.pool, stop: () => Promise.resolve() }
  }

  async close(): Promise<void> {
    const kept = this.#kept
    this.#kept = undefined
    await kept?.pool.stop()
  }
}

/** The key includes the content of the head, because the file under its name can change. */
async function keyOf({ setup, threads }: PoolOptions): Promise<string> {
  const head = setup.headFile === undefined ? undefined : await readHeadFile(setup.headFile)
  return JSON.stringify([setup, threads, head?.sha256])
}
