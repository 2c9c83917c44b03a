import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import type { Archive } from '../archive/open-archive.js'
import type { TrackHits } from '../store/track-hits.js'
import { acrossNoGap, adjacencyOf, type Adjacency } from './join-ranges.js'

/** Says which time ranges of a clip are one appearance, by its sampling and by the parts that could not be decoded. */
export function clipAdjacency(
  { recipe, clips }: Archive,
  hits: Pick<TrackHits, 'segmentsOf'>,
  clipId: string,
): Adjacency {
  const run = { clipId, recipe: recipe?.digest ?? '' }
  const { sampling } = recipe?.settings ?? defaultSettings
  const areAdjacent = adjacencyOf(sampling, () => hits.segmentsOf(run.clipId, run.recipe))
  return acrossNoGap(areAdjacent, clips.gapsOf(run))
}
