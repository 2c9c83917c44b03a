import { randomBytes } from 'node:crypto'
import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { deleteKey, findKeyRow, insertKey, listKeyRows, type ApiKeyRow } from '../store/access/api-keys.js'
import { grantsOf, replaceGrants } from '../store/access/collections.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'
import { checkGrants, type Grants } from './grants.js'
import { parseAccessName } from './names.js'
import { isRole, rightsOf, type Role } from './roles.js'
import { hashOfSecret, randomSecret } from './secrets.js'
import { checkRoles, userRow } from './users.js'

/** A key with which a program asks in the name of a user. */
export interface ApiKey {
  readonly keyId: string
  /** Its owner. */
  readonly userId: string
  readonly name: string
  readonly roles: readonly Role[]
  /** What it may see of what its owner may see. */
  readonly collections: Grants
  readonly createdAt: Date
  readonly expiresAt: Date
  /** To 10 minutes. Undefined: never. */
  readonly usedAt: Date | undefined
}

export interface NewApiKey {
  readonly userId: string
  readonly name: string
  readonly roles: readonly Role[]
  readonly collections?: Grants | undefined
  readonly expiresAt: Date
}

/** A key that was just made. Its text is known only here and to the client. */
export interface MadeApiKey extends ApiKey {
  /** `cameo_ID_SECRET` */
  readonly text: string
}

const longestLifeMs = 366 * 24 * 3600_000

const keyOf = (database: Access['database'], row: ApiKeyRow): ApiKey => ({
  ...{ keyId: row.keyId, userId: row.userId, name: row.name, roles: row.roles.filter(isRole) },
  collections: row.hasAllCollections ? 'all' : grantsOf(database, { kind: 'key', id: row.keyId }),
  createdAt: new Date(row.createdAtMs),
  expiresAt: new Date(row.expiresAtMs),
  usedAt: row.usedAtMs === undefined ? undefined : new Date(row.usedAtMs),
})

/** The oldest first. @param userId only the keys of this user */
export const listApiKeys = ({ database }: Access, userId?: string): ApiKey[] =>
  listKeyRows(database)
    .filter((row) => userId === undefined || row.userId === userId)
    .map((row) => keyOf(database, row))

/**
 * Makes a key. It has at most the rights of its owner.
 * @throws USER_UNKNOWN, COLLECTION_UNKNOWN; RIGHT_MISSING if the owner may not do what the key should do; USAGE if the name,
 * a role or the time is not valid
 */
export function createApiKey(access: Access, wish: NewApiKey): MadeApiKey {
  const { database, now } = access
  const [name, roles, nowMs] = [parseAccessName(wish.name), checkRoles(wish.roles), now()]
  const { userId, collections: grants = 'all' } = wish
  const expiresAtMs = wish.expiresAt.getTime()
  if (!(expiresAtMs > nowMs && expiresAtMs <= nowMs + longestLifeMs))
    throw new CameoError('USAGE', 'a key must expire in the future, and within a year')
  return inTransaction(database, () => {
    const ofOwner = rightsOf(userRow(database, userId).roles)
    const missing = [...rightsOf(roles)].find((right) => !ofOwner.has(right))
    if (missing !== undefined)
      throw new CameoError(
        'RIGHT_MISSING',
        `the owner of the key may not do all that the key should do: the right "${missing}" is missing`,
      )
    checkGrants(database, grants)
    const [keyId, secret] = [randomBytes(8).toString('hex'), randomSecret()]
    const row = {
      ...{
        keyId,
        userId,
        name,
        roles,
        secretHash: hashOfSecret(secret),
        hasAllCollections: grants === 'all',
      },
      ...{ createdAtMs: nowMs, expiresAtMs },
    }
    insertKey(database, row)
    replaceGrants(database, { kind: 'key', id: keyId }, grants === 'all' ? [] : grants)
    return { ...keyOf(database, { ...row, usedAtMs: undefined }), text: `cameo_${keyId}_${secret}` }
  })
}

/** @throws KEY_UNKNOWN */
export function showApiKey({ database }: Access, keyId: string): ApiKey {
  const row = findKeyRow(database, keyId)
  if (row === undefined) throw unknownKey(keyId)
  return keyOf(database, row)
}

/** The id of the user who asks, or in whose name a key asks; of a key that was revoked, its own id. */
export function userBehind(
  { database }: Pick<Access, 'database'>,
  { kind, id }: { readonly kind: string; readonly id: string },
): string {
  return kind === 'key' ? (findKeyRow(database, id)?.userId ?? id) : id
}

/** The key can no longer be used. @throws KEY_UNKNOWN */
export function revokeApiKey({ database }: Access, keyId: string): void {
  if (!deleteKey(database, keyId)) throw unknownKey(keyId)
}

const unknownKey = (said: string) => new CameoError('KEY_UNKNOWN', `there is no key ${quoted(said)}`)

const keyText = /^cameo_([0-9a-f]{16})_([\w-]{43})$/

/** The parts of a key's text. Undefined if it is no key. */
export function keyPartsOf(text: string): { readonly keyId: string; readonly secret: string } | undefined {
  const [, keyId, secret] = keyText.exec(text) ?? []
  return keyId === undefined || secret === undefined ? undefined : { keyId, secret }
}
