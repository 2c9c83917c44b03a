import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { auditHeadFileName } from '../audit/head-file.js'
import { keysFolderName } from '../audit/archive-keys.js'
import { archiveDatabases } from '../store/restore-files.js'

export const manifestName = 'manifest.json'

const allowedFile = new RegExp(
  `^(${[...archiveDatabases, auditHeadFileName].join('|').replaceAll('.', '\\.')}|${keysFolderName}/[a-z0-9-]+\\.(key|pem))$`,
)

/** True of files that a backup may contain besides its manifest. */
export const isBackupFile = (path: string): boolean => allowedFile.test(path)

const manifestSchema = z.object({
  kind: z.literal('cameo-backup'),
  version: z.literal(1),
  archiveId: z.string(),
  /** When the backup was begun, ISO 8601, UTC. */
  at: z.iso.datetime(),
  files: z.array(
    z.object({
      path: z.string().refine(isBackupFile),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
})

/** What a backup contains. */
export type Manifest = z.infer<typeof manifestSchema>

/** Describes the files of a folder. */
export async function describeFiles(dir: string): Promise<Manifest['files']> {
  const keys = join(dir, keysFolderName)
  const names = [
    ...[...archiveDatabases, auditHeadFileName].filter((name) => existsSync(join(dir, name))),
    ...(existsSync(keys) ? readdirSync(keys).map((name) => `${keysFolderName}/${name}`) : []),
  ].filter(isBackupFile)
  const files: Manifest['files'] = []
  for (const path of names.sort()) {
    const file = join(dir, path)
    files.push({ path, bytes: statSync(file).size, sha256: await sha256OfFile(file) })
  }
  return files
}

/** @throws BACKUP_INVALID */
export function parseManifest(text: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw invalidBackup('its list of files cannot be read', cause)
  }
}

export const invalidBackup = (problem: string, cause?: unknown) =>
  new CameoError('BACKUP_INVALID', `this is not a backup, or it is damaged: ${problem}`, { cause })
