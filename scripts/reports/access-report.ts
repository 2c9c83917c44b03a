import type { Access } from '../../index/access/access.js'
import type { ApiKey } from '../../index/access/api-keys.js'
import { listCollections, type Collection } from '../../index/access/collections.js'
import type { Grants } from '../../index/access/grants.js'
import { listUsers, type User } from '../../index/access/users.js'
import { oneLine, print, printJson } from '../cli/output.js'

/** Names of what was granted. */
function namesOf(access: Access, grants: Grants): 'all' | string[] {
  if (grants === 'all') return 'all'
  return listCollections(access).flatMap(({ collectionId, name }) =>
    grants.includes(collectionId) ? [name] : [],
  )
}

function grantsText(access: Access, grants: Grants): string {
  const names = namesOf(access, grants)
  if (names === 'all') return 'the whole archive'
  return names.length === 0 ? 'nothing' : names.map((name) => `"${oneLine(name)}"`).join(', ')
}

export const userJson = (access: Access, user: User) => ({
  ...{ userId: user.userId, name: user.name, roles: user.roles },
  ...{ disabled: user.isDisabled, password: user.hasPassword },
  ...{ collections: namesOf(access, user.collections), createdAt: user.createdAt.toISOString() },
})

export function printUser(access: Access, { name, roles, isDisabled, collections }: User): void {
  print(
    `"${oneLine(name)}": ${roles.join(', ')}; sees ${grantsText(access, collections)}${isDisabled ? '; disabled' : ''}`,
  )
}

export function listUsersAs(json: boolean, access: Access, users: readonly User[]): void {
  if (json) printJson({ users: users.map((user) => userJson(access, user)) })
  else if (users.length === 0) print('there are no users')
  else for (const user of users) printUser(access, user)
}

const ownerOf = (access: Access, { userId }: ApiKey) =>
  listUsers(access).find((user) => user.userId === userId)?.name ?? userId

export const keyJson = (access: Access, key: ApiKey) => ({
  ...{ keyId: key.keyId, user: ownerOf(access, key), name: key.name, roles: key.roles },
  collections: namesOf(access, key.collections),
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt.toISOString(),
  usedAt: key.usedAt?.toISOString() ?? null,
})

export function keyLine(access: Access, key: ApiKey): string {
  const { keyId, name, roles, collections, expiresAt } = key
  const sees = collections === 'all' ? 'all that its user sees' : grantsText(access, collections)
  const end = `${expiresAt.getTime() <= access.now() ? 'expired' : 'expires'} ${expiresAt.toISOString()}`
  return `${keyId} "${oneLine(name)}" of "${oneLine(ownerOf(access, key))}": ${roles.join(', ')}; sees ${sees}; ${end}`
}

export const collectionJson = ({ collectionId, name, folders, createdAt }: Collection) => ({
  ...{ collectionId, name, folders, createdAt: createdAt.toISOString() },
})

export const collectionLine = ({ name, folders }: Collection): string =>
  `"${oneLine(name)}": ${folders.map(oneLine).join(', ')}`
