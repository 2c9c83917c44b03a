import type { HeadSettings } from '../../../pipeline/training/train-head.js'
import type { EvaluationSet } from '../datasets/evaluation-set.js'
import { setOfMember, type EnsembleMember } from './ensemble.js'

/** Heads of an ensemble: so many of different seeds, or those that are declared. */
export type EnsembleChoice =
  number | readonly Pick<EnsembleMember, 'settings' | 'embedders' | 'fold' | 'weight'>[]

/** A head of an ensemble that is to be trained. */
export interface PlannedHead {
  readonly set: EvaluationSet
  readonly settings: HeadSettings
  /** Of its scores among those of the others; 1 where absent. */
  readonly weight?: number
  /** In words. */
  readonly name: string
}

/**
 * The heads that are to be trained for an ensemble. Of a number of seeds the first is not among them: it is trained already.
 * @param whole the set with every embedder, of which members take their own
 * @param chosen the set that heads of different seeds are trained on
 */
export function planEnsemble(
  ensemble: EnsembleChoice,
  whole: EvaluationSet,
  chosen: EvaluationSet,
  settings: HeadSettings,
): PlannedHead[] {
  if (typeof ensemble !== 'number')
    return ensemble.map((member, k) => ({
      set: setOfMember(whole, member),
      settings: member.settings,
      weight: member.weight,
      name: `head ${k + 1} of ${ensemble.length}`,
    }))
  return Array.from({ length: Math.max(0, ensemble - 1) }, (_, k) => ({
    set: chosen,
    settings: { ...settings, seed: settings.seed + k + 1 },
    name: `head ${k + 2} of ${ensemble}`,
  }))
}
