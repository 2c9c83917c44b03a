import {
  addCorrection,
  deleteCorrection,
  deleteCorrectionsIn,
  deleteCorrectionsOf,
  namesCorrectedIn,
  type CorrectionRow,
  type Verdict,
} from '../store/corrections.js'
import { appendJournal, eraseCorrectionFromJournal, isPublished, lastJournalEntry } from '../store/journal.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { identityIdOf } from './identities.js'
import { placeOf } from './track-place.js'
import { readCorrections, type ClipTrack, type Correction } from './verdicts.js'

/**
 * Notes that tracks of a clip show a person, or do not. What was said before about these tracks and the name no longer
 * counts.
 * @throws NAME_UNKNOWN
 */
export function correctTracks(
  database: Database,
  name: string,
  { clipId, tracks, verdict }: { readonly clipId: string; readonly tracks: readonly ClipTrack[]; readonly verdict: Verdict }, // prettier-ignore
): void {
  inTransaction(database, () => {
    const identityId = identityIdOf(database, name)
    const trackIds = new Set(tracks.map(({ trackId }) => trackId))
    for (const { correctionId, tracks: corrected } of readCorrections(database, name))
      if (corrected.some(({ trackId }) => trackIds.has(trackId))) deleteCorrection(database, correctionId)
    const at = new Date().toISOString()
    for (const track of tracks)
      addCorrection(database, identityId, { clipId, verdict, at, place: JSON.stringify(placeOf(track)) })
    appendJournal(database, 'correct', { name, clipId })
  })
}

/** Takes corrections of a name back. */
export function undoCorrections(database: Database, name: string, corrections: readonly Correction[]): void {
  inTransaction(database, () => {
    for (const { correctionId } of corrections) deleteCorrection(database, correctionId)
    for (const clipId of new Set(corrections.map((correction) => correction.clipId)))
      journalCorrections(database, name, clipId)
  })
}

/** Erases everything that people said about the tracks of a clip. */
export function forgetCorrectionsIn(database: Database, clipId: string): void {
  const names = namesCorrectedIn(database, clipId)
  deleteCorrectionsIn(database, clipId)
  for (const name of names) journalCorrections(database, name, clipId)
}

/** Call this after corrections were deleted. The journal keeps no trace of them, unless the topic has to lose them, too. */
function journalCorrections(database: Database, name: string, clipId: string): void {
  const isLast = !readCorrections(database, name).some((correction) => correction.clipId === clipId)
  if (isLast && !isPublished(database))
    eraseCorrectionFromJournal(database, name, clipId, lastJournalEntry(database))
  else appendJournal(database, 'correct', { name, clipId })
}

/**
 * Replaces all corrections of a name about a clip. Writes no journal entry, because the caller received them from the
 * topic that the journal is published to.
 */
export function replaceCorrections(
  database: Database,
  name: string,
  clipId: string,
  corrections: readonly Pick<CorrectionRow, 'place' | 'verdict' | 'at'>[],
): void {
  inTransaction(database, () => {
    const identityId = identityIdOf(database, name)
    deleteCorrectionsOf(database, identityId, clipId)
    for (const correction of corrections) addCorrection(database, identityId, { ...correction, clipId })
  })
}
