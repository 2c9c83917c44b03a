import { join } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { lockArchive } from '../store/locks.js'
import { readEngineName, spacesOf, writeEngineName } from '../store/meta.js'
import { automatic, checkEngineName, namedEngine } from '../vectors/archive/engine-plan.js'
import { spaceToIndex } from '../vectors/archive/cached-index.js'
import type { Archive } from './open-archive.js'

/**
 * Name of the engine that the archive is searched through: `auto` (exact search while it is small, then a graph), `exact`, `hnsw`,
 * or one that is to be given when the archive is opened. Throws ARCHIVE_DAMAGED.
 */
export const vectorEngineOf = ({ database }: Pick<Archive, 'database'>): string =>
  readEngineName(database) ?? automatic

/** Throws USAGE where the archive is configured with an engine that was not given when it was opened. */
export function refuseUnknownEngine(archive: Pick<Archive, 'database' | 'engines'>): void {
  checkEngineName(vectorEngineOf(archive), archive.engines)
}

/**
 * Chooses the engine that the archive is searched through from its next opening on: its first search fills the engine. What the
 * engine before it kept of the archive is removed, as it would never learn of erasures.
 * @param name built in, `auto`, or one of those that were given when the archive was opened
 * @throws USAGE where there is no such engine; ARCHIVE_BUSY while an ingest or an index worker writes into the archive;
 *   ARCHIVE_READ_ONLY
 */
export async function chooseVectorEngine(
  archive: Archive,
  name: string,
  onNotice: (message: string) => void = () => undefined,
): Promise<void> {
  checkEngineName(name, archive.engines)
  const lock = lockArchive(archive.dir)
  try {
    await changeEngine(archive, name, onNotice)
  } finally {
    lock.release()
  }
}

async function changeEngine(
  archive: Archive,
  name: string,
  onNotice: (message: string) => void,
): Promise<void> {
  const { database } = archive
  const before = vectorEngineOf(archive)
  if (name === before) return
  writeEngineName(database, name === automatic ? undefined : name)
  try {
    await removeFromEngine(archive, before)
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    onNotice(`what the vector engine "${before}" keeps of the archive was not removed: ${messageOf(error)}`)
  }
}

/** Removes what an engine keeps of the given spaces of the archive; by default of all. */
export async function removeFromEngine(
  archive: Pick<Archive, 'database' | 'dir' | 'engines'>,
  name: string,
  spaceIds: readonly number[] = spacesOf(archive.database).map(({ spaceId }) => spaceId),
): Promise<void> {
  const { database, dir, engines } = archive
  for (const single of name === automatic ? ['exact', 'hnsw'] : [name])
    for (const spaceId of spaceIds) {
      const space = spaceToIndex({ database, spaceId, dir: vectorsDir(dir) })
      const { engine, reach } = namedEngine(single, engines, space)
      await reach(() => engine.remove?.() ?? Promise.resolve())
    }
}

/** Folder of the files of engines. */
export const vectorsDir = (archiveDir: string) => join(archiveDir, 'vectors')
