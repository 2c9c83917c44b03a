import { InvalidArgumentError } from 'commander'
import { openAccess, type Access } from '../../../index/access/access.js'
import { changeEntry, type AccessChange } from '../../../index/access/change-entries.js'
import { collectionNamed } from '../../../index/access/collections.js'
import { isRole, roleNames, type Role } from '../../../index/access/roles.js'
import { recordUse } from '../../../index/audit/record-use.js'
import { exitCodes, note } from '../../cli/output.js'

/** Opens the users and settings of an archive for a command. */
export async function useAccess(dir: string, work: (access: Access) => Promise<void> | void): Promise<void> {
  const access = openAccess(dir)
  try {
    await work(access)
  } finally {
    access.close()
  }
  process.exitCode = exitCodes.ok
}

/** Adds a change to the audit log, as the server does. Call it before the answer is shown. */
export const noteChange = (dir: string, change: AccessChange): Promise<void> =>
  recordUse(dir, () => [changeEntry(change)], { notify: note })

/** Ids of collections by their names. */
export const idsOfCollections = (access: Access, names: readonly string[]): string[] =>
  names.map((name) => collectionNamed(access, name).collectionId)

/** A role, as a value of an option that may be repeated. */
export function roleOf(text: string): Role {
  if (!isRole(text)) throw new InvalidArgumentError(`Allowed choices are ${roleNames.join(', ')}.`)
  return text
}
