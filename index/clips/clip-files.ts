import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import { findClipId } from '../identities/forget.js'
import { stampedFilesOf, type StampedFile } from '../store/clip-stamps.js'
import { readOneTrack, type OneTrack } from '../store/one-track.js'
import type { Database } from '../store/sqlite.js'

/** Where a clip lies. */
export interface ClipFiles {
  readonly clipId: string
  /** In order of their paths. */
  readonly files: readonly StampedFile[]
}

/** A track, and where its clip lies. */
export interface FoundTrack extends OneTrack {
  readonly trackId: number
  /** Of its clip. */
  readonly paths: readonly string[]
}

/** @param clipId or its first 8 digits or more. @throws CLIP_UNKNOWN */
export function clipFiles(database: Database, clipId: string): ClipFiles {
  const found = findClipId(database, clipId)
  const files = stampedFilesOf(database, found)
  if (files.length === 0)
    throw new CameoError('CLIP_UNKNOWN', `the archive holds nothing of the clip "${oneLine(clipId)}"`)
  return { clipId: found, files }
}

/** @throws TRACK_UNKNOWN */
export function findTrack(database: Database, trackId: number): FoundTrack {
  const track = readOneTrack(database, trackId)
  if (track === undefined) throw new CameoError('TRACK_UNKNOWN', `the archive has no track ${trackId}`)
  const paths = stampedFilesOf(database, track.clipId).map(({ path }) => path)
  return { ...track, trackId, paths }
}
