import { CameoError } from '../../pipeline/common/errors.js'
import { deleteSetupTokens, replaceSetupToken, setupTokenExpiry } from '../store/access/setup-tokens.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'
import { hashOfSecret, randomSecret } from './secrets.js'
import { hasAdministrator, insertPrepared, prepareUser, type User } from './users.js'

const tokenLastsMs = 3600_000

/** A token that makes the first administrator. It is known only here and to whoever is given it. */
export interface SetupToken {
  readonly token: string
  readonly expiresAt: Date
}

/** True while nobody can administer. */
export const isSetupNeeded = (access: Pick<Access, 'database'>): boolean => !hasAdministrator(access)

/** Makes a token that can be used once, within an hour. An older one no longer works. @throws SETUP_REFUSED */
export function createSetupToken(access: Access): SetupToken {
  const { database, now } = access
  return inTransaction(database, () => {
    if (!isSetupNeeded(access)) throw refused('there is an administrator already')
    const [token, expiresAtMs] = [randomSecret(), now() + tokenLastsMs]
    replaceSetupToken(database, hashOfSecret(token), expiresAtMs)
    return { token, expiresAt: new Date(expiresAtMs) }
  })
}

/**
 * Makes the first administrator.
 * @throws SETUP_REFUSED if there is an administrator, or the token is wrong, used or expired; USER_TAKEN, PASSWORD_WEAK;
 * USAGE if the name is not valid
 */
export async function completeSetup(
  access: Access,
  { token, name, password }: { readonly token: string; readonly name: string; readonly password: string },
): Promise<User> {
  checkToken(access, token)
  const prepared = await prepareUser(access, { name, password, roles: ['administrator'] })
  return inTransaction(access.database, () => {
    // Another request may have used the token while the password was hashed.
    checkToken(access, token)
    deleteSetupTokens(access.database)
    return insertPrepared(access, prepared)
  })
}

/** The digest is looked up, so the time of the comparison tells nothing about a token. */
function checkToken(access: Access, token: string): void {
  const expiresAtMs = setupTokenExpiry(access.database, hashOfSecret(token))
  if (!isSetupNeeded(access) || expiresAtMs === undefined || access.now() >= expiresAtMs)
    throw refused('the link is not valid: it was used, it is too old, or there is an administrator already')
}

const refused = (message: string) => new CameoError('SETUP_REFUSED', message)
