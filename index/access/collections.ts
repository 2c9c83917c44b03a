import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import {
  deleteCollectionRow,
  findCollectionNamed,
  findCollectionRow,
  insertCollection,
  listCollectionRows,
  updateCollection,
  type CollectionRow,
} from '../store/access/collections.js'
import { inTransaction } from '../store/transaction.js'
import { isUrl } from '../store/whole-path.js'
import type { Access } from './access.js'
import { nameKeyOf, parseAccessName } from './names.js'

/** A part of the archive that can be granted. */
export interface Collection {
  readonly collectionId: string
  readonly name: string
  /** Absolute folders, and URLs. A clip with a file below one of them belongs to the collection. */
  readonly folders: readonly string[]
  readonly createdAt: Date
}

const collectionOf = ({ collectionId, name, folders, createdAtMs }: CollectionRow): Collection => ({
  ...{ collectionId, name, folders, createdAt: new Date(createdAtMs) },
})

/** In order of their names. */
export const listCollections = ({ database }: Access): Collection[] =>
  listCollectionRows(database).map(collectionOf)

/** The collection with a name, in any case. @throws COLLECTION_UNKNOWN */
export function collectionNamed({ database }: Access, name: string): Collection {
  const row = findCollectionNamed(database, nameKeyOf(name))
  if (row === undefined) throw unknownCollection(name)
  return collectionOf(row)
}

const unknownCollection = (said: string) =>
  new CameoError('COLLECTION_UNKNOWN', `there is no collection ${quoted(said)}`)

/** @throws COLLECTION_TAKEN; USAGE if the name or a folder is not valid, or no folder is given */
export function createCollection(access: Access, wish: Pick<Collection, 'name' | 'folders'>): Collection {
  const { database } = access
  const name = parseAccessName(wish.name)
  const folders = checkFolders(wish.folders)
  return inTransaction(database, () => {
    const row = {
      ...{ collectionId: randomUUID(), name, nameKey: nameKeyOf(name), folders },
      createdAtMs: access.now(),
    }
    checkNameFree(database, row)
    insertCollection(database, row)
    return collectionOf(row)
  })
}

/** @throws COLLECTION_UNKNOWN, COLLECTION_TAKEN; USAGE as `createCollection` */
export function changeCollection(
  { database }: Access,
  collectionId: string,
  change: { readonly name?: string | undefined; readonly folders?: readonly string[] | undefined },
): Collection {
  return inTransaction(database, () => {
    const before = collectionRow(database, collectionId)
    const name = change.name === undefined ? before.name : parseAccessName(change.name)
    const folders = change.folders === undefined ? before.folders : checkFolders(change.folders)
    const after = { ...before, name, nameKey: nameKeyOf(name), folders }
    checkNameFree(database, after)
    updateCollection(database, after)
    return collectionOf(after)
  })
}

/** Who could see only this collection sees nothing afterwards. @throws COLLECTION_UNKNOWN */
export function deleteCollection({ database }: Access, collectionId: string): void {
  inTransaction(database, () => {
    collectionRow(database, collectionId)
    deleteCollectionRow(database, collectionId)
  })
}

function collectionRow(database: Access['database'], collectionId: string): CollectionRow {
  const row = findCollectionRow(database, collectionId)
  if (row === undefined) throw unknownCollection(collectionId)
  return row
}

function checkNameFree(
  database: Access['database'],
  { collectionId, name, nameKey }: Pick<CollectionRow, 'collectionId' | 'name' | 'nameKey'>,
): void {
  const other = findCollectionNamed(database, nameKey)
  if (other !== undefined && other.collectionId !== collectionId)
    throw new CameoError('COLLECTION_TAKEN', `there is a collection ${quoted(name)} already`)
}

/** @throws USAGE */
function checkFolders(given: readonly string[]): string[] {
  if (given.length === 0 || given.includes(''))
    throw new CameoError('USAGE', 'a collection needs a folder or URL')
  return [...new Set(given.map((folder) => (isUrl(folder) ? folder : resolve(folder))))]
}
