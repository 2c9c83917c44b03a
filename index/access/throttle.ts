import { CameoError } from '../../pipeline/common/errors.js'
import { fileKey } from '../store/access/access-database.js'
import {
  addFailure,
  deleteFailures,
  deleteOldAddresses,
  deleteOldFailures,
  failuresOf,
  isKnownAddress,
  noteKnownAddress,
  removeFailure,
} from '../store/access/sign-in-failures.js'
import type { UserRow } from '../store/access/users.js'
import { inTransaction } from '../store/transaction.js'
import type { Access } from './access.js'
import { hmacOf } from './secrets.js'

/** How many failures in a row are free, per user and per address. Many users may share one address. */
const freeFailures = { user: 5, address: 20 } as const

const firstWaitMs = 1000
/** Nobody is kept out longer than this after a failure, whoever caused it. */
const longestWaitMs = 15 * 60_000

const dayMs = 24 * 3600_000
/** Failures are forgotten after a day without a further one. */
const failuresLastMs = dayMs
const addressesLastMs = 90 * dayMs

/** Somebody who tries to sign in. */
export interface SignInAttempt {
  /** Key of the name that was given, whether there is such a user or not. */
  readonly nameKey: string
  readonly userId: string | undefined
  /** Where the request comes from. */
  readonly address: string
}

/**
 * Slows guessing of passwords down: after some failures in a row, each further one doubles the time in which the next
 * attempt is refused. Failures are counted per address and per user. A user who has signed in from an address before is
 * counted separately there, so that strangers who guess from elsewhere do not keep the user out (OWASP, "device
 * cookies"). The counts are stored, so that a restart does not reset them.
 */
export class SignInThrottle {
  readonly #access: Access
  readonly #attempt: SignInAttempt
  readonly #address: string
  readonly #subjects: readonly { readonly subject: string; readonly free: number }[]

  constructor(access: Access, attempt: SignInAttempt) {
    this.#access = access
    this.#attempt = attempt
    this.#address = digestOf(access, `address ${attempt.address}`)
    const { userId } = attempt
    const isKnown = userId !== undefined && isKnownAddress(access.database, userId, this.#address)
    const user = userSubject(access, attempt.nameKey)
    this.#subjects = [
      { subject: isKnown ? `${user} ${this.#address}` : user, free: freeFailures.user },
      // Others behind the same address must not keep a known user out, either.
      ...(isKnown ? [] : [{ subject: this.#address, free: freeFailures.address }]),
    ]
  }

  /**
   * Counts the attempt as failed until it succeeds: parallel guesses must not pass before the first one is counted.
   * @throws SIGN_IN_THROTTLED with how long to wait
   */
  begin(): void {
    const { database, now } = this.#access
    inTransaction(database, () => {
      const nowMs = now()
      deleteOldFailures(database, nowMs - failuresLastMs)
      const waitMs = Math.max(
        ...this.#subjects.map(({ subject, free }) => this.#waitOf(subject, free, nowMs)),
      )
      if (waitMs > 0) throw throttled(waitMs)
      for (const { subject } of this.#subjects) addFailure(database, subject, nowMs)
    })
  }

  #waitOf(subject: string, free: number, nowMs: number): number {
    const found = failuresOf(this.#access.database, subject)
    if (found === undefined) return 0
    return found.failedAtMs + pauseAfter(found.failures - free) - nowMs
  }

  /** Failures of the user no longer count. Those of the address do: it may guess passwords of others. */
  succeed(): void {
    const { database, now } = this.#access
    const { userId } = this.#attempt
    inTransaction(database, () => {
      const [user, address] = this.#subjects
      if (user !== undefined) deleteFailures(database, user.subject)
      if (address !== undefined) removeFailure(database, address.subject)
      deleteOldAddresses(database, now() - addressesLastMs)
      if (userId !== undefined) noteKnownAddress(database, userId, this.#address, now())
    })
  }
}

/** How long after the last failure, ms. @param beyond failures beyond the free ones */
const pauseAfter = (beyond: number) =>
  beyond < 0 ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(beyond, 40))

function throttled(waitMs: number): CameoError {
  const seconds = Math.ceil(waitMs / 1000)
  return new CameoError('SIGN_IN_THROTTLED', 'too many sign-ins failed; try again later', {
    details: { remedy: 'wait', seconds },
  })
}

/** Failed sign-ins of a user no longer count. */
export function forgetFailures(access: Access, { nameKey }: Pick<UserRow, 'nameKey'>): void {
  deleteFailures(access.database, userSubject(access, nameKey))
}

/** A keyed digest: people sometimes type their password where the name belongs. */
const digestOf = ({ database }: Access, text: string) => hmacOf(fileKey(database, 'throttle'), text)

const userSubject = (access: Access, nameKey: string) => digestOf(access, `user ${nameKey}`)
