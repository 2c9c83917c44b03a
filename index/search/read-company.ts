import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { ArchiveModels } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { knownName } from '../identities/identities.js'
import type { Damage } from '../store/damage.js'
import type { Companion, Company } from './company.js'
import { hiddenMatchOf } from './hidden-match.js'
import type { ThresholdRequest } from './match-threshold.js'
import { descriptorOfQuery, queryOfName, type Subject } from './read-query.js'

/** The other people of a search, by their enrolled names. */
export interface CompanyRequest extends ThresholdRequest {
  readonly subject: Subject
  readonly with?: readonly string[]
  readonly without?: readonly string[]
  readonly together?: boolean
}

export interface ReadCompany extends Company {
  /** What of their faces was left out. */
  readonly damage: readonly Damage[]
}

/** @throws USAGE where one name is asked for twice, or nobody is named to be together with; NAME_UNKNOWN */
export async function readCompany(
  opened: FilledArchive,
  request: CompanyRequest,
  models: Pick<ArchiveModels, 'pack' | 'describer'>,
): Promise<ReadCompany> {
  const { with: wanted = [], without = [], together = false } = request
  if (opened.archive.visible === undefined) checkNamedOnce(opened, request)
  if (together && wanted.length === 0)
    throw new CameoError('USAGE', 'nobody is named with whom the person must be seen together')
  const damage: Damage[] = []
  const describer = await models.describer()
  const read = async (name: string): Promise<Companion> => {
    const asked = queryOfName(name, opened)
    damage.push(...(asked.damage ?? []))
    const query = await descriptorOfQuery(asked, describer)
    const hidden = hiddenMatchOf(opened.recipe, models.pack, query, request)
    return { name, query, hidden, verdicts: asked.verdicts }
  }
  return { with: await Promise.all(wanted.map(read)), without: await Promise.all(without.map(read)), together, damage } // prettier-ignore
}

/**
 * Where only a part of the archive may be seen, call this after all names were found in it: otherwise the error tells that a name
 * is known.
 * @throws USAGE where one name is asked for twice
 */
export function checkNamedOnce(
  { archive: { database } }: FilledArchive,
  { subject, with: wanted = [], without = [] }: CompanyRequest,
): void {
  const own = subject.kind === 'name' ? [subject.name] : []
  const names = [...own, ...wanted, ...without].map((name) => knownName(database, name))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new CameoError('USAGE', `${quoted(twice)} is asked for more than once: name each person once`)
}
