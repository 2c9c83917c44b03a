import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits as 43 characters of base64url. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** What is stored of a random secret: SHA-256, hex. */
export const hashOfSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Takes as long for equal texts as for different ones of the same length. */
export function isEqualSecret(a: string, b: string): boolean {
  // Digests have the same length, whatever the texts are.
  const [digestOfA, digestOfB] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return digestOfA !== undefined && digestOfB !== undefined && timingSafeEqual(digestOfA, digestOfB)
}

/** HMAC-SHA256, base64url. */
export const hmacOf = (key: string | Uint8Array, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url')
