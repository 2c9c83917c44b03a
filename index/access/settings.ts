import { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { keptRowsOf } from '../store/kept-rows.js'
import { settingRows, writeSetting } from '../store/access/settings.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'

const hours = (most: number) => z.number().positive().max(most)
const perMinute = z.number().int().min(1).max(1e9)

/** Each setting, and what it does. */
export const settingsSchema = z.strictObject({
  purposeRequired: z.boolean().describe('A search must say why it is made.'),
  approvalRequired: z.boolean().describe('A search needs the approval of another user.'),
  sessionIdleHours: hours(24 * 30).describe('A session ends after this many hours without a request.'),
  sessionHours: hours(24 * 90).describe('A session ends this many hours after its sign-in.'),
  requestsPerMinute: perMinute.describe('Requests of one user or key per minute.'),
  searchesPerMinute: perMinute.describe('Searches of one user or key per minute.'),
  uploadsPerMinute: perMinute.describe('Uploads of one user or key per minute.'),
  signInsPerMinute: perMinute.describe('Requests to sign in from one address per minute.'),
})

/** What the archive's owner decided about its use. */
export type AccessSettings = Readonly<z.infer<typeof settingsSchema>>

export type SettingName = keyof AccessSettings

export const defaultSettings: AccessSettings = {
  ...{ purposeRequired: false, approvalRequired: false },
  ...{ sessionIdleHours: 1, sessionHours: 12 },
  ...{ requestsPerMinute: 1200, searchesPerMinute: 120, uploadsPerMinute: 30, signInsPerMinute: 20 },
}

/** @throws ARCHIVE_DAMAGED if a stored value is not valid */
export const readSettings = ({ database }: Pick<Access, 'database'>): AccessSettings =>
  keptRowsOf(database).value('settings', () => read(database))

function read(database: Access['database']): AccessSettings {
  const values = Object.fromEntries(settingRows(database).map(({ key, value }) => [key, jsonOf(value)]))
  const parsed = settingsSchema.safeParse({ ...defaultSettings, ...values })
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
