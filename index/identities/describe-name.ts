import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { addAlias, aliasesOf, deleteAlias, nameOfAlias, noteOf, writeNote } from '../store/aliases.js'
import { noteErasure } from '../store/erasure.js'
import { listIdentities } from '../store/identities.js'
import {
  appendJournal,
  eraseDescriptionFromJournal,
  isPublished,
  lastJournalEntry,
} from '../store/journal.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { identityIdOf, knownName, parseName } from './identities.js'

/** Limits, so that a name fits into a message. */
export const maxAliases = 100
export const maxNoteLength = 4096

/** What people wrote about a name. */
export interface NameDescription {
  /** Sorted. */
  readonly aliases: readonly string[]
  readonly note: string | undefined
}

/** @throws NAME_UNKNOWN */
export function describeName(database: Database, name: string): NameDescription {
  const identityId = identityIdOf(database, name)
  return { aliases: aliasesOf(database, identityId), note: noteOf(database, identityId) }
}

/**
 * Gives a name an alias, which answers wherever the name does. Does nothing if the name has it already.
 * @returns the name as it is stored
 * @throws NAME_UNKNOWN; NAME_TAKEN if it is a name or somebody else's alias; USAGE if there are too many
 */
export function giveAlias(database: Database, given: string, aliasGiven: string): string {
  return inTransaction(database, () => {
    const name = knownName(database, given)
    const identityId = identityIdOf(database, name)
    const alias = parseName(aliasGiven)
    const owner = nameOfAlias(database, alias)
    if (owner === name) return name
    const taken = listIdentities(database).some((identity) => identity.name.normalize('NFC').trim() === alias)
    if (taken)
      throw new CameoError('NAME_TAKEN', `${quoted(alias)} is a name already, so it cannot be an alias`)
    if (owner !== undefined)
      throw new CameoError('NAME_TAKEN', `${quoted(alias)} is already an alias of ${quoted(owner)}`)
    if (aliasesOf(database, identityId).length >= maxAliases)
      throw new CameoError('USAGE', `${quoted(name)} has ${maxAliases} aliases already, as many as possible`)
    addAlias(database, identityId, alias)
    appendJournal(database, 'describe-name', { name })
    return name
  })
}

/** @returns the name that had the alias @throws NAME_UNKNOWN if the name does not have it */
export function takeAlias(database: Database, given: string, aliasGiven: string): string {
  return inTransaction(database, () => {
    const name = knownName(database, given)
    identityIdOf(database, name)
    const alias = parseName(aliasGiven)
    if (nameOfAlias(database, alias) !== name)
      throw new CameoError('NAME_UNKNOWN', `${quoted(alias)} is not an alias of ${quoted(name)}`)
    deleteAlias(database, alias)
    journalErasure(database, name)
    return name
  })
}

/**
 * Writes a note about a name; an empty one removes it.
 * @returns the name as it is stored
 * @throws NAME_UNKNOWN; USAGE if the note is too long
 */
export function noteName(database: Database, given: string, text: string): string {
  return inTransaction(database, () => {
    const name = knownName(database, given)
    const identityId = identityIdOf(database, name)
    const note = text.trim()
    if (note.length > maxNoteLength)
      throw new CameoError(
        'USAGE',
        `the note has ${note.length} characters, and ${maxNoteLength} are possible`,
      )
    writeNote(database, identityId, note === '' ? undefined : note)
    if (note === '') journalErasure(database, name)
    else appendJournal(database, 'describe-name', { name })
    return name
  })
}

/** What is removed leaves the archive's files. The journal keeps no trace, unless the topic has to lose it, too. */
function journalErasure(database: Database, name: string): void {
  noteErasure(database)
  const { aliases, note } = describeName(database, name)
  if (aliases.length === 0 && note === undefined && !isPublished(database))
    eraseDescriptionFromJournal(database, name, lastJournalEntry(database))
  else appendJournal(database, 'describe-name', { name })
}

/**
 * Replaces the aliases and the note of a name. Aliases that are names or belong to others are left out. Writes no journal
 * entry, because the caller received them from the topic that the journal is published to.
 * @returns the aliases that were left out
 */
export function replaceDescription(
  database: Database,
  name: string,
  { aliases, note }: NameDescription,
): string[] {
  return inTransaction(database, () => {
    const identityId = identityIdOf(database, name)
    for (const alias of aliasesOf(database, identityId)) deleteAlias(database, alias)
    const names = new Set(listIdentities(database).map((identity) => identity.name))
    const isTaken = (alias: string) => names.has(alias) || nameOfAlias(database, alias) !== undefined
    const taken = aliases.filter(isTaken)
    for (const alias of new Set(aliases)) if (!isTaken(alias)) addAlias(database, identityId, alias)
    writeNote(database, identityId, note)
    return taken
  })
}
