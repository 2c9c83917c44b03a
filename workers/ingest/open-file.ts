import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { SegmentThread } from '../threads/segment-handle.js'
import type { ArchiveWriter } from './archive-writer.js'
import type { ClipResults } from './clip-results.js'
import { checkUnchanged, stampOf, unknownStamp } from './file-stamp.js'
import { checkWithin } from './find-clips.js'
import type { ClipFile, FoundClip } from './ingest-jobs.js'

export interface OpenedFile {
  readonly file: ClipFile
  readonly clipId: string
}

/**
 * Finds the content id of a file: known from an earlier run, or its SHA-256. Undefined if the run stops, or
 * if the file cannot be read, which is reported.
 */
export async function openFile(
  thread: SegmentThread,
  found: FoundClip,
  {
    writer,
    results,
    signal,
    within,
  }: {
    readonly writer: ArchiveWriter
    readonly results: ClipResults
    readonly signal: AbortSignal
    /** Real folders. A link that leads out of them is refused. */
    readonly within: readonly string[] | undefined
  },
): Promise<OpenedFile | undefined> {
  const startedMs = performance.now()
  const at = { found, path: found.path, ...writer.placeOf(found), startedMs }
  let file: ClipFile = { ...at, stamp: unknownStamp }
  let clipId: string
  try {
    file = { ...at, stamp: stampOf(found.path) }
    // It may have become a link since it was found. Later, its stamp would be another one.
    await checkWithin(found.path, within)
    clipId = writer.knownContentOf(file) ?? (await hashOf(thread, file))
  } catch (error) {
    const isOfFile = error instanceof CameoError && error.code !== 'INTERRUPTED'
    if (isOfFile) results.reportUnreadable(file, error)
    else if (!signal.aborted) throw error
    return undefined
  }
  writer.recordContent(file, clipId)
  return { file, clipId }
}

async function hashOf(thread: SegmentThread, file: ClipFile): Promise<string> {
  if (file.stamp.sizeBytes === 0)
    throw new CameoError(
      'CLIP_EMPTY',
      `${clipName(file.path)} is empty (0 bytes): copy it again from its source`,
    )
  const digest = await thread.hash(file.path)
  checkUnchanged(file)
  return digest
}
