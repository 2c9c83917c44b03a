import type { VectorEngines } from '../../index/vectors/vector-engine.js'
import type { ErrorDetails } from '../../pipeline/common/remedies.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import type { Progress } from '../../pipeline/stages/caller.js'

/**
 * Where models run. `auto` uses the first GPU if the CUDA libraries of ONNX Runtime are installed and a
 * session can be created on it, else the CPU. `cuda:1` is the second GPU.
 */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`

/** Options of `openCameo`. */
export interface CameoOptions {
  /** Folder of the archive. The first ingest creates it. */
  readonly archive: string
  /**
   * Folder of the model packs. Each pack has a subfolder with its name. Default: the environment variable
   * `CAMEO_MODELS`, else a folder in the user's cache.
   */
  readonly models?: string
  /** Default: `auto`. */
  readonly device?: Device
  /**
   * Models of a new archive: a name of the catalog (see `listPacks`), the path of a JSON file (see `Pack`),
   * or several joined by plus signs. Default: the archive's own pack, or `lite`.
   */
  readonly pack?: string
  /**
   * Your own vector engines, by the names that `Cameo.chooseVectorEngine` takes. An archive that uses one of
   * them can be opened only if it is given here. Default: only the built-in `exact` and `hnsw`.
   */
  readonly engines?: VectorEngines
  /** Segments that an ingest processes at the same time; threads of training. Default: the number of processor cores. */
  readonly threads?: number
  /**
   * Called with messages for a person while work continues: a sentence, and details that may help. Default:
   * none.
   */
  readonly notify?: (notice: string, details?: ErrorDetails) => void
  /** Called often with the progress of long work. A call may have its own function. */
  readonly progress?: (progress: Progress) => void
  /**
   * Finds the pack for a name or JSON file, with its verified files in the models folder. Default: the pack
   * `lite` is downloaded if it is missing. Any other pack must be present, because a person has to accept its
   * licence (see `Cameo.pullModels`).
   */
  readonly ensurePack?: (nameOrFile: string) => Promise<Pack>
}

/** Options of every call that can take long. */
export interface CallOptions {
  /** Stops the work. Each call documents what remains. */
  readonly signal?: AbortSignal | undefined
  /** Called with the progress of this call, instead of the function given to `openCameo`. */
  readonly progress?: ((progress: Progress) => void) | undefined
}
