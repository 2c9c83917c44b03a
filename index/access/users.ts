import { randomUUID } from 'node:crypto'
import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { grantsOf, replaceGrants } from '../store/access/collections.js'
import { deleteSessionsOf } from '../store/access/sessions.js'
import {
  deleteUserRow,
  findUserNamed,
  findUserRow,
  insertUser,
  listUserRows,
  updateUser,
  type UserRow,
} from '../store/access/users.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'
import { checkGrants, type Grants } from './grants.js'
import { nameKeyOf, parseAccessName } from './names.js'
import { checkPassword, hashPassword } from './passwords.js'
import { isRole, roleNames, seesAllAtFirst, type Role } from './roles.js'
import { forgetFailures } from './throttle.js'

/** Somebody who may sign in. */
export interface User {
  readonly userId: string
  readonly name: string
  readonly roles: readonly Role[]
  readonly isDisabled: boolean
  /** Can sign in with a password. */
  readonly hasPassword: boolean
  /** Ids of the collections that the user may see. */
  readonly collections: Grants
  readonly createdAt: Date
}

export interface NewUser {
  readonly name: string
  readonly roles: readonly Role[]
  /** Absent: the user cannot sign in with a password. */
  readonly password?: string | undefined
  /** Default: all for administrators and curators, none for others. */
  readonly collections?: Grants | undefined
}

/** What of a user is to be changed. */
export interface UserChange {
  readonly name?: string | undefined
  readonly roles?: readonly Role[] | undefined
  readonly isDisabled?: boolean | undefined
  readonly collections?: Grants | undefined
}

/** In order of their names. */
export const listUsers = ({ database }: Access): User[] =>
  listUserRows(database).map((row) => userOf(database, row))

/** @throws USER_UNKNOWN */
export const showUser = ({ database }: Access, userId: string): User =>
  userOf(database, userRow(database, userId))

/** The user with a name, in any case. @throws USER_UNKNOWN */
export function userNamed({ database }: Access, name: string): User {
  const row = findUserNamed(database, nameKeyOf(name))
  if (row === undefined) throw unknownUser(name)
  return userOf(database, row)
}

function userOf(database: Access['database'], row: UserRow): User {
  const { userId, name, isDisabled, passwordHash, hasAllCollections, createdAtMs } = row
  return {
    ...{ userId, name, isDisabled },
    roles: row.roles.filter(isRole),
    hasPassword: passwordHash !== undefined,
    collections: hasAllCollections ? 'all' : grantsOf(database, { kind: 'user', id: userId }),
    createdAt: new Date(createdAtMs),
  }
}

/** @throws USER_UNKNOWN */
export function userRow(database: Access['database'], userId: string): UserRow {
  const row = findUserRow(database, userId)
  if (row === undefined) throw unknownUser(userId)
  return row
}

const unknownUser = (said: string) => new CameoError('USER_UNKNOWN', `there is no user ${quoted(said)}`)

/** @throws USER_TAKEN; PASSWORD_WEAK; COLLECTION_UNKNOWN; USAGE if the name or a role is not valid */
export async function createUser(access: Access, wish: NewUser): Promise<User> {
  const prepared = await prepareUser(access, wish)
  return inTransaction(access.database, () => insertPrepared(access, prepared))
}

/** A new user whose password is hashed already: hashing takes long, and a transaction must not wait for it. */
export interface PreparedUser {
  readonly row: UserRow
  readonly grants: Grants
}

/** @throws PASSWORD_WEAK; USAGE if the name or a role is not valid */
export async function prepareUser(access: Pick<Access, 'now'>, wish: NewUser): Promise<PreparedUser> {
  const name = parseAccessName(wish.name)
  const roles = checkRoles(wish.roles)
  const { password, collections: grants = seesAllAtFirst(roles) ? 'all' : [] } = wish
  if (password !== undefined) checkPassword(password, name)
  const row = {
    ...{ userId: randomUUID(), name, nameKey: nameKeyOf(name), roles, isDisabled: false },
    passwordHash: password === undefined ? undefined : await hashPassword(password),
    hasAllCollections: grants === 'all',
    createdAtMs: access.now(),
  }
  return { row, grants }
}

/** Call this within a transaction. @throws USER_TAKEN, COLLECTION_UNKNOWN */
export function insertPrepared({ database }: Access, { row, grants }: PreparedUser): User {
  checkNameFree(database, row)
  insertUser(database, row)
  storeGrants(database, row.userId, grants)
  return userOf(database, row)
}

