import type { UseEntry } from '../audit/record-use.js'
import type { ApiKey } from './api-keys.js'
import type { Collection } from './collections.js'
import type { AccessSettings } from './settings.js'
import type { User } from './users.js'

/** A change of users, keys, collections or settings. */
export type AccessChange =
  | { readonly kind: 'user-create'; readonly user: User }
  /** @param changed what was changed, for example `roles` */
  | { readonly kind: 'user-change'; readonly user: User; readonly changed: readonly string[] }
  | { readonly kind: 'user-delete'; readonly userId: string }
  | { readonly kind: 'key-create'; readonly key: ApiKey }
  | { readonly kind: 'key-revoke'; readonly keyId: string }
  | { readonly kind: 'collection-create'; readonly collection: Collection }
  | {
      readonly kind: 'collection-change'
      readonly collection: Collection
      readonly changed: readonly string[]
    }
  | { readonly kind: 'collection-delete'; readonly collectionId: string }
  | { readonly kind: 'settings'; readonly changed: Partial<AccessSettings> }

/** What the audit log says about a change, whoever made it and however. It names users, keys and collections by their ids. */
export const changeEntry = (change: AccessChange): UseEntry => ({
  action: change.kind,
  details: detailsOf(change),
})

function detailsOf(change: AccessChange): UseEntry['details'] {
  switch (change.kind) {
    case 'user-create':
      return { userId: change.user.userId, roles: change.user.roles }
    case 'user-change': {
      const { userId, roles, isDisabled } = change.user
      return { userId, changed: change.changed, roles, isDisabled }
    }
    case 'user-delete':
      return { userId: change.userId }
    case 'key-create': {
      const { keyId, userId, roles, expiresAt } = change.key
      return { keyId, userId, roles, expiresAt: expiresAt.toISOString() }
    }
    case 'key-revoke':
      return { keyId: change.keyId }
    case 'collection-create': {
      const { collectionId, folders } = change.collection
      return { collectionId, folders: folders.length }
    }
    case 'collection-change': {
      const { collectionId, folders } = change.collection
      return { collectionId, changed: change.changed, folders: folders.length }
    }
    case 'collection-delete':
      return { collectionId: change.collectionId }
    case 'settings':
      return { ...change.changed }
  }
}
