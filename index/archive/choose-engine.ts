import { join } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { lockArchive } from '../store/locks.js'
import { readEngineName, spacesOf, writeEngineName } from '../store/meta.js'
import { automatic, checkEngineName, namedEngine } from '../vectors/archive/engine-plan.js'
import { spaceToIndex } from '../vectors/archive/cached-index.js'
import type { Archive } from './open-archive.js'

/**
 * Name of the archive's vector engine: `auto` (exact search while the archive is small, then a graph), `exact`,
 * `hnsw`, or one that the caller must provide when it opens the archive.
 * @throws ARCHIVE_DAMAGED
 */
export const vectorEngineOf = ({ database }: Pick<Archive, 'database'>): string =>
  readEngineName(database) ?? automatic

/** @throws USAGE if the archive is configured with an engine that was not provided when the archive was opened */
export function refuseUnknownEngine(archive: Pick<Archive, 'database' | 'engines'>): void {
  checkEngineName(vectorEngineOf(archive), archive.engines)
}

/**
 * Sets the vector engine of an archive. It is used from the next opening on, and the first search fills it. The data
 * of the previous engine is removed, because that engine would not receive later erasures.
 * @param name a built-in engine, `auto`, or an engine that was provided when the archive was opened
 * @throws USAGE if there is no such engine; ARCHIVE_BUSY while an ingest or an index worker writes to the archive;
 * ARCHIVE_READ_ONLY
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
    onNotice(`the archive's data in the vector engine "${before}" was not removed: ${messageOf(error)}`)
  }
}

/** Removes the data of the given spaces from an engine. Default: all spaces of the archive. */
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

/** Folder for the files of the engines. */
export const vectorsDir = (archiveDir: string) => join(archiveDir, 'vectors')
