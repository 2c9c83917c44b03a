import { hash, verify } from '@node-rs/argon2'
import { CameoError } from '../../pipeline/common/errors.js'
import { nameKeyOf } from './names.js'

/**
 * Argon2id with 19 MiB, 2 passes and 1 lane: OWASP Password Storage Cheat Sheet. A hash takes some ten ms of
 * one core.
 */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** How a hash with these parameters begins. */
const currentHash = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}$`

/** Of 32 random bytes that nobody knows: checked where there is no user, so that it takes as long. */
const nobodysHash = `${currentHash}Har56LaCzqAV12QZIZwzHw$pRaooV2DGxKVF7GssqJ0g16JHEg159nGhQZHqlajqv4`

/** NIST SP 800-63B asks for length, not for kinds of characters. */
export const minPasswordLength = 12
const maxPasswordBytes = 1024
const minDifferentCharacters = 5

/** The same password can be typed in several encodings (NIST SP 800-63B, 5.1.1.2). */
const normalised = (password: string) => password.normalize('NFKC')

/**
 * Refuses a password that is easy to guess. The user's name in it does not count.
 * @throws PASSWORD_WEAK
 */
export function checkPassword(password: string, userName: string): void {
  const text = normalised(password)
  if (Buffer.byteLength(text) > maxPasswordBytes)
    throw weak(`the password is longer than ${maxPasswordBytes} bytes`)
  const characters = Array.from(text)
  if (characters.length < minPasswordLength)
    throw weak(`the password needs ${minPasswordLength} characters or more`)
  if (new Set(characters).size < minDifferentCharacters)
    throw weak(`the password needs ${minDifferentCharacters} different characters or more`)
  const name = nameKeyOf(userName)
  const rest = name === '' ? text : text.toLowerCase().replaceAll(name, '')
  if (Array.from(rest).length < minPasswordLength)
    throw weak(`the password needs ${minPasswordLength} characters or more besides the user's name`)
}

const weak = (message: string) => new CameoError('PASSWORD_WEAK', message)

/** Argon2id, in the PHC format with its salt and parameters. Runs beside the event loop. */
export const hashPassword = (password: string): Promise<string> => hash(normalised(password), parameters)

/** What a check of a password says. */
export interface PasswordCheck {
  readonly isRight: boolean
  /** The hash was made with other parameters than a new one has. */
  readonly isOutdated: boolean
}

/**
 * Compares a password with a stored hash. Without a hash it does the same work and says no, so that the time does not
 * tell whether there is such a user.
 */
export async function verifyPassword(stored: string | undefined, password: string): Promise<PasswordCheck> {
  const text = normalised(password)
  // Hashing an endless text would be an attack, and no stored password is so long.
  const isPossible = stored !== undefined && Buffer.byteLength(text) <= maxPasswordBytes
  const isEqual = await verify(isPossible ? stored : nobodysHash, isPossible ? text : '')
  return {
    isRight: isEqual && isPossible,
    isOutdated: stored !== undefined && !stored.startsWith(currentHash),
  }
}
