import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { thresholdOfRate } from '../search/expected-false-matches.js'
import { calibrationOf } from '../search/match-threshold.js'
import type { ArchiveRecipe } from '../store/meta.js'

/**
 * How many tracks of other people may reach the threshold for each track. A wrong pair joins two people, so this is far fewer than in
 * an answer to a search. Chosen by `npm run bench:people`.
 */
const falsePairsPerTrack = 0.1

/**
 * A smaller archive gets the threshold of one with this many tracks. It often shows a family or one scene, whose people are more alike
 * than people at random.
 */
const leastTracks = 500

/** For models without calibration: how much the threshold is above that of a search. */
const uncalibratedMargin = 0.1

/** The similarity from which two sharp faces are one person. It grows with the archive, as more people look alike. */
export function groupingThreshold(
  recipe: Pick<ArchiveRecipe, 'headFile'>,
  pack: Pack,
  tracks: number,
): number {
  const calibration = calibrationOf(recipe, pack)
  const least = thresholdOfModels(pack)
  const wanted =
    calibration === undefined
      ? undefined
      : thresholdOfRate(calibration, falsePairsPerTrack / Math.max(leastTracks, tracks))
  return wanted === undefined ? least + uncalibratedMargin : Math.max(least, wanted)
}
