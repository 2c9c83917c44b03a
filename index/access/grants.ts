import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { findCollectionRow, grantsOf } from '../store/access/collections.js'
import type { ApiKeyRow } from '../store/access/api-keys.js'
import type { UserRow } from '../store/access/users.js'
import type { Access } from './access.js'

/** Ids of collections, or the whole archive. Of a key, `all` means what its owner may see. */
export type Grants = 'all' | readonly string[]

type Database = Access['database']

/** @throws COLLECTION_UNKNOWN */
export function checkGrants(database: Database, grants: Grants): void {
  if (grants === 'all') return
  const unknown = grants.find((id) => findCollectionRow(database, id) === undefined)
  if (unknown !== undefined)
    throw new CameoError('COLLECTION_UNKNOWN', `there is no collection ${quoted(unknown)}`)
}

const grantsOfUser = (database: Database, { userId, hasAllCollections }: UserRow): Grants =>
  hasAllCollections ? 'all' : grantsOf(database, { kind: 'user', id: userId })

const grantsOfKey = (database: Database, { keyId, hasAllCollections }: ApiKeyRow): Grants =>
  hasAllCollections ? 'all' : grantsOf(database, { kind: 'key', id: keyId })

/** What a user, or a key of the user, may see. A key never sees more than its owner. */
export function grantedFolders(
  database: Database,
  user: UserRow,
  key?: ApiKeyRow,
): readonly string[] | 'all' {
  const own = grantsOfUser(database, user)
  const ofKey = key === undefined ? 'all' : grantsOfKey(database, key)
  if (own === 'all' && ofKey === 'all') return 'all'
  const both = ofKey === 'all' ? own : own === 'all' ? ofKey : ofKey.filter((id) => own.includes(id))
  if (both === 'all') return 'all'
  const folders = both.flatMap((id) => findCollectionRow(database, id)?.folders ?? [])
  return [...new Set(folders)].sort()
}
