import { CameoError } from '../../../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../../../pipeline/models/device.js'
import {
  noEncoders,
  type ContextFile,
  type EmbedderFile,
  type ExtraEncoders,
} from '../../../../pipeline/models/packs/encoder-file.js'
import type { Pack } from '../../../../pipeline/models/packs/pack.js'
import { createRecipe, featuresOf } from '../../../../pipeline/recipe/recipe.js'
import { startThreads } from '../../../threads/thread-pool.js'
import type { WireRecipe } from '../../messages/schemas.js'
import type { LoadedPool } from './recipe-pools.js'

export interface LoadPoolOptions {
  readonly threads: number
  readonly device: DeviceChoice
  readonly modelsDir: string
  /** Finds a pack and downloads its missing files. */
  readonly loadPack: (name: string) => Promise<Pack>
  /** Further embedders and context encoders that jobs may request. */
  readonly encoders: ExtraEncoders
  readonly onNotice: (text: string) => void
  /** See `ThreadSetup`. */
  readonly checkpointEveryS?: number | undefined
}

/**
 * Threads with the models of a recipe. Throws RECIPE_MISMATCH, and errors of `startThreads` and `loadPack`.
 */
export async function loadPool(recipe: WireRecipe, options: LoadPoolOptions): Promise<LoadedPool> {
  const pack = await options.loadPack(recipe.packName)
  const encoders = encodersFor(recipe, options.encoders)
  const own = createRecipe(pack, recipe.settings, recipe.headSha256, encoders)
  if (own.digest !== recipe.digest)
    throw new CameoError(
      'RECIPE_MISMATCH',
      `the job asks for the recipe ${recipe.digest.slice(0, 12)}, which this worker's version of Cameo or of the pack ${recipe.packName} does not produce (${own.digest.slice(0, 12)}): use the same versions where clips are submitted and processed`,
    )
  const { device, modelsDir, threads, onNotice, checkpointEveryS } = options
  // The describe stage makes the descriptors, and has the head.
  const setup = {
    ...{ pack, modelsDir, settings: recipe.settings, device, headFile: undefined, encoders },
    checkpointEveryS,
  }
  return { pool: await startThreads({ setup, threads, onNotice }), pack }
}

/** This worker's encoders that a job requests. Throws RECIPE_MISMATCH if one is missing. */
function encodersFor({ features = [], settings }: WireRecipe, own: ExtraEncoders): ExtraEncoders {
  const made = new Map(
    [...own.embedders.map(asEmbedder), ...own.contexts.map(asContext)].flatMap((encoder) =>
      featuresOf(encoder, settings).map(({ digest }) => [digest, encoder] as const),
    ),
  )
  const wanted = features.map(({ kind, name, digest }) => {
    const encoder = made.get(digest)
    if (encoder !== undefined) return encoder
    const what = kind === 'embedder' ? 'embedder' : 'context encoder'
    const has = [...own.embedders, ...own.contexts].map((spec) => spec.name).join(', ')
    throw new CameoError(
      'RECIPE_MISMATCH',
      `the clip was submitted with the ${what} ${name} (${digest.slice(0, 12)}), this worker has ${has === '' ? 'no further encoders' : `${has}, and none of that digest`}; start the faces worker with the same file, then send the message again`,
      { details: { remedy: 'use-same-encoder', kind, name, digest } },
    )
  })
  return {
    embedders: wanted.flatMap(({ embedders }) => embedders),
    contexts: wanted.flatMap(({ contexts }) => contexts),
  }
}

const asEmbedder = (spec: EmbedderFile): ExtraEncoders => ({ ...noEncoders, embedders: [spec] })
const asContext = (spec: ContextFile): ExtraEncoders => ({ ...noEncoders, contexts: [spec] })
