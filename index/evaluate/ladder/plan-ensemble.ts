import type { HeadSettings } from '../../../pipeline/training/train-head.js'
import type { EvaluationSet } from '../datasets/evaluation-set.js'
import { setOfMember, type EnsembleMember } from './ensemble.js'

/** The heads of an ensemble: a number of heads with different seeds, or declared heads. */
export type EnsembleChoice =
  number | readonly Pick<EnsembleMember, 'settings' | 'embedders' | 'fold' | 'weight'>[]

/** A head of an ensemble that must be trained. */
export interface PlannedHead {
  readonly set: EvaluationSet
  readonly settings: HeadSettings
  /** Weight of its scores in the ensemble. Default: 1. */
  readonly weight?: number
  /** In words. */
  readonly name: string
}

/**
 * The heads to train for an ensemble. For a number of seeds, the first head is not included, because it is already
 * trained.
 * @param whole the set with every embedder; members choose their own
 * @param chosen the training set for heads with different seeds
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
