import { Deferred } from '../../../../pipeline/common/deferred.js'
import type { Pack } from '../../../../pipeline/models/packs/pack.js'
import type { Provider } from '../../../../pipeline/models/session.js'
import type { SegmentThread } from '../../../threads/segment-handle.js'
import type { ThreadPool } from '../../../threads/thread-pool.js'
import type { WireRecipe } from '../../messages/schemas.js'

export interface BorrowedThread {
  readonly thread: SegmentThread
  readonly pack: Pack
  /** The provider that runs the models. */
  readonly provider: Provider
  release(): void
}

/** The threads of a faces worker, with the models and settings that the jobs request. */
export interface Pools {
  /** The least busy thread of the recipe's pool. Rejects if the pool cannot be loaded. */
  borrow(recipe: WireRecipe): Promise<BorrowedThread>
  stop(): Promise<void>
}

export interface LoadedPool {
  readonly pool: ThreadPool
  readonly pack: Pack
}

interface CurrentPool {
  readonly digest: string
  readonly loading: Promise<LoadedPool>
  /** Number of running jobs on each of the pool's threads. */
  readonly loads: Map<SegmentThread, number>
  users: number
}

/** Keeps one recipe loaded at a time. Jobs of another recipe wait until the running jobs are done. */
export class RecipePools implements Pools {
  readonly #load: (recipe: WireRecipe) => Promise<LoadedPool>
  #current: CurrentPool | undefined
  #changed = new Deferred<void>()

  constructor(load: (recipe: WireRecipe) => Promise<LoadedPool>) {
    this.#load = load
  }

  async borrow(recipe: WireRecipe): Promise<BorrowedThread> {
    const current = await this.#enter(recipe)
    try {
      const { pack, pool } = await current.loading
      const thread = takeLeastBusy(current.loads, pool.threads)
      const release = () => {
        addLoad(current.loads, thread, -1)
        this.#leave(current)
      }
      return { thread, pack, provider: pool.provider, release }
    } catch (error) {
      // Not kept: a missing file may be present at the next attempt.
      if (this.#current === current) this.#current = undefined
      this.#leave(current)
      throw error
    }
  }

  async stop(): Promise<void> {
    await stopPool(this.#current)
  }

  /** Waits for jobs of another recipe. */
  async #enter(recipe: WireRecipe): Promise<CurrentPool> {
    while (this.#current?.digest !== recipe.digest) {
      const previous = this.#current
      if (previous !== undefined && previous.users > 0) await this.#changed.promise
      else {
        const loading = stopPool(previous).then(() => this.#load(recipe))
        loading.catch(() => undefined)
        this.#current = { digest: recipe.digest, loading, loads: new Map(), users: 0 }
      }
    }
    this.#current.users++
    return this.#current
  }

  #leave(pool: CurrentPool): void {
    pool.users--
    this.#changed.resolve()
    this.#changed = new Deferred()
  }
}

async function stopPool(current: CurrentPool | undefined): Promise<void> {
  await current?.loading.then(
    ({ pool }) => pool.stop(),
    () => undefined,
  )
}

function takeLeastBusy(loads: Map<SegmentThread, number>, threads: readonly SegmentThread[]): SegmentThread {
  const [thread] = [...threads].sort((a, b) => (loads.get(a) ?? 0) - (loads.get(b) ?? 0))
  if (thread === undefined) throw new Error('a pool has at least one thread')
  addLoad(loads, thread, 1)
  return thread
}

function addLoad(loads: Map<SegmentThread, number>, thread: SegmentThread, change: number): void {
  loads.set(thread, (loads.get(thread) ?? 0) + change)
}
