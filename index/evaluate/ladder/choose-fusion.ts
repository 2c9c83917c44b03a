import type { ContextFusion } from './scorer.js'

const weights = [0, 0.05, 0.1, 0.2, 0.4] as const
const alone = [0.25, 0.5, 1] as const
const offsets = [-12, -9, -6, -4, -2, -1, 0] as const

/**
 * Chooses how context scores are added to face scores: first the weight of the context for clips with a face, then
 * the position of clips without a face. If several are equal, takes the first.
 * @param mapOf returns the MAP on val with a fusion
 */
export async function chooseFusion(
  mapOf: (fusion: ContextFusion) => Promise<number>,
): Promise<ContextFusion> {
  let best: ContextFusion = { weight: 0, alone: 0, offset: Number.NEGATIVE_INFINITY }
  let bestMap = -1
  const look = async (fusion: ContextFusion) => {
    const map = await mapOf(fusion)
    if (map <= bestMap) return
    bestMap = map
    best = fusion
  }
  for (const weight of weights) await look({ weight, alone: 0, offset: Number.NEGATIVE_INFINITY })
  const { weight } = best
  for (const own of alone) for (const offset of offsets) await look({ weight, alone: own, offset })
  return best
}
