import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { closeToOthers } from '../../pipeline/common/private-files.js'

/** The SQLite files with their logs, the locks, the end of the audit log, and the folder of keys. */
const ownFile = /^(cameo|audit|access)\.sqlite|\.lock(-journal)?$|^audit\.head|^keys$|^restore\./
const vectorsFolder = 'vectors'

/**
 * Removes other users' access to an existing archive, because earlier versions created it with the umask. A folder
 * that also contains other files, for example the clips, keeps its mode.
 * @param onNotice called once if something was changed, or if another user must change it
 */
export function closeArchiveToOthers(archiveDir: string, onNotice: (message: string) => void): void {
  const states = new Set(pathsToClose(archiveDir).map(closeToOthers))
  if (states.has('open'))
    onNotice(
      `other users of this machine may read the archive ${archiveDir}, which contains faces: only its owner can change that (chmod -R go= on a file system with permissions)`,
    )
  else if (states.has('tightened'))
    onNotice(
      `other users of this machine could read the archive ${archiveDir}, which contains faces: from now on, only its owner can read it`,
    )
}

function pathsToClose(archiveDir: string): string[] {
  const names = listFolder(archiveDir)
  const others = names.filter(
    (name) => !name.startsWith('.') && name !== vectorsFolder && !ownFile.test(name),
  )
  const vectors = join(archiveDir, vectorsFolder)
  return [
    ...(others.length === 0 ? [archiveDir] : []),
    ...names.filter((name) => ownFile.test(name)).map((name) => join(archiveDir, name)),
    ...(names.includes(vectorsFolder) ? [vectors] : []),
    ...listFolder(vectors).map((name) => join(vectors, name)),
  ]
}

/** Empty if the folder does not exist or this user may not read it. */
function listFolder(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
