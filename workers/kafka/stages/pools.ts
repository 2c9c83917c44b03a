import { CameoError } from '../../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import {
  noEncoders,
  type ContextFile,
  type EmbedderFile,
  type ExtraEncoders,
} from '../../../pipeline/models/packs/encoder-file.js'
import type { Pack } from '../../../pipeline/models/packs/pack.js'
import type { Provider } from '../../../pipeline/models/session.js'
import { createRecipe, featuresOf } from '../../../pipeline/recipe/recipe.js'
import type { SegmentThread } from '../../threads/segment-handle.js'
import { startThreads, type ThreadPool } from '../../threads/thread-pool.js'
import type { WireRecipe } from '../messages/schemas.js'

export interface PoolsOptions {
  readonly threads: number
  readonly device: DeviceChoice
  readonly modelsDir: string
  /** Finds a pack and fetches what is missing of it. */
  readonly loadPack: (name: string) => Promise<Pack>
  /** Further embedders and context encoders that jobs may ask for. */
  readonly encoders: ExtraEncoders
  readonly onNotice: (text: string) => void
  /** As `ThreadSetup` says. */
  readonly checkpointEveryS?: number | undefined
}

export interface BorrowedWorker {
  readonly worker: SegmentThread
  readonly pack: Pack
  /** What runs the models. */
  readonly provider: Provider
  release(): void
}

interface LoadedPool {
  readonly pool: ThreadPool
  readonly pack: Pack
  /** Work under way on each of the pool's workers. */
  readonly loads: Map<SegmentThread, number>
}

interface CurrentPool {
  readonly digest: string
  readonly loading: Promise<LoadedPool>
  users: number
}

/**
 * The threads of a faces worker, with the models and settings that the jobs ask for. One recipe is loaded at a time; jobs
 * of another wait until those under way are done.
 */
export interface Pools {
  /** The least busy thread of the recipe's pool. Throws RECIPE_MISMATCH, and as `startThreads` and `loadPack` do. */
  borrow(recipe: WireRecipe): Promise<BorrowedWorker>
  stop(): Promise<void>
}

export function createPools(options: PoolsOptions): Pools {
  let current: CurrentPool | undefined
  let wake: () => void = () => undefined
  let changed = new Promise<void>((resolve) => (wake = resolve))

  function notify(): void {
    wake()
    changed = new Promise<void>((resolve) => (wake = resolve))
  }

  async function load(recipe: WireRecipe, previous: CurrentPool | undefined): Promise<LoadedPool> {
    await previous?.loading.then(
      ({ pool }) => pool.stop(),
      () => undefined,
    )
    const pack = await options.loadPack(recipe.packName)
    const encoders = encodersFor(recipe, options.encoders)
    const own = createRecipe(pack, recipe.settings, recipe.headSha256, encoders)
    if (own.digest !== recipe.digest)
      throw new CameoError(
        'RECIPE_MISMATCH',
        `the job asks for the recipe ${recipe.digest.slice(0, 12)}, which this worker's version of Cameo or of the pack ${recipe.packName} does not give (${own.digest.slice(0, 12)}): use the same versions where clips are submitted and processed`,
      )
    const { device, modelsDir, threads, onNotice, checkpointEveryS } = options
    // Descriptors are made by the describe stage, which has the head.
    const setup = {
      ...{ pack, modelsDir, settings: recipe.settings, device, headFile: undefined, encoders },
      checkpointEveryS,
    }
    const pool = await startThreads({ setup, threads, onNotice })
    return { pool, pack, loads: new Map(pool.threads.map((thread) => [thread, 0])) }
  }

  async function acquire(recipe: WireRecipe): Promise<CurrentPool> {
    while (current?.digest !== recipe.digest) {
      if (current !== undefined && current.users > 0) await changed
      else {
        const loading = load(recipe, current)
        loading.catch(() => undefined)
        current = { digest: recipe.digest, loading, users: 0 }
      }
    }
    current.users++
    return current
  }

  function leave(entry: CurrentPool): void {
    entry.users--
    notify()
  }

  return {
    async borrow(recipe) {
      const entry = await acquire(recipe)
      try {
        const { loads, pack, pool } = await entry.loading
        const [[worker, load] = []] = [...loads].sort(([, a], [, b]) => a - b)
        if (worker === undefined || load === undefined) throw new Error('a pool has at least one worker')
        loads.set(worker, load + 1)
        return {
          worker,
          pack,
          provider: pool.provider,
          release() {
            loads.set(worker, (loads.get(worker) ?? 1) - 1)
            leave(entry)
          },
        }
      } catch (error) {
        // Not kept: what was missing may be there the next time.
        if (current === entry) current = undefined
        leave(entry)
        throw error
      }
    },
    async stop() {
      await current?.loading.then(
        ({ pool }) => pool.stop(),
        () => undefined,
      )
    },
  }
}

/** Those of this worker's encoders that a job asks for. Throws RECIPE_MISMATCH where one is missing. */
function encodersFor({ features = [], settings }: WireRecipe, own: ExtraEncoders): ExtraEncoders {
  const made = new Map(
    [...own.embedders.map(asEmbedder), ...own.contexts.map(asContext)].flatMap((encoder) =>
      featuresOf(encoder, settings).map(({ digest }) => [digest, encoder] as const),
    ),
  )
  const wanted = features.map(({ kind, name, digest }) => {
    const encoder = made.get(digest)
    if (encoder !== undefined) return encoder
    const option = kind === 'embedder' ? '--embedder' : '--context'
    const has = [...own.embedders, ...own.contexts].map((spec) => spec.name).join(', ')
    throw new CameoError(
      'RECIPE_MISMATCH',
      `the clip was submitted with ${option} ${name} (${digest.slice(0, 12)}), this worker has ${has === '' ? 'no further encoders' : `${has}, and none of that digest`}: start "cameo worker faces ${option} FILE" with the same file, then "cameo dead-letters retry"`,
    )
  })
  return {
    embedders: wanted.flatMap(({ embedders }) => embedders),
    contexts: wanted.flatMap(({ contexts }) => contexts),
  }
}

const asEmbedder = (spec: EmbedderFile): ExtraEncoders => ({ ...noEncoders, embedders: [spec] })
const asContext = (spec: ContextFile): ExtraEncoders => ({ ...noEncoders, contexts: [spec] })
