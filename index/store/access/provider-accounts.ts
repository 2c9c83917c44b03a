import type { Database } from '../sqlite.js'

/** Names an account at a provider of OpenID Connect: nothing else of it is sure to stay the same. */
export interface ProviderAccountKey {
  readonly issuer: string
  readonly subject: string
}

/** The user to whom an account belongs. */
export const userOfAccount = (
  database: Database,
  { issuer, subject }: ProviderAccountKey,
): string | undefined =>
  database
    .prepare<[string, string], string>(
      'SELECT user_id FROM provider_accounts WHERE issuer = ? AND subject = ?',
    )
    .pluck()
    .get(issuer, subject)

export function insertAccount(
  database: Database,
  { issuer, subject }: ProviderAccountKey,
  userId: string,
): void {
  database
    .prepare('INSERT INTO provider_accounts (issuer, subject, user_id) VALUES (?, ?, ?)')
    .run(issuer, subject, userId)
}
