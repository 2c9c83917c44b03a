import {
  catalogEnsembles,
  catalogPacks,
  defaultPackName,
  findPack,
} from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packIsPresent } from '../../pipeline/models/packs/models-dir.js'

/** A pack of the catalog. */
export interface PackInfo {
  readonly name: string
  /** The pack that is used if none is named. */
  readonly isDefault: boolean
  /** Licence of its models. */
  readonly licence: string
  /** Number of values of an embedding. */
  readonly dimension: number
  /** It has measured thresholds and probabilities. */
  readonly isCalibrated: boolean
  /** All its files are in the models folder. */
  readonly isPresent: boolean
}

/**
 * The packs that have a name in the catalog.
 * @param models models folder. Default: same as for `openCameo`
 */
export function listPacks(models: string = defaultModelsDir()): PackInfo[] {
  return [...catalogPacks(), ...catalogEnsembles.map(findPack)].map((pack) => ({
    name: pack.name,
    isDefault: pack.name === defaultPackName,
    licence: pack.licence,
    dimension: pack.embedder.dimension,
    isCalibrated: pack.calibration !== undefined,
    isPresent: packIsPresent(pack, models),
  }))
}
