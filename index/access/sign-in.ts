import { CameoError } from '../../pipeline/common/errors.js'
import { findUserNamed, findUserRow, updateUser, type UserRow } from '../store/access/users.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'
import { nameKeyOf } from './names.js'
import { hashPassword, verifyPassword } from './passwords.js'
import { endSession, startSession, type NewSession } from './sessions.js'
import { SignInThrottle } from './throttle.js'
import { setPassword, showUser, userRow, type User } from './users.js'

export interface SignInRequest {
  readonly name: string
  readonly password: string
  /** Where the request comes from. */
  readonly address: string
  /** The token of an earlier session of the same client. It ends. */
  readonly replaces?: string | undefined
}

export interface SignedIn extends NewSession {
  readonly user: User
}

/**
 * Signs a user in. The error does not tell whether the name or the password is wrong, or the user is disabled, and
 * neither does the time it takes.
 * @throws SIGN_IN_FAILED, SIGN_IN_THROTTLED
 */
export async function signIn(access: Access, request: SignInRequest): Promise<SignedIn> {
  const { database } = access
  const nameKey = nameKeyOf(request.name)
  const found = findUserNamed(database, nameKey)
  const user = await provePassword(access, found, { ...request, nameKey })
  return inTransaction(database, () => {
    if (request.replaces !== undefined) endSession(access, request.replaces)
    return { ...startSession(access, user.userId), user: showUser(access, user.userId) }
  })
}

/**
 * Changes the own password. All sessions of the user end, and a new one starts.
 * @throws SIGN_IN_FAILED if the old password is wrong; SIGN_IN_THROTTLED, PASSWORD_WEAK, USER_UNKNOWN
 */
export async function changeOwnPassword(
  access: Access,
  userId: string,
  request: { readonly oldPassword: string; readonly newPassword: string; readonly address: string },
): Promise<NewSession> {
  const { nameKey } = userRow(access.database, userId)
  const { oldPassword: password, address } = request
  await provePassword(access, findUserRow(access.database, userId), { nameKey, password, address })
  await setPassword(access, userId, request.newPassword)
  return startSession(access, userId)
}

/** @returns the user @throws SIGN_IN_FAILED, SIGN_IN_THROTTLED */
async function provePassword(
  access: Access,
  found: UserRow | undefined,
  given: { readonly nameKey: string; readonly password: string; readonly address: string },
): Promise<UserRow> {
  const user = found?.isDisabled === true ? undefined : found
  const throttle = new SignInThrottle(access, {
    ...{ nameKey: given.nameKey, userId: user?.userId, address: given.address },
  })
  throttle.begin()
  const { isRight, isOutdated } = await verifyPassword(user?.passwordHash, given.password)
  if (user === undefined || !isRight)
    throw new CameoError('SIGN_IN_FAILED', 'the name or the password is wrong')
  const newHash = isOutdated ? await hashPassword(given.password) : undefined
  return inTransaction(access.database, () => {
    // It may have been disabled, or its password changed, while the hash was computed.
    const now = findUserRow(access.database, user.userId)
    if (now === undefined || now.isDisabled || now.passwordHash !== user.passwordHash)
      throw new CameoError('SIGN_IN_FAILED', 'the name or the password is wrong')
    throttle.succeed()
    if (newHash !== undefined) updateUser(access.database, { ...now, passwordHash: newHash })
    return now
  })
}
