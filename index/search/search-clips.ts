import type { Archive } from '../archive/open-archive.js'
import { createDescriptorStore } from '../store/descriptors.js'
import { createWholeRows, memoised, type WholeRows } from '../store/whole-rows.js'
import type { Neighbor, VectorIndex } from '../vectors/vector-index.js'
import { searchWidening } from '../vectors/widening-search.js'
import type { SearchAnswer } from './clip-match.js'
import { ClipDescriber, type DescribedClip } from './describe-clip.js'
import { CompanyCheck } from './company-check.js'
import { queriesOf } from './company.js'
import { lowestScore, type SearchOptions } from './search-options.js'

/** What of an archive's index a search needs. */
export interface SearchedIndex extends Pick<VectorIndex, 'search'> {
  /** Vectors that can be found. */
  readonly size: number
  /** Rows that the index left out because they are damaged. */
  readonly damagedLabels?: ReadonlySet<number>
}

/**
 * The clips in which a person appears: the query's nearest tracks, grouped by clip. k grows until `top` distinct clips
 * are found or the neighbours fall below `minScore` (or `weakScore`), so that one talkative clip cannot fill the list. Every hit is
 * checked against the store, and the ranges of a clip count all of its tracks. What is stored of a hit is compared with its
 * checksums: a damaged track is left out, a clip that is itself damaged is left out whole, and both are told. What is erased while
 * the index is asked is in no answer.
 * @param query L2-normalised descriptor
 */
export async function searchClips(
  archive: Archive,
  index: SearchedIndex,
  query: Float32Array,
  options: SearchOptions,
): Promise<SearchAnswer> {
  const store = createDescriptorStore(archive.database)
  const asOf = store.lastChange()
  const damagedLabels = index.damagedLabels ?? new Set<number>()
  const hits = new HitList(archive, damagedLabels, query, options)
  const lowest = lowestScore(options)
  const neighbors = await searchWidening(
    index,
    query,
    (found) => (found.at(-1)?.cosineSimilarity ?? -1) < lowest || hits.clipsOf(found).length >= options.top,
  )
  // Nothing waits from here on, so the answer is of one moment.
  const isAsRead = store.lastChange() === asOf
  const current = isAsRead ? hits : new HitList(archive, damagedLabels, query, options)
  return {
    ...current.answerTo(neighbors),
    ...{ tracksSearched: index.size, tracksExamined: neighbors.length },
  }
}

/** Hits looked up in the store, each clip once. */
class HitList {
  readonly #rows: WholeRows
  readonly #describeClip: (clipId: string) => DescribedClip | undefined
  readonly #options: SearchOptions

  constructor(
    archive: Archive,
    damagedLabels: ReadonlySet<number>,
    query: Float32Array,
    options: SearchOptions,
  ) {
    this.#rows = createWholeRows(archive.database, damagedLabels)
    const { company } = options
    const rivals = company === undefined ? undefined : queriesOf(company)
    const describer = new ClipDescriber(archive, this.#rows, query, { ...options, rivals })
    const others = new CompanyCheck(archive, this.#rows, query, options)
    this.#describeClip = memoised((clipId: string) => {
      const found = describer.describe(clipId)
      return found === undefined ? undefined : others.check(found)
    })
    this.#options = options
  }

  /** Distinct clips of the best neighbours, in their order, until there are enough. */
  clipsOf(neighbors: readonly Neighbor[]): DescribedClip[] {
    const { top, excludeClipId, weakScore } = this.#options
    const lowest = lowestScore(this.#options)
    const clips = new Map<string, DescribedClip>()
    for (const { label, cosineSimilarity } of neighbors) {
      if (cosineSimilarity < lowest || clips.size >= top) break
      const clipId = this.#rows.clipOf(label)
      const found = clipId === undefined || clipId === excludeClipId ? undefined : this.#describeClip(clipId)
      if (found !== undefined && (found.isMatch || weakScore !== undefined))
        clips.set(found.clip.clipId, found)
    }
    return [...clips.values()]
  }

  answerTo(neighbors: readonly Neighbor[]): Pick<SearchAnswer, 'matches' | 'weak' | 'damage'> {
    const found = this.clipsOf(neighbors).sort(
      ({ clip: a }, { clip: b }) => b.score - a.score || (a.clipId < b.clipId ? -1 : 1),
    )
    const ofStrength = (wanted: boolean) =>
      found.flatMap(({ clip, isMatch }) => (isMatch === wanted ? clip : []))
    return { matches: ofStrength(true), weak: ofStrength(false), damage: this.#rows.damage() }
  }
}
