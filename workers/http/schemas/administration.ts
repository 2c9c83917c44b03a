import { z } from 'zod'
import type { ApiKey } from '../../../index/access/api-keys.js'
import type { Collection } from '../../../index/access/collections.js'
import { roleNames } from '../../../index/access/roles.js'
import { settingsSchema } from '../../../index/access/settings.js'
import type { User } from '../../../index/access/users.js'
import { list } from './common.js'

const id = z.string().min(1).max(100)
const name = z.string().min(1).max(200)
const password = z.string().min(1).max(1000)
const roles = z.array(z.enum(roleNames)).min(1).max(roleNames.length)
const grants = z
  .union([z.literal('all'), z.array(id).max(1000)])
  .describe('Ids of collections, or the whole archive.')
const shownGrants = z.union([z.literal('all'), list(z.string())])

export const userParams = z.object({ userId: id })
export const keyParams = z.object({ keyId: id })
export const collectionParams = z.object({ collectionId: id })

export const userSchema = z
  .object({
    userId: z.string(),
    name: z.string(),
    roles: list(z.enum(roleNames)),
    isDisabled: z.boolean(),
    hasPassword: z.boolean().describe('Can sign in with a password.'),
    collections: shownGrants,
    createdAt: z.string(),
  })
  .meta({ id: 'User' })
export const usersSchema = z.object({ users: list(userSchema) }).meta({ id: 'Users' })

export const userJson = ({ createdAt, ...rest }: User) => ({ ...rest, createdAt: createdAt.toISOString() })

export const newUserBody = z
  .object({
    name,
    roles,
    password: password.exactOptional().describe('Absent: the user cannot sign in with a password.'),
    collections: grants
      .exactOptional()
      .describe('Default: all for administrators and curators, none for others.'),
  })
  .strict()
  .meta({ id: 'NewUser' })

export const userChange = z
  .object({
    name: name.exactOptional(),
    roles: roles.exactOptional(),
    isDisabled: z.boolean().exactOptional(),
    password: password.exactOptional(),
    collections: grants.exactOptional(),
  })
  .strict()
  .meta({ id: 'UserChange' })

export const keySchema = z
  .object({
    keyId: z.string(),
    userId: z.string().describe('Its owner.'),
    name: z.string(),
    roles: list(z.enum(roleNames)),
    collections: shownGrants.describe('What it may see of what its owner may see.'),
    createdAt: z.string(),
    expiresAt: z.string(),
    usedAt: z.string().optional().describe('To 10 minutes. Absent: never.'),
  })
  .meta({ id: 'ApiKey' })
export const keysSchema = z.object({ keys: list(keySchema) }).meta({ id: 'ApiKeys' })

export const madeKeySchema = keySchema
  .extend({
    text: z
      .string()
      .optional()
      .describe('The key itself. It is shown once: an answer to a repeated request does not have it.'),
  })
  .meta({ id: 'NewApiKeyAnswer' })

export const keyJson = ({ createdAt, expiresAt, usedAt, ...rest }: ApiKey) => ({
  ...rest,
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
  ...(usedAt === undefined ? {} : { usedAt: usedAt.toISOString() }),
})

export const newKeyBody = z
  .object({
    name,
    roles: roles.describe('At most the rights of its owner.'),
    collections: grants.exactOptional().describe('Default: all that its owner may see.'),
    expiresAt: z.iso.datetime({ offset: true }).describe('Within a year.'),
  })
  .strict()
  .meta({ id: 'NewApiKey' })

const folders = z.array(z.string().min(1).max(4096)).min(1).max(1000)

export const collectionSchema = z
  .object({
    collectionId: z.string(),
    name: z.string(),
    folders: list(z.string()).describe('Absolute folders, and URLs.'),
    createdAt: z.string(),
  })
  .meta({ id: 'Collection' })
export const collectionsSchema = z.object({ collections: list(collectionSchema) }).meta({ id: 'Collections' })

export const collectionJson = ({ createdAt, ...rest }: Collection) => ({
  ...{ ...rest, createdAt: createdAt.toISOString() },
})

export const newCollectionBody = z.object({ name, folders }).strict().meta({ id: 'NewCollection' })
export const collectionChange = z
  .object({ name: name.exactOptional(), folders: folders.exactOptional() })
  .strict()
  .meta({ id: 'CollectionChange' })

export const settingsAnswer = settingsSchema.meta({ id: 'Settings' })
export const settingsChange = z
  .strictObject({
    purposeRequired: settingsSchema.shape.purposeRequired.exactOptional(),
    approvalRequired: settingsSchema.shape.approvalRequired.exactOptional(),
    sessionIdleHours: settingsSchema.shape.sessionIdleHours.exactOptional(),
    sessionHours: settingsSchema.shape.sessionHours.exactOptional(),
    requestsPerMinute: settingsSchema.shape.requestsPerMinute.exactOptional(),
    searchesPerMinute: settingsSchema.shape.searchesPerMinute.exactOptional(),
    uploadsPerMinute: settingsSchema.shape.uploadsPerMinute.exactOptional(),
    signInsPerMinute: settingsSchema.shape.signInsPerMinute.exactOptional(),
  })
  .meta({ id: 'SettingsChange' })
