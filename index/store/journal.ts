import { z } from 'zod'
import { parseColumn } from './json-column.js'
import type { Database } from './sqlite.js'
import { readMeta } from './meta.js'

/** Journal entries for names and erasures, with their subjects. They contain no face data. */
export interface JournalSubjects {
  /** The faces of the name from these sources have changed. A forgotten source has no faces. */
  readonly enroll: { readonly name: string; readonly sources: readonly string[] }
  readonly 'forget-name': { readonly name: string }
  readonly 'forget-clip': { readonly clipId: string }
  readonly 'remember-clip': { readonly clipId: string }
  /** What people said about the name and the tracks of the clip has changed. */
  readonly correct: { readonly name: string; readonly clipId: string }
  /** The aliases or the note of the name have changed. */
  readonly 'describe-name': { readonly name: string }
}

export type JournalEntry = {
  readonly [Action in keyof JournalSubjects]: {
    readonly entry: number
    readonly action: Action
    readonly subject: JournalSubjects[Action]
  }
}[keyof JournalSubjects]

/** Writes an entry. Call this within the transaction of the change itself. */
export function appendJournal<Action extends keyof JournalSubjects>(
  database: Database,
  action: Action,
  subject: JournalSubjects[Action],
): void {
  database
    .prepare('INSERT INTO journal (at, action, subject) VALUES (?, ?, ?)')
    .run(new Date().toISOString(), action, JSON.stringify(subject))
}

/** Key in `meta` of an archive that publishes its journal to a topic. The topic contains all entries up to this one. */
export const publishedKey = 'kafka.journal_published'

export const isPublished = (database: Database) => readMeta(database, publishedKey) !== undefined

/** Deletes the entries of a name up to `entry`: all about it, and that it was forgotten. */
export function eraseFromJournal(database: Database, name: string, entry: number): void {
  database
    .prepare(
      `DELETE FROM journal
       WHERE entry <= ? AND action IN ('enroll', 'forget-name', 'correct', 'describe-name')
       AND subject ->> '$.name' = ?`,
    )
    .run(entry, name)
}

/** Deletes the entries about corrections of a name in a clip, up to `entry`. */
export function eraseCorrectionFromJournal(
  database: Database,
  name: string,
  clipId: string,
  entry: number,
): void {
  database
    .prepare(
      `DELETE FROM journal WHERE entry <= ? AND action = 'correct'
       AND subject ->> '$.name' = ? AND subject ->> '$.clipId' = ?`,
    )
    .run(entry, name, clipId)
}

/** Deletes the entries about the aliases and the note of a name, up to `entry`. */
export function eraseDescriptionFromJournal(database: Database, name: string, entry: number): void {
  database
    .prepare("DELETE FROM journal WHERE entry <= ? AND action = 'describe-name' AND subject ->> '$.name' = ?")
    .run(entry, name)
}

/** Every clip in which a name was ever corrected, unless it was erased from the journal. */
export function correctedClips(database: Database, name: string): string[] {
  return database
    .prepare<[string], string>(
      `SELECT DISTINCT subject ->> '$.clipId' FROM journal
       WHERE action = 'correct' AND subject ->> '$.name' = ?`,
    )
    .pluck()
    .all(name)
}

/** Removes a source from the enrolment entries of a name, up to `entry`. */
export function eraseSourceFromJournal(
  database: Database,
  name: string,
  source: string,
  entry: number,
): void {
  const update = database.prepare('UPDATE journal SET subject = ? WHERE entry = ?')
  const remove = database.prepare('DELETE FROM journal WHERE entry = ?')
  const rows = database
    .prepare<[number, string, string], { entry: number; subject: string }>(
      `SELECT entry, subject FROM journal
       WHERE entry <= ? AND action = 'enroll' AND subject ->> '$.name' = ?
       AND EXISTS (SELECT 1 FROM json_each(subject, '$.sources') WHERE value = ?)`,
    )
    .all(entry, name, source)
  for (const row of rows) {
    const { sources } = parseEnrolment(row.subject)
    const others = sources.filter((other) => other !== source)
    if (others.length === 0) remove.run(row.entry)
    else update.run(JSON.stringify({ name, sources: others }), row.entry)
  }
}

const what = 'subject of the journal'
const enrolmentSchema = z.object({ name: z.string(), sources: z.array(z.string()) })

const parseEnrolment = (column: string): JournalSubjects['enroll'] =>
  parseColumn(enrolmentSchema, column, what)

/** Entries after `entry`, in order. */
export function journalAfter(database: Database, entry: number, limit: number): JournalEntry[] {
  return database
    .prepare<[number, number], { entry: number; action: string; subject: string }>(
      'SELECT entry, action, subject FROM journal WHERE entry > ? ORDER BY entry LIMIT ?',
    )
    .all(entry, limit)
    .map((row) => ({ ...row, subject: parseColumn(z.unknown(), row.subject, what) }) as JournalEntry)
}

/** Every source with which a name was ever enrolled, unless it was erased from the journal. */
export function enrolledSources(database: Database, name: string): string[] {
  const subjects = database
    .prepare<[string], string>(
      "SELECT subject FROM journal WHERE action = 'enroll' AND subject ->> '$.name' = ? ORDER BY entry",
    )
    .pluck()
    .all(name)
  const sources = subjects.flatMap((text) => parseEnrolment(text).sources)
  return [...new Set(sources)]
}

export function lastJournalEntry(database: Database): number {
  return database.prepare<[], number | null>('SELECT max(entry) FROM journal').pluck().get() ?? 0
}
