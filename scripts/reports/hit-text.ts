import type { MatchedRange } from '../../index/search/clip-match.js'
import { formatTime } from '../../pipeline/common/time-text.js'

export const formatRanges = (
  ranges: readonly Pick<MatchedRange, 'startS' | 'endS' | 'weak' | 'confirmed'>[],
) =>
  ranges
    .map(
      ({ startS, endS, weak, confirmed }) =>
        `${formatTime(startS)}–${formatTime(endS)}${weak === true ? ' (weak)' : ''}${confirmed === true ? ' (confirmed)' : ''}`,
    )
    .join(', ')

/** 0.9995 → "> 99.9 %": the text claims no more than was measured. */
export function formatProbability(probability: number): string {
  if (probability > 0.999) return '> 99.9 %'
  if (probability < 0.001) return '< 0.1 %'
  return `${(100 * probability).toFixed(1)} %`
}
