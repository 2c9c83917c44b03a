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
  /** It is taken where no pack is named. */
  readonly isDefault: boolean
  /** Of its models. */
  readonly licence: string
  /** Values of an embedding. */
  readonly dimension: number
  /** It has thresholds and probabilities that were measured. */
  readonly isCalibrated: boolean
  /** All its files are in the folder of models. */
  readonly isPresent: boolean
}

/**
 * The packs that are known by name.
 * @param models folder of the models. Default: as for `openCameo`
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
