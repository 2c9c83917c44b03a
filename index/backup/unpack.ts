import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { extract } from 'tar'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { messageOf } from '../../pipeline/common/errors.js'
import { makePrivateFolder, privateFileMode } from '../../pipeline/common/private-files.js'
import { keysFolderName } from '../audit/archive-keys.js'
import { invalidBackup, isBackupFile, manifestName, parseManifest, type Manifest } from './manifest.js'

/** Unpacks a backup into a new folder, and checks every file. @throws BACKUP_INVALID */
export async function unpackBackup(file: string, dir: string): Promise<Manifest> {
  rmSync(dir, { recursive: true, force: true })
  makePrivateFolder(dir)
  makePrivateFolder(join(dir, keysFolderName))
  const strangers: string[] = []
  try {
    await extract({
      ...{ file, cwd: dir, strict: true, preserveOwner: false },
      filter: (path, entry) => {
        const isOwn =
          (path === manifestName || isBackupFile(path)) && 'type' in entry && entry.type === 'File'
        if (!isOwn) strangers.push(path)
        return isOwn
      },
    })
  } catch (cause) {
    throw invalidBackup(messageOf(cause), cause)
  }
  if (strangers.length > 0) throw invalidBackup(`it has files that no backup has (${strangers.length})`)
  if (!existsSync(join(dir, manifestName))) throw invalidBackup('it has no list of files')
  const manifest = parseManifest(readFileSync(join(dir, manifestName), 'utf8'))
  for (const { path, bytes, sha256 } of manifest.files) {
    const unpacked = join(dir, path)
    const size = statSync(unpacked, { throwIfNoEntry: false })?.size
    if (size !== bytes || (await sha256OfFile(unpacked)) !== sha256) throw invalidBackup(`${path} is damaged`)
    chmodSync(unpacked, privateFileMode)
  }
  for (const needed of ['cameo.sqlite', 'audit.sqlite', `${keysFolderName}/audit-mac.key`])
    if (!manifest.files.some(({ path }) => path === needed)) throw invalidBackup(`${needed} is missing`)
  rmSync(join(dir, manifestName))
  return manifest
}
