import type { ArchiveModels } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import type { SearchAnswer } from './clip-match.js'
import { othersOf, type Companion, type Company } from './company.js'
import { hiddenMatchOf } from './hidden-match.js'
import { chooseThreshold } from './match-threshold.js'
import type { Query } from './read-query.js'
import { countSearched, searchClips, type SearchedIndex } from './search-clips.js'
import { unseenName } from './unseen-name.js'

/** What names are looked for with. */
export interface SeenParts {
  readonly opened: FilledArchive
  readonly models: Pick<ArchiveModels, 'pack'>
  readonly index: SearchedIndex
}

/**
 * Who may see only a part of an archive knows only the names of those who are seen in it.
 * @param found by a search for the query: a match makes a further one needless
 * @throws NAME_UNKNOWN
 */
export async function checkSubjectSeen(
  parts: SeenParts,
  { query, descriptor }: { readonly query: Query; readonly descriptor: Float32Array },
  found: SearchAnswer,
): Promise<void> {
  const { opened, models } = parts
  if (opened.archive.visible === undefined || query.kind !== 'name') return
  const usual = usualThreshold(parts)
  if (found.matches.some(({ score, confirmed }) => confirmed === true || score >= usual)) return
  const hidden = hiddenMatchOf(opened.recipe, models.pack, descriptor, {})
  await checkSeen(parts, { name: query.value, query: descriptor, hidden, verdicts: query.verdicts })
}

/** The same of the others of a search. @throws NAME_UNKNOWN */
export async function checkCompanySeen(parts: SeenParts, company: Company): Promise<void> {
  if (parts.opened.archive.visible === undefined) return
  for (const companion of othersOf(company)) await checkSeen(parts, companion)
}

/** @throws NAME_UNKNOWN unless a visible track answers for the name as it does by default */
export async function checkSeen(
  parts: SeenParts,
  { name, query, hidden, verdicts }: Companion,
): Promise<void> {
  const { matches } = await searchClips(parts.opened.archive, parts.index, query, {
    ...{ top: 1, minScore: usualThreshold(parts), hidden, verdicts },
  })
  if (matches.length === 0) throw unseenName(name)
}

/** The threshold of a search that asks for none: otherwise a low one would make every name visible. */
const usualThreshold = ({ opened: { archive, recipe }, models: { pack }, index }: SeenParts): number =>
  chooseThreshold(recipe, pack, countSearched(archive, index.size), {}).threshold
