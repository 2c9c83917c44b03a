import { realpathSync } from 'node:fs'
import { CameoError } from '../../pipeline/common/errors.js'
import { clipIdsAt, clipIdsBeginning, deleteClip, everyPathOf } from '../store/clip-lookup.js'
import { eraseTransient, noteErasure } from '../store/erasure.js'
import { addForgotten, isForgotten, removeForgotten } from '../store/forgotten-clips.js'
import { appendJournal } from '../store/journal.js'
import { listSources } from '../store/reference-faces.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { forgetEnrolled } from './identities.js'

/** The clip that a person means: its id, the beginning of it (8 digits or more), or the path of its file. */
export function findClipId(database: Database, idOrPath: string): string {
  const ids = /^[0-9a-f]{8,64}$/.test(idOrPath)
    ? clipIdsBeginning(database, idOrPath)
    : clipIdsAt(database, idOrPath)
  const [id, another] = ids
  if (id === undefined)
    throw new CameoError('CLIP_UNKNOWN', `the archive holds no clip "${idOrPath}": give its id or its path`)
  if (another !== undefined)
    throw new CameoError(
      'CLIP_UNKNOWN',
      `"${idOrPath}" begins the ids of ${ids.length} clips: give more digits`,
    )
  return id
}

/** What goes with a clip's content. */
export interface ClipLoss {
  /** Of all files that are known to have the content, in whatever folder. */
  readonly paths: readonly string[]
  /** Names that were enrolled with faces from one of these files. */
  readonly names: readonly string[]
}

export function lossOf(database: Database, clipId: string): ClipLoss {
  const names = enrolledFrom(database, clipId).map(({ name }) => name)
  return { paths: everyPathOf(database, clipId), names: [...new Set(names)] }
}

/**
 * Erases a clip and everything derived from it, the faces that names were enrolled with from it too; its content stays away
 * when its file is ingested again. Files of the archive hold what was erased until `finishErasure`.
 */
export function forgetClip(database: Database, clipId: string): ClipLoss {
  return inTransaction(database, () => {
    const loss = lossOf(database, clipId)
    for (const { name, source } of enrolledFrom(database, clipId)) forgetEnrolled(database, name, source)
    deleteClip(database, clipId)
    eraseTransient(database, clipId)
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
    return path // of a file that is gone
  }
}

/** Lets a forgotten content in again. */
export function remember(database: Database, clipId: string): void {
  if (!isForgotten(database, clipId)) return
  removeForgotten(database, clipId)
  appendJournal(database, 'remember-clip', { clipId })
}
