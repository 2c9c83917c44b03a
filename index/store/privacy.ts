import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { closeToOthers } from '../../pipeline/common/private-files.js'

/** The SQLite file with its logs, and the locks. */
const ownFile = /^cameo\.sqlite|\.lock(-journal)?$/
const vectorsFolder = 'vectors'

/**
 * Takes other users' access from an archive that is there: earlier versions made it by the umask. A folder that holds other
 * things, too, as where the archive lies among the clips, keeps its mode.
 * @param onNotice told once, where something changed or another user would have to change it
 */
export function closeArchiveToOthers(archiveDir: string, onNotice: (message: string) => void): void {
  const states = new Set(pathsToClose(archiveDir).map(closeToOthers))
  if (states.has('open'))
    onNotice(
      `other users of this machine may read the archive ${archiveDir}, which holds faces: only its owner can change that (chmod -R go= on a file system with permissions)`,
    )
  else if (states.has('tightened'))
    onNotice(
      `other users of this machine could read the archive ${archiveDir}, which holds faces: from now on only its owner can`,
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

/** Nothing of a folder that is not there or that this user may not look into. */
function listFolder(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
