import { findKeyRow, noteKeyUse, type ApiKeyRow } from '../store/access/api-keys.js'
import { findSession, type SessionRow } from '../store/access/sessions.js'
import { findUserRow, type UserRow } from '../store/access/users.js'
import { createChangeReader } from '../store/change-reader.js'
import type { Access } from './access.js'
import { keyPartsOf } from './api-keys.js'
import { grantedFolders } from './grants.js'
import type { RequestActor } from './request-actor.js'
import { rightsOf, type Right } from './roles.js'
import { hashOfSecret, isEqualSecret } from './secrets.js'
import { noteUse, sessionEndMs } from './sessions.js'
import { readSettings } from './settings.js'

interface KnownSession {
  readonly session: SessionRow
  readonly endMs: number
  readonly actor: RequestActor
}

interface KnownKey {
  readonly key: ApiKeyRow
  readonly actor: RequestActor
}

/** The use of a key is noted once in this time, because each note is a write to the disk. */
const noteKeyUseEveryMs = 10 * 60_000

/** So many sessions and keys are kept in memory. */
const mostKept = 10_000

/**
 * Says who sends a request. What is read is kept until the file changes, so that a request costs microseconds, and what
 * another process changes counts from the next request on.
 */
export class ActorReader {
  readonly #access: Access
  readonly #readChange: () => string
  #change = ''
  readonly #sessions = new Map<string, KnownSession>()
  readonly #keys = new Map<string, KnownKey>()

  constructor(access: Access) {
    this.#access = access
    this.#readChange = createChangeReader(access.database)
  }

  /**
   * The user of a session, if it has not ended and the user is not disabled. Notes that the session is used.
   * @param isUse false: a program asks, not the user, and nothing is noted
   */
  ofSession(token: string, isUse = true): RequestActor | undefined {
    this.#forgetOldReads()
    const tokenHash = hashOfSecret(token)
    const known = this.#sessions.get(tokenHash) ?? this.#readSession(tokenHash)
    if (known === undefined || this.#access.now() >= known.endMs) return undefined
    if (isUse) noteUse(this.#access, known.session)
    return known.actor
  }

  /** The key, if it is right and not expired, and its owner is not disabled. Notes that it is used. @param isUse as above */
  ofKey(given: string, isUse = true): RequestActor | undefined {
    const parts = keyPartsOf(given)
    if (parts === undefined) return undefined
    this.#forgetOldReads()
    const known = this.#keys.get(parts.keyId) ?? this.#readKey(parts.keyId)
    // The comparison also runs for a key that does not exist.
    const isRight = isEqualSecret(known?.key.secretHash ?? '', hashOfSecret(parts.secret))
    const nowMs = this.#access.now()
    if (known === undefined || !isRight || nowMs >= known.key.expiresAtMs) return undefined
    const { keyId, usedAtMs = -Infinity } = known.key
    if (isUse && nowMs - usedAtMs >= noteKeyUseEveryMs) noteKeyUse(this.#access.database, keyId, nowMs)
    return known.actor
  }

  #forgetOldReads(): void {
    const change = this.#readChange()
    if (change === this.#change && this.#sessions.size + this.#keys.size < mostKept) return
    this.#change = change
    this.#sessions.clear()
    this.#keys.clear()
  }

  #readSession(tokenHash: string): KnownSession | undefined {
    const { database } = this.#access
    const session = findSession(database, tokenHash)
    const user = session === undefined ? undefined : enabledUser(database, session.userId)
    if (session === undefined || user === undefined) return undefined
    const known = {
      ...{ session, endMs: sessionEndMs(session, readSettings(this.#access)) },
      actor: actorOf(database, user),
    }
    this.#sessions.set(tokenHash, known)
    return known
  }

  #readKey(keyId: string): KnownKey | undefined {
    const { database } = this.#access
    const key = findKeyRow(database, keyId)
    const user = key === undefined ? undefined : enabledUser(database, key.userId)
    if (key === undefined || user === undefined) return undefined
    const known = { key, actor: actorOf(database, user, key) }
    this.#keys.set(keyId, known)
    return known
  }
}

function enabledUser(database: Access['database'], userId: string): UserRow | undefined {
  const user = findUserRow(database, userId)
  return user?.isDisabled === true ? undefined : user
}

/** A key may do what its own roles allow and its owner may do at the moment. */
function actorOf(database: Access['database'], user: UserRow, key?: ApiKeyRow): RequestActor {
  const { kind, id, name, roles } =
    key === undefined
      ? { kind: 'user' as const, id: user.userId, name: user.name, roles: user.roles }
      : { kind: 'key' as const, id: key.keyId, name: `${user.name}: ${key.name}`, roles: key.roles }
  const ofOwner = rightsOf(user.roles)
  const rights = new Set<Right>([...rightsOf(roles)].filter((right) => ofOwner.has(right)))
  return { kind, id, name, roles, rights, folders: grantedFolders(database, user, key) }
}
