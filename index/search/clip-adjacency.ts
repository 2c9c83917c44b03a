import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import type { Archive } from '../archive/open-archive.js'
import { keptRowsOf } from '../store/kept-rows.js'
import type { TrackHits } from '../store/track-hits.js'
import { acrossNoGap, adjacencyOf, type Adjacency } from './join-ranges.js'

/** Says which time ranges of a clip are one appearance, by its sampling and by the parts that could not be decoded. */
export function clipAdjacencyReader(
  { recipe, clips, database }: Archive,
  hits: Pick<TrackHits, 'segmentsOf'>,
): (clipId: string) => Adjacency {
  const digest = recipe?.digest ?? ''
  const { sampling } = recipe?.settings ?? defaultSettings
  const gapsOf = keptRowsOf(database).of(`gaps ${digest}`, (clipId: string) =>
    clips.gapsOf({ clipId, recipe: digest }),
  )
  return (clipId) => {
    const areAdjacent = adjacencyOf(sampling, () => hits.segmentsOf(clipId, digest))
    return acrossNoGap(areAdjacent, gapsOf(clipId))
  }
}
