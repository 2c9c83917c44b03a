import { realpathSync } from 'node:fs'
import { CameoError } from '../../pipeline/common/errors.js'
import { clipIdsAt, clipIdsBeginning, deleteClip, everyPathOf } from '../store/clip-lookup.js'
import { deleteAlertsOf } from '../store/alerts.js'
import { eraseTransient, noteErasure } from '../store/erasure.js'
import { addForgotten, isForgotten, removeForgotten } from '../store/forgotten-clips.js'
import { appendJournal } from '../store/journal.js'
import { listSources } from '../store/reference-faces.js'
import { deleteUnnamedErased } from '../store/retention.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { forgetCorrectionsIn } from './corrections.js'
import { forgetEnrolled } from './identities.js'

/**
 * Finds the clip by its id, by the first 8 or more digits of its id, or by the path of its file.
 * @throws CLIP_UNKNOWN
 */
export function findClipId(database: Database, idOrPath: string): string {
  const ids = /^[0-9a-f]{8,64}$/.test(idOrPath)
    ? clipIdsBeginning(database, idOrPath)
    : clipIdsAt(database, idOrPath)
  const [id, another] = ids
  if (id === undefined)
    throw new CameoError('CLIP_UNKNOWN', `the archive has no clip "${idOrPath}": give its id or its path`)
  if (another !== undefined)
    throw new CameoError(
      'CLIP_UNKNOWN',
      `the ids of ${ids.length} clips start with "${idOrPath}": give more digits`,
    )
  return id
}

/** What is erased together with a clip. */
export interface ClipLoss {
  /** Paths of all known files with this content, in any folder. */
  readonly paths: readonly string[]
  /** Names that have enrolled faces from one of these files. */
  readonly names: readonly string[]
}

export function lossOf(database: Database, clipId: string): ClipLoss {
  const names = enrolledFrom(database, clipId).map(({ name }) => name)
  return { paths: everyPathOf(database, clipId), names: [...new Set(names)] }
}

/**
 * Erases a clip and everything derived from it, including faces that were enrolled from it. The clip is skipped if
 * its file is ingested again. The files of the archive still contain the erased bytes until `finishErasure` runs.
 */
export function forgetClip(database: Database, clipId: string): ClipLoss {
  return inTransaction(database, () => {
    const loss = lossOf(database, clipId)
    for (const { name, source } of enrolledFrom(database, clipId)) forgetEnrolled(database, name, source)
    forgetCorrectionsIn(database, clipId)
    deleteClip(database, clipId)
    eraseTransient(database, clipId)
    deleteAlertsOf(database, clipId)
    deleteUnnamedErased(database, clipId)
    addForgotten(database, clipId)
    appendJournal(database, 'forget-clip', { clipId })
    noteErasure(database)
    return loss
  })
}

function enrolledFrom(database: Database, clipId: string): { name: string; source: string }[] {
  const paths = new Set(everyPathOf(database, clipId))
  return listSources(database).filter(({ source }) => paths.has(source) || paths.has(realPathOf(source)))
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // the file no longer exists
  }
}

/** Allows a forgotten clip to be ingested again. */
export function remember(database: Database, clipId: string): void {
  if (!isForgotten(database, clipId)) return
  removeForgotten(database, clipId)
  appendJournal(database, 'remember-clip', { clipId })
}
