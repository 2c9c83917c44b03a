import { t } from '../texts.js'
import type { Right } from '../types.js'
import { addressOf, type AddressName } from './addresses.js'

export interface NavEntry {
  readonly name: AddressName
  readonly label: string
  /** Shown to whoever has one of these. */
  readonly rights: readonly Right[]
  /** Places below this entry. */
  readonly inner?: readonly AddressName[]
}

export const navEntries: readonly NavEntry[] = [
  { name: 'search', label: t.nav.search, rights: ['search'] },
  { name: 'clips', label: t.nav.clips, rights: ['view'], inner: ['clip'] },
  { name: 'people', label: t.nav.people, rights: ['view'], inner: ['person'] },
  { name: 'names', label: t.nav.names, rights: ['view'], inner: ['name'] },
  { name: 'archive', label: t.nav.archive, rights: ['view'] },
  { name: 'jobs', label: t.nav.jobs, rights: ['ingest', 'correct', 'evaluate'], inner: ['job'] },
  { name: 'reports', label: t.nav.reports, rights: ['evaluate'], inner: ['report'] },
  { name: 'approvals', label: t.nav.approvals, rights: ['approve'] },
  { name: 'audit', label: t.nav.audit, rights: ['audit'] },
  { name: 'receipts', label: t.nav.receipts, rights: ['audit'], inner: ['receipt'] },
  {
    name: 'users',
    label: t.nav.administration,
    rights: ['administer'],
    inner: ['keys', 'collections', 'settings'],
  },
]

interface Asker {
  may(right: Right): boolean
}

export const entriesOf = (asker: Asker): readonly NavEntry[] =>
  navEntries.filter(({ rights }) => rights.some((right) => asker.may(right)))

/** Where somebody begins who may not search. */
export function firstPlaceOf(asker: Asker): string | undefined {
  const [first] = entriesOf(asker)
  return first === undefined ? undefined : addressOf(first.name)
}
