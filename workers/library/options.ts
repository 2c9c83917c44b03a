import type { VectorEngines } from '../../index/vectors/vector-engine.js'
import type { ErrorDetails } from '../../pipeline/common/remedies.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import type { Progress } from '../../pipeline/stages/caller.js'

/**
 * What runs the models: `auto` takes the first GPU where the CUDA libraries of ONNX Runtime are installed and a session can be
 * made on it, else the CPU; `cuda:1` is the second GPU.
 */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`

/** How an archive is opened. */
export interface CameoOptions {
  /** Folder of the archive. The first ingest makes it. */
  readonly archive: string
  /**
   * Folder of the model packs, each in a folder of its own name. Default: the environment variable `CAMEO_MODELS`, else a
   * folder of the user's cache.
   */
  readonly models?: string
  /** Default: `auto`. */
  readonly device?: Device
  /**
   * Models of a new archive: a name of the catalog (see `listPacks`), the path of a JSON file (see `Pack`), or several with a plus
   * between them. Default: the archive's own, or `lite`.
   */
  readonly pack?: string
  /**
   * Vector engines of your own, by the names that `Cameo.chooseVectorEngine` takes. An archive that is configured with one of them
   * can be opened only where it is given. Default: none beside the built-in `exact` and `hnsw`.
   */
  readonly engines?: VectorEngines
  /** Segments that an ingest processes at the same time; threads of training. Default: the number of processor cores. */
  readonly threads?: number
  /**
   * Told what a person should know while the work goes on: a sentence, and what helps.
   * Default: nobody is told.
   */
  readonly notify?: (notice: string, details?: ErrorDetails) => void
  /** Told, often, how far long work is. A call may have a function of its own. */
  readonly progress?: (progress: Progress) => void
  /**
   * Gives the pack of a name or JSON file, with its files in the folder of models and verified. Default: the pack `lite` is
   * downloaded where it is missing; any other must be there, since its licence is for a person to accept (see
   * `Cameo.pullModels`).
   */
  readonly ensurePack?: (nameOrFile: string) => Promise<Pack>
}

/** What every call that takes long can be given. */
export interface CallOptions {
  /** Stops the work. What a call says about it holds. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the work is, in place of the function that `openCameo` was given. */
  readonly progress?: ((progress: Progress) => void) | undefined
}
