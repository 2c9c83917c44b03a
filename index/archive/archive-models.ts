import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { createDescriber, type Describer } from '../../pipeline/describe/describe-track.js'
import {
  checkHead,
  loadDescriberHead,
  readHeadFile,
  type HeadFile,
} from '../../pipeline/describe/head/head-file.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { modelLoader } from '../../pipeline/models/model-loader.js'
import type { Model } from '../../pipeline/models/session.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import type { EmbedderFile } from '../../pipeline/models/packs/encoder-file.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { createRecipe, settingsSchema } from '../../pipeline/recipe/recipe.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import type { ArchiveRecipe } from '../store/meta.js'
import { chooseEncoders } from './choose-recipe.js'
import type { FilledArchive } from './open-archive.js'

export interface ArchiveModelsOptions {
  readonly device: DeviceChoice
  /**
   * Which of the archive's further embedders run on a photo: the ones that its head needs, or `all`, for faces that
   * are stored. Default: needed.
   */
  readonly embedders?: 'needed' | 'all'
}

/** Embedders of an archive in addition to the one in its pack. */
export const furtherEmbeddersOf = ({ features = [] }: ArchiveRecipe) =>
  features.filter(({ kind }) => kind === 'embedder')

/** The models of an archive. Each is loaded once, when it is first needed. */
export class ArchiveModels {
  /** Not verified before `stages`. */
  readonly pack: Pack
  readonly #dir: string
  readonly #recipe: ArchiveRecipe
  readonly #caller: Caller
  readonly #options: ArchiveModelsOptions
  #head: Promise<HeadFile | undefined> | undefined
  #stages: Promise<Stages> | undefined
  #describer: Promise<Describer> | undefined
  /** Model of the describer, if it was needed before the stages. */
  #headModel: Model | undefined

  /** @throws PACK_UNKNOWN, PACK_INVALID */
  constructor({ archive, recipe }: FilledArchive, options: ArchiveModelsOptions, caller: Caller) {
    this.#dir = archive.dir
    this.pack = findPack(recipe.packName)
    this.#recipe = recipe
    this.#options = options
    this.#caller = caller
  }

  /**
   * The stages that compute embeddings of photos and clips.
   * @throws ARCHIVE_OTHER_RECIPE if the files have changed; and the errors of `loadStages`
   */
  stages(): Promise<Stages> {
    return (this.#stages ??= this.#loadStages().catch((error: unknown) => {
      // The next call tries again.
      this.#stages = undefined
      throw error
    }))
  }

  /** Computes descriptors from embeddings. Without a head, it needs no model. */
  describer(): Promise<Describer> {
    if (this.#describer === undefined && this.#stages !== undefined)
      return this.#stages.then(({ describer }) => describer)
    return (this.#describer ??= this.#loadDescriber().catch((error: unknown) => {
      this.#describer = undefined
      throw error
    }))
  }

  async dispose(): Promise<void> {
    const stages = await this.#stages?.catch(() => undefined)
    await stages?.dispose()
    await this.#describer?.catch(() => undefined)
    await this.#headModel?.dispose()
  }

  async #loadStages(): Promise<Stages> {
    const recipe = this.#recipe
    const pack = await this.#caller.ensurePack(recipe.packName)
    const head = await this.#ownHead()
    // A head over several embedders needs the embeddings of all of them.
    const isNeeded = (head?.metadata?.embedders.length ?? 1) > 1
    const embedders = isNeeded || this.#options.embedders === 'all' ? await this.#ownEmbedders(isNeeded) : []
    const encoders = { embedders, contexts: [] }
    const now = createRecipe(pack, recipe.settings, head?.sha256, encoders)
    if (now.spaceDigest !== recipe.spaceDigest)
      throw new CameoError(
        'ARCHIVE_OTHER_RECIPE',
        `the archive was made with another version of the models ${recipe.packName}: process its clips again, or use the Cameo that made it`,
        { details: { remedy: 'reprocess', archive: this.#dir, differs: 'version' } },
      )
    return loadStages({
      ...{ pack, encoders, modelsDir: this.#caller.modelsDir, device: this.#options.device },
      // Mirror images are only for training.
      settings: settingsSchema.parse({ ...recipe.settings, keepMirrored: undefined }),
      headFile: head?.path,
      describer: await this.#describer,
      intraOpThreads: 0,
    })
  }

  async #loadDescriber(): Promise<Describer> {
    const file = await this.#ownHead()
    const { dimension } = this.pack.embedder
    if (file !== undefined) checkHead(file, this.#recipe)
    const head =
      file === undefined
        ? undefined
        : await loadDescriberHead(file, dimension, modelLoader({ device: this.#options.device }))
    this.#headModel = head?.model
    return createDescriber({ digest: this.#recipe.embedderDigest, dimension }, head)
  }

  #ownHead(): Promise<HeadFile | undefined> {
    const { headFile } = this.#recipe
    if (headFile === undefined) return Promise.resolve(undefined)
    return (this.#head ??= readHeadFile(headFile).catch((error: unknown) => {
      this.#head = undefined
      throw error
    }))
  }

  async #ownEmbedders(areNeeded: boolean): Promise<readonly EmbedderFile[]> {
    try {
      const { embedders } = await chooseEncoders({ context: [] }, this.#recipe)
      return embedders
    } catch (error) {
      if (areNeeded || !(error instanceof CameoError)) throw error
      this.#caller.notify(
        `${messageOf(error)}; continuing without the archive's further embedders`,
        error.details,
      )
      return []
    }
  }
}

/** Gives `work` the models of an archive, and releases them after it. */
export async function withModels<T>(
  opened: FilledArchive,
  options: ArchiveModelsOptions,
  caller: Caller,
  work: (models: ArchiveModels) => Promise<T>,
): Promise<T> {
  const models = new ArchiveModels(opened, options, caller)
  try {
    return await work(models)
  } finally {
    await models.dispose()
  }
}
