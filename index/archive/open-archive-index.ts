import { CameoError } from '../../pipeline/common/errors.js'
import type { Archive } from './open-archive.js'
import { activeSpace } from '../store/meta.js'
import { vectorEngineOf, vectorsDir } from './choose-engine.js'
import { openVectorCache, type VectorCache } from '../vectors/archive/cached-index.js'

export interface OpenIndexOptions {
  readonly onNotice?: (message: string) => void
}

/**
 * Opens the vector index of the archive's active space, with the configured engine.
 * @throws ARCHIVE_MISSING before the first ingest; ARCHIVE_DAMAGED; and the errors of `openVectorCache`
 */
export async function openArchiveIndex(
  archive: Archive,
  options: OpenIndexOptions = {},
): Promise<VectorCache> {
  const space = activeSpace(archive.database)
  if (space === undefined && archive.clips.counts().tracks > 0)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `the archive ${archive.dir} has lost the record of its descriptors: restore it from a backup, or ingest into a new archive`,
    )
  if (space === undefined)
    throw new CameoError(
      'ARCHIVE_MISSING',
      `the archive ${archive.dir} holds no clips yet; ingest some first`,
      { details: { remedy: 'ingest-first', archive: archive.dir } },
    )
  return openSpaceIndex(archive, space.spaceId, options)
}

/** Opens the vector index of any space of an archive. */
export const openSpaceIndex = (
  archive: Archive,
  spaceId: number,
  options: OpenIndexOptions = {},
): Promise<VectorCache> =>
  openVectorCache({
    ...{ database: archive.database, spaceId, dir: vectorsDir(archive.dir) },
    ...{ engine: vectorEngineOf(archive), engines: archive.engines },
    ...options,
  })
