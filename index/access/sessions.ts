import {
  deleteOldSessions,
  deleteSession,
  insertSession,
  noteSessionUse,
  type SessionRow,
} from '../store/access/sessions.js'
import type { Access } from './access.js'
import { hashOfSecret, hmacOf, isEqualSecret, randomSecret } from './secrets.js'
import { readSettings, type AccessSettings } from './settings.js'

/** A session that just began. The token is known only here and to the client. */
export interface NewSession {
  readonly token: string
  /** To be sent with every request of the session that changes something. */
  readonly csrfToken: string
  /** When it ends at the latest. */
  readonly expiresAt: Date
}

const hourMs = 3600_000
/** The last use is noted once in this time, because each note is a write to the disk. */
const noteUseEveryMs = 60_000

/** Starts a session of a user, always with a new token. Removes sessions that have ended. */
export function startSession(access: Access, userId: string): NewSession {
  const { database } = access
  const { sessionHours, sessionIdleHours } = readSettings(access)
  const nowMs = access.now()
  deleteOldSessions(database, {
    createdBeforeMs: nowMs - sessionHours * hourMs,
    usedBeforeMs: nowMs - sessionIdleHours * hourMs,
  })
  const token = randomSecret()
  insertSession(database, {
    ...{ tokenHash: hashOfSecret(token), userId, createdAtMs: nowMs, usedAtMs: nowMs },
  })
  return {
    ...{ token, csrfToken: csrfTokenOf(token) },
    expiresAt: new Date(nowMs + sessionHours * hourMs),
  }
}

/** Ends a session. Nothing happens if there is none. */
export function endSession({ database }: Access, token: string): void {
  deleteSession(database, hashOfSecret(token))
}

/** When a session ends, ms since 1970, if no further request comes. */
export const sessionEndMs = (
  { createdAtMs, usedAtMs }: SessionRow,
  { sessionHours, sessionIdleHours }: AccessSettings,
): number => Math.min(createdAtMs + sessionHours * hourMs, usedAtMs + sessionIdleHours * hourMs)

/** Notes that a session is used, if that was not noted lately. */
export function noteUse({ database, now }: Access, { tokenHash, usedAtMs }: SessionRow): void {
  if (now() - usedAtMs >= noteUseEveryMs) noteSessionUse(database, tokenHash, now())
}

/**
 * The token against requests forged by other sites. It is made from the session's token, which is stored nowhere, so it
 * belongs to this session alone.
 */
export const csrfTokenOf = (token: string): string => hmacOf(token, 'request of this session')

/** True if a request came from a page that could read the answers of this session. */
export const isCsrfToken = (token: string, given: string): boolean => isEqualSecret(csrfTokenOf(token), given)
