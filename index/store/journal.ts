import type { Database } from './database.js'

/** Names and erasures, each with what it was about; no face data. */
export interface JournalSubjects {
  readonly enroll: { readonly name: string; readonly sources: readonly string[] }
  readonly 'forget-name': { readonly name: string }
  readonly 'forget-clip': { readonly clipId: string }
}

/** Writes an entry; to be called within the transaction of the change itself. */
export function appendJournal<Action extends keyof JournalSubjects>(
  database: Database,
  action: Action,
  subject: JournalSubjects[Action],
): void {
  database
    .prepare('INSERT INTO journal (at, action, subject) VALUES (?, ?, ?)')
    .run(new Date().toISOString(), action, JSON.stringify(subject))
}