/**
 * Changes a user. New roles, a disabled user and new grants count from the next request on. New roles and disabling end
 * the user's sessions.
 * @throws USER_UNKNOWN, USER_TAKEN, COLLECTION_UNKNOWN; LAST_ADMINISTRATOR if nobody could administer any more; USAGE if
 * the name or a role is not valid
 */
export function changeUser(access: Access, userId: string, change: UserChange): User {
  const { database } = access
  return keepingAnAdministrator(access, () => {
    const before = userRow(database, userId)
    const name = change.name === undefined ? before.name : parseAccessName(change.name)
    const roles = change.roles === undefined ? before.roles : checkRoles(change.roles)
    const { isDisabled = before.isDisabled, collections } = change
    const hasAllCollections = collections === undefined ? before.hasAllCollections : collections === 'all'
    const after = { ...before, name, nameKey: nameKeyOf(name), roles, isDisabled, hasAllCollections }
    checkNameFree(database, after)
    updateUser(database, after)
    if (collections !== undefined) storeGrants(database, userId, collections)
    if (isDisabled || !isSameList(before.roles, roles)) deleteSessionsOf(database, userId)
    return userOf(database, after)
  })
}

/** Deletes a user with all sessions and keys. @throws USER_UNKNOWN, LAST_ADMINISTRATOR */
export function deleteUser(access: Access, userId: string): void {
  const { database } = access
  keepingAnAdministrator(access, () => {
    userRow(database, userId)
    deleteUserRow(database, userId)
  })
}

/**
 * Sets a password, and ends all sessions of the user. Failed sign-ins of the user no longer count.
 * @throws USER_UNKNOWN, PASSWORD_WEAK
 */
export async function setPassword(access: Access, userId: string, password: string): Promise<void> {
  await changeUserAndPassword(access, userId, { password })
}

/**
 * Changes a user and sets a password: all of it, or nothing.
 * @throws as `changeUser` and `setPassword`
 */
export async function changeUserAndPassword(
  access: Access,
  userId: string,
  { password, ...change }: UserChange & { readonly password?: string | undefined },
): Promise<User> {
  const { database } = access
  if (password === undefined) return changeUser(access, userId, change)
  checkPassword(password, change.name ?? userRow(database, userId).name)
  const passwordHash = await hashPassword(password)
  return inTransaction(database, () => {
    const row = userRow(database, userId)
    updateUser(database, { ...row, passwordHash })
    deleteSessionsOf(database, userId)
    forgetFailures(access, row)
    return changeUser(access, userId, change)
  })
}

/** True if somebody can administer. */
export const hasAdministrator = ({ database }: Pick<Access, 'database'>): boolean =>
  listUserRows(database).some(({ roles, isDisabled }) => !isDisabled && roles.includes('administrator'))

/**
 * Runs `change` in a transaction. Before the first administrator is made, there may be none.
 * @throws LAST_ADMINISTRATOR if nobody could administer any more
 */
export const keepingAnAdministrator = <T>({ database }: Pick<Access, 'database'>, change: () => T): T =>
  inTransaction(database, () => {
    const wasAdministered = hasAdministrator({ database })
    const result = change()
    if (wasAdministered && !hasAdministrator({ database }))
      throw new CameoError(
        'LAST_ADMINISTRATOR',
        'this user is the last administrator: make another user an administrator first',
      )
    return result
  })

function checkNameFree(database: Access['database'], { userId, name, nameKey }: UserRow): void {
  const other = findUserNamed(database, nameKey)
  if (other !== undefined && other.userId !== userId)
    throw new CameoError('USER_TAKEN', `there is a user ${quoted(name)} already`)
}

function storeGrants(database: Access['database'], userId: string, grants: Grants): void {
  checkGrants(database, grants)
  replaceGrants(database, { kind: 'user', id: userId }, grants === 'all' ? [] : grants)
}

/** In the order of the table of roles. @throws USAGE */
export function checkRoles(given: readonly string[]): Role[] {
  const roles = roleNames.filter((role) => given.includes(role))
  const unknown = given.find((role) => !isRole(role))
  if (unknown !== undefined)
    throw new CameoError(
      'USAGE',
      `there is no role ${quoted(unknown)}: the roles are ${roleNames.join(', ')}`,
    )
  if (roles.length === 0) throw new CameoError('USAGE', `a role is needed: ${roleNames.join(', ')}`)
  return roles
}

const isSameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((entry, i) => entry === b[i])
