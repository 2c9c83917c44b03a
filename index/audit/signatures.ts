import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { canonicalJson } from '../../pipeline/common/digest.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { SigningKeys } from './archive-keys.js'

/** Ed25519 signature of a value's JSON with sorted keys, base64. */
export const signatureOf = ({ privateKey }: SigningKeys, value: object): string =>
  sign(null, Buffer.from(canonicalJson(value)), privateKey).toString('base64')

/** True if the signature is of this value, by the owner of this public key. */
export const isSignedBy = (publicKey: KeyObject, value: object, signature: string): boolean =>
  verify(null, Buffer.from(canonicalJson(value)), publicKey, Buffer.from(signature, 'base64'))

/** Reads a public key from its PEM text. @throws USAGE */
export function parsePublicKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // told below
  }
  throw new CameoError('USAGE', 'this is not the public key of an archive: an Ed25519 key as PEM is needed')
}
