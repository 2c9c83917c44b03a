import { CameoError } from '../../pipeline/common/errors.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'
import { changeUser, showUser, type User } from './users.js'

/**
 * Lets a user see further collections, or the whole archive.
 * @throws USER_UNKNOWN, COLLECTION_UNKNOWN
 */
export const grantCollections = (access: Access, userId: string, added: 'all' | readonly string[]): User =>
  inTransaction(access.database, () => {
    const { collections } = showUser(access, userId)
    if (added === 'all' || collections === 'all') return changeUser(access, userId, { collections: 'all' })
    return changeUser(access, userId, { collections: [...collections, ...added] })
  })

/**
 * Hides collections, or everything, from a user.
 * @throws USER_UNKNOWN, COLLECTION_UNKNOWN; USAGE if the user sees the whole archive, so that there is nothing to take away
 */
export const revokeCollections = (access: Access, userId: string, removed: 'all' | readonly string[]): User =>
  inTransaction(access.database, () => {
    const { name, collections } = showUser(access, userId)
    if (removed === 'all') return changeUser(access, userId, { collections: [] })
    if (collections === 'all')
      throw new CameoError(
        'USAGE',
        `${name} sees the whole archive: revoke everything first, then grant the collections that remain`,
      )
    return changeUser(access, userId, { collections: collections.filter((id) => !removed.includes(id)) })
  })
