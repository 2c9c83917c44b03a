import { isVisible } from '../archive/in-scope.js'
import type { Archive } from '../archive/open-archive.js'
import { createDescriptorStore } from '../store/descriptors.js'
import { activeSpace } from '../store/meta.js'
import { createWholeRows, memoised, type WholeRows } from '../store/whole-rows.js'
import type { Neighbor, VectorIndex } from '../vectors/vector-index.js'
import { defaultFirstK, searchWidening } from '../vectors/widening-search.js'
import type { SearchAnswer } from './clip-match.js'
import { ClipDescriber, type DescribedClip } from './describe-clip.js'
import { CompanyCheck } from './company-check.js'
import { othersOf } from './company.js'
import { lowestScore, type SearchOptions } from './search-options.js'

/** The part of a vector index that a search needs. */
export interface SearchedIndex extends Pick<VectorIndex, 'search'> {
  /** Number of vectors that can be found. */
  readonly size: number
  /** Rows that the index skipped because they are damaged. */
  readonly damagedLabels?: ReadonlySet<number>
}

/**
 * Finds the clips in which a person appears: the nearest tracks of the query, grouped by clip. k grows until `top`
 * distinct clips are found or the neighbours fall below `minScore` (or `weakScore`), so that one clip with many
 * tracks cannot fill the list. Every hit is looked up in the store, and the ranges of a clip include all of its
 * tracks. The stored rows of a hit are compared with their checksums. A damaged track is skipped, and so is a clip
 * with damaged rows of its own. Both are reported. An answer contains nothing that was erased while the index was
 * searched. Clips with confirmed tracks come first, and are found even if the index does not reach them.
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
    (found) =>
      (found.at(-1)?.cosineSimilarity ?? -1) < lowest || hits.clipsOf(found).clips.length >= options.top,
    Math.min(defaultFirstK, 2 * options.top),
  )
  // The code below is synchronous, so the answer is consistent.
  const isAsRead = store.lastChange() === asOf
  const current = isAsRead ? hits : new HitList(archive, damagedLabels, query, options)
  return {
    ...current.answerTo(neighbors),
    tracksSearched: countSearched(archive, index.size),
  }
}

/** How many tracks a search looks at: those that may be seen. @param indexed number of all vectors that can be found */
export function countSearched({ database, visible }: Archive, indexed: number): number {
  return visible === undefined
    ? indexed
    : Math.min(indexed, visible.countDescribed(activeSpace(database)?.spaceId ?? 0))
}

interface FoundClips {
  readonly clips: DescribedClip[]
  /** How many tracks were looked at until there were enough clips, or the scores too low. */
  readonly tracksExamined: number
}

/** Looks up hits in the store, each clip once. */
class HitList {
  readonly #archive: Archive
  readonly #rows: WholeRows
  readonly #describeClip: (clipId: string) => DescribedClip | undefined
  readonly #options: SearchOptions

  constructor(
    archive: Archive,
    damagedLabels: ReadonlySet<number>,
    query: Float32Array,
    options: SearchOptions,
  ) {
    this.#archive = archive
    this.#rows = createWholeRows(archive.database, damagedLabels)
    const { company } = options
    const rivals = company === undefined ? undefined : othersOf(company)
    const describer = new ClipDescriber(archive, this.#rows, query, { ...options, rivals })
    const others = new CompanyCheck(archive, this.#rows, query, options)
    this.#describeClip = memoised((clipId: string) => {
      const found = describer.describe(clipId)
      return found === undefined ? undefined : others.check(found)
    })
    this.#options = options
  }

  /** Clips with confirmed tracks, then the distinct clips of the best neighbours, in their order; at most `top`. */
  clipsOf(neighbors: readonly Neighbor[]): FoundClips {
    const { top, weakScore } = this.#options
    const lowest = lowestScore(this.#options)
    const clips = new Map<string, DescribedClip>()
    for (const found of this.#confirmedClips().slice(0, top)) clips.set(found.clip.clipId, found)
    let tracksExamined = 0
    for (const { label, cosineSimilarity } of neighbors) {
      if (cosineSimilarity < lowest || clips.size >= top) break
      const clipId = this.#rows.clipOf(label)
      if (clipId === undefined || !isVisible(this.#archive, clipId)) continue
      tracksExamined++
      const found = this.#wantedClip(clipId)
      if (found !== undefined && (found.isMatch || weakScore !== undefined))
        clips.set(found.clip.clipId, found)
    }
    return { clips: [...clips.values()], tracksExamined }
  }

  /** Adds clips with tracks that were grouped into a person with the name, if there are too few others. */
  #withMembers(found: readonly DescribedClip[]): DescribedClip[] {
    const { verdicts, top } = this.#options
    const clips = new Map(found.map((own) => [own.clip.clipId, own]))
    if (found.filter(({ isMatch }) => isMatch).length >= top) return [...clips.values()]
    for (const clipId of verdicts?.memberClips ?? []) {
      const own = clips.has(clipId) || !this.#rows.isWholeClip(clipId) ? undefined : this.#wantedClip(clipId)
      if (own?.isMatch === true) clips.set(clipId, own)
    }
    return [...clips.values()]
  }

  #confirmedClips(): DescribedClip[] {
    const clipIds = [...(this.#options.verdicts?.confirmedClips ?? [])]
    return clipIds
      .flatMap((clipId) => (this.#rows.isWholeClip(clipId) ? (this.#wantedClip(clipId) ?? []) : []))
      .filter(({ clip }) => clip.confirmed === true)
      .sort(byRank)
  }

  #wantedClip(clipId: string): DescribedClip | undefined {
    return clipId === this.#options.excludeClipId || !isVisible(this.#archive, clipId)
      ? undefined
      : this.#describeClip(clipId)
  }

  answerTo(neighbors: readonly Neighbor[]): Omit<SearchAnswer, 'tracksSearched'> {
    const { clips, tracksExamined } = this.clipsOf(neighbors)
    const found = this.#withMembers(clips).sort(byRank)
    const ofStrength = (wanted: boolean) =>
      found.flatMap(({ clip, isMatch }) => (isMatch === wanted ? clip : [])).slice(0, this.#options.top)
    return { matches: ofStrength(true), weak: ofStrength(false), damage: this.#rows.damage(), tracksExamined }
  }
}

/** Confirmed clips first, then best first. */
const byRank = ({ clip: a }: DescribedClip, { clip: b }: DescribedClip) =>
  Number(b.confirmed === true) - Number(a.confirmed === true) ||
  b.score - a.score ||
  (a.clipId < b.clipId ? -1 : 1)
