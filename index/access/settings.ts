import { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { settingRows, writeSetting } from '../store/access/settings.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'

const hours = (most: number) => z.number().positive().max(most)
const perMinute = z.number().int().min(1).max(1e9)

/** Each setting with its default. */
const settingsSchema = z.strictObject({
  /** A search must say why it is made. */
  purposeRequired: z.boolean().default(false),
  /** A search needs the approval of another user. */
  approvalRequired: z.boolean().default(false),
  /** Keep the photos that people search with. */
  keepQueryPhotos: z.boolean().default(false),
  /** A session ends after so many hours without a request. */
  sessionIdleHours: hours(24 * 30).default(1),
  /** A session ends so many hours after its sign-in. */
  sessionHours: hours(24 * 90).default(12),
  /** Requests of one user or key per minute. */
  requestsPerMinute: perMinute.default(1200),
  /** Searches of one user or key per minute. */
  searchesPerMinute: perMinute.default(120),
  /** Uploads of one user or key per minute. */
  uploadsPerMinute: perMinute.default(30),
  /** Requests to sign in from one address per minute. */
  signInsPerMinute: perMinute.default(20),
})

/** What the archive's owner decided about its use. */
export type AccessSettings = Readonly<z.infer<typeof settingsSchema>>

export type SettingName = keyof AccessSettings

export const defaultSettings: AccessSettings = settingsSchema.parse({})

/** @throws ARCHIVE_DAMAGED if a stored value is not valid */
export function readSettings({ database }: Pick<Access, 'database'>): AccessSettings {
  const values = Object.fromEntries(settingRows(database).map(({ key, value }) => [key, jsonOf(value)]))
  const parsed = settingsSchema.safeParse(values)
  if (parsed.success) return parsed.data
  throw new CameoError('ARCHIVE_DAMAGED', `a setting of the archive is not valid: ${reasonOf(parsed.error)}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Changes some settings.
 * @param change values by name, from outside
 * @returns all settings
 * @throws USAGE if a name is unknown or a value is not valid
 */
export function changeSettings(access: Access, change: Readonly<Record<string, unknown>>): AccessSettings {
  return inTransaction(access.database, () => {
    const parsed = settingsSchema.safeParse({ ...readSettings(access), ...change })
    if (!parsed.success) throw new CameoError('USAGE', `this setting is not valid: ${reasonOf(parsed.error)}`)
    for (const [key, value] of Object.entries(parsed.data))
      if (Object.hasOwn(change, key)) writeSetting(access.database, key, JSON.stringify(value))
    return parsed.data
  })
}

const reasonOf = ({ issues: [issue] }: z.ZodError) =>
  issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`.replace(/^: /, '')
