import { randomUUID } from 'node:crypto'
import { CameoError } from '../../pipeline/common/errors.js'
import { insertAccount, userOfAccount, type ProviderAccountKey } from '../store/access/provider-accounts.js'
import { deleteSessionsOf } from '../store/access/sessions.js'
import { findUserNamed, updateUser } from '../store/access/users.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'
import { mostNameCharacters, nameKeyOf, parseAccessName, withoutInvisible } from './names.js'
import { seesAllAtFirst, type Role } from './roles.js'
import { endSession, startSession } from './sessions.js'
import type { SignedIn } from './sign-in.js'
import { insertPrepared, keepingAnAdministrator, showUser, userRow } from './users.js'

/** An account whose owner proved to a provider that it is theirs. */
export interface ProviderAccount extends ProviderAccountKey {
  /** What its owner is called there. Other accounts may have the same name. */
  readonly name: string
  /** The roles that the provider gives. Undefined: administrators of the archive give them. */
  readonly roles?: readonly Role[] | undefined
  /** The roles of a new user if the provider gives none. */
  readonly newUserRoles: readonly Role[]
  /** The token of an earlier session of the same client. It ends. */
  readonly replaces?: string | undefined
}

/**
 * Signs in the user to whom an account belongs, and makes this user at first. A user of the archive who has the same name is never
 * taken for the owner of the account.
 * @throws SIGN_IN_FAILED if the user is disabled
 */
export function signInFromProvider(
  access: Access,
  account: ProviderAccount,
): SignedIn & { readonly isNew: boolean } {
  const { database } = access
  return inTransaction(database, () => {
    const known = userOfAccount(database, account)
    const userId = known ?? addUser(access, account)
    if (userRow(database, userId).isDisabled)
      throw new CameoError('SIGN_IN_FAILED', 'this account cannot be used here')
    if (account.roles !== undefined) followRoles(access, userId, account.roles)
    if (account.replaces !== undefined) endSession(access, account.replaces)
    return {
      ...startSession(access, userId),
      user: showUser(access, userId),
      isNew: known === undefined,
    }
  })
}

function addUser(access: Access, account: ProviderAccount): string {
  const { roles = account.newUserRoles } = account
  const [userId, name] = [randomUUID(), freeName(access, account.name)]
  const hasAllCollections = seesAllAtFirst(roles)
  insertPrepared(access, {
    row: {
      ...{ userId, name, nameKey: nameKeyOf(name), roles, hasAllCollections },
      ...{ passwordHash: undefined, isDisabled: false, createdAtMs: access.now() },
    },
    grants: hasAllCollections ? 'all' : [],
  })
  insertAccount(access.database, account, userId)
  return userId
}

/** The name itself, or with a number. */
function freeName({ database }: Access, wanted: string): string {
  const shown = Array.from(withoutInvisible(wanted).trim())
    .slice(0, mostNameCharacters - 10)
    .join('')
  const base = parseAccessName(shown === '' ? 'user' : shown)
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base} (${number})`
    if (findUserNamed(database, nameKeyOf(name)) === undefined) return name
  }
}

/** The last administrator keeps the roles: a wrong setting at the provider must not leave an archive that nobody can administer. */
function followRoles(access: Access, userId: string, roles: readonly Role[]): void {
  const { database } = access
  try {
    keepingAnAdministrator(access, () => {
      const row = userRow(database, userId)
      if (row.roles.join() === roles.join()) return
      updateUser(database, { ...row, roles })
      deleteSessionsOf(database, userId)
    })
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'LAST_ADMINISTRATOR') throw error
  }
}
