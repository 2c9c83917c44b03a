import { userInfo } from 'node:os'
import type { AuditActor } from './audit-entry.js'

/** The user of this machine who runs this process. */
export function systemActor(): AuditActor {
  try {
    const { uid, username } = userInfo()
    return { kind: 'system', id: uid < 0 ? username : `uid:${uid}`, name: username }
  } catch {
    // A container may run as a user without a name.
    const uid = process.getuid?.() ?? -1
    return { kind: 'system', id: `uid:${uid}`, name: `user ${uid}` }
  }
}
