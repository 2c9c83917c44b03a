import { statSync, type BigIntStats } from 'node:fs'
import { isUrl } from '../../../index/store/whole-path.js'
import { sha256OfFile } from '../../../pipeline/common/digest.js'
import { isSameTime } from '../../ingest/file-stamp.js'
import type { ClipSource, StatusMessage } from '../messages/schemas.js'

/** A clip's file or URL, and the folder that it was found in. */
export interface Clip {
  readonly uri: string
  readonly root: string
}

/**
 * Whether a clip needs a job, needs to be waited for, or needs nothing.
 * @param renew called with the clip's status if its file has a new time but the same content
 */
export async function needOf(
  { uri }: Clip,
  status: StatusMessage | undefined,
  renew: (status: StatusMessage) => Promise<void>,
): Promise<'publish' | 'wait' | 'nothing'> {
  if (status === undefined || status.state === 'failed' || status.state === 'partial') return 'publish'
  if (status.state === 'queued') return 'wait'
  // The content of a URL is assumed to stay the same.
  if (status.sizeBytes === undefined || isUrl(uri)) return 'nothing'
  const file = statusOf(uri)
  if (file === undefined || !hasSizeAndTime(file, status)) return 'publish'
  if (isSameNode(file, status)) return 'nothing'
  if (!(await hasContent(uri, status.clipId))) return 'publish'
  await renew({ ...status, ctimeNs: `${file.ctimeNs}` })
  return 'nothing'
}

const statusOf = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false })

const hasSizeAndTime = ({ size, mtimeNs }: BigIntStats, status: StatusMessage): boolean =>
  Number(size) === status.sizeBytes &&
  status.mtimeNs !== undefined &&
  isSameTime(`${mtimeNs}`, status.mtimeNs)

/**
 * An earlier version did not store the inode change time. If that time is before the indexing of the clip,
 * the file has not changed since.
 */
function isSameNode({ ctimeNs }: BigIntStats, status: StatusMessage): boolean {
  if (status.ctimeNs !== undefined) return isSameTime(`${ctimeNs}`, status.ctimeNs)
  return Number(ctimeNs / 1_000_000n) <= Date.parse(status.at)
}

async function hasContent(path: string, clipId: string | undefined): Promise<boolean> {
  try {
    return (await sha256OfFile(path)) === clipId
  } catch {
    return false // A worker reports the error.
  }
}

export function sourceOf(clip: Clip): ClipSource {
  const ctimeNs = isUrl(clip.uri) ? undefined : statusOf(clip.uri)?.ctimeNs
  return ctimeNs === undefined ? clip : { ...clip, ctimeNs: `${ctimeNs}` }
}
