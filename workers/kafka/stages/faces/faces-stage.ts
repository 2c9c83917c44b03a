import type { Recipe } from '../../../../pipeline/recipe/recipe.js'
import type { ClipAccess } from '../../../remote-clips/clip-access.js'
import type { CheckpointFolder } from '../../../checkpoints/checkpoint-folder.js'
import { startFacesWorker } from './faces-worker.js'
import { loadPool, type LoadPoolOptions } from './load-pool.js'
import { RecipePools } from './recipe-pools.js'
import type { StageWorker, WorkerContext } from '../shared/stage-worker.js'

export interface FacesStageOptions extends Omit<LoadPoolOptions, 'onNotice'> {
  readonly access: ClipAccess
  /** Loaded at the start; most clips are submitted with it. */
  readonly usual: Recipe
  readonly maxDeaths: number
  readonly openCheckpoints?: (onTrouble: (text: string) => void) => CheckpointFolder
  readonly onFatal: (error: unknown) => void
}

/** The faces worker with its threads. Throws DEVICE_UNAVAILABLE and errors of loading the models. */
export async function createFacesStage(
  context: WorkerContext,
  { access, usual, maxDeaths, openCheckpoints, onFatal, ...options }: FacesStageOptions,
): Promise<StageWorker> {
  const { log, metrics } = context
  const onNotice = (text: string) => log.info(text)
  const pools = new RecipePools((recipe) => loadPool(recipe, { ...options, onNotice }))
  const loaded = await pools.borrow(usual)
  loaded.release()
  const { pack, provider } = loaded
  metrics.setInfo({ pack: pack.name, provider, threads: `${options.threads}`, recipe: usual.digest })
  log.info({ pack: pack.name, provider, threads: options.threads }, 'models loaded')
  const worker = await startFacesWorker({
    ...{ context, pools, access, maxDeaths, onFatal },
    threads: options.threads,
    checkpoints: openCheckpoints?.((text) => log.warn(text)),
  })
  return {
    groupId: worker.groupId,
    get isHealthy() {
      return worker.isHealthy
    },
    async stop(drainMs) {
      await worker.stop(drainMs)
      await pools.stop()
    },
  }
}
