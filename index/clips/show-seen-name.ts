import type { Caller } from '../../pipeline/stages/caller.js'
import { filledInScope } from '../archive/in-scope.js'
import { knownName } from '../identities/identities.js'
import { showName, type ShownName } from '../identities/show-name.js'
import { hiddenMatchOf } from '../search/hidden-match.js'
import { descriptorOfQuery, queryOfName } from '../search/read-query.js'
import type { SearchParts } from '../search/search-archive.js'
import { checkSeen } from '../search/seen-names.js'

export interface ShowNameRequest {
  readonly name: string
  /** Only a name that is seen in clips below one of these folders and URLs is known: see `ClipScope`. */
  readonly folders: readonly string[]
}

/** Shows what a name rests on to somebody who may see only a part of the archive. @throws NAME_UNKNOWN */
export async function showSeenName(
  { opened: whole, models, useIndex }: SearchParts,
  { name: given, folders }: ShowNameRequest,
  { notify }: Pick<Caller, 'notify'>,
): Promise<ShownName> {
  const opened = filledInScope(whole, folders)
  const { archive, recipe } = opened
  const { verdicts, ...asked } = queryOfName(given, opened)
  const query = await descriptorOfQuery({ ...asked, ...(verdicts && { verdicts }) }, await models.describer())
  const hidden = hiddenMatchOf(recipe, models.pack, query, {})
  await useIndex((index) => checkSeen({ opened, models, index }, { name: given, query, hidden, verdicts }))
  return showName(opened, knownName(archive.database, given), notify)
}
