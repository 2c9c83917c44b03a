import { join } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Archive } from './open-archive.js'
import { activeSpace } from '../store/meta.js'
import { openVectorCache, type VectorCache } from '../vectors/archive/cached-index.js'

/** The vector index of the space that an archive is searched in. Throws ARCHIVE_MISSING before the first ingest, ARCHIVE_DAMAGED. */
export async function openArchiveIndex(
  archive: Archive,
  options: { readonly onNotice?: (message: string) => void } = {},
): Promise<VectorCache> {
  const space = activeSpace(archive.database)
  if (space === undefined && archive.clips.counts().tracks > 0)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `what the archive ${archive.dir} says of its descriptors is lost: restore it from a backup, or ingest into a new archive`,
    )
  if (space === undefined)
    throw new CameoError(
      'ARCHIVE_MISSING',
      `the archive ${archive.dir} holds no clips yet; ingest some first`,
      { details: { remedy: 'ingest-first', archive: archive.dir } },
    )
  return openVectorCache({
    database: archive.database,
    spaceId: space.spaceId,
    dir: join(archive.dir, 'vectors'),
    ...options,
  })
}
