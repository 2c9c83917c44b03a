import { CameoError } from '../../pipeline/common/errors.js'

export const mostNameCharacters = 100
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/**
 * The name of a user, key or collection as it is stored. Invisible characters are refused: two names that look alike
 * could differ in them.
 * @throws USAGE
 */
export function parseAccessName(text: string): string {
  const name = text.normalize('NFC').trim()
  if (name === '') throw new CameoError('USAGE', 'the name is empty')
  if (Array.from(name).length > mostNameCharacters)
    throw new CameoError('USAGE', `the name is longer than ${mostNameCharacters} characters`)
  if (invisible.test(name)) throw new CameoError('USAGE', 'the name contains characters that cannot be seen')
  return name
}

/** For names that come from elsewhere. */
export const withoutInvisible = (text: string): string => text.replaceAll(new RegExp(invisible, 'gu'), '')

/** Equal for names that differ only in case or in how their letters are encoded. */
export const nameKeyOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase()
