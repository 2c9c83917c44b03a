import { session as calls } from '../api.js'
import { useCsrfToken, whenSignedOut } from '../request.js'
import type { Right, Session } from '../types.js'

/** Who is signed in, and what this person may do. */
class SessionStore {
  /** Undefined until the server has answered. */
  current = $state<Session>()
  problem = $state<unknown>()

  constructor() {
    whenSignedOut(() => {
      if (this.current?.user !== undefined) void this.load()
    })
  }

  get user(): Session['user'] {
    return this.current?.user
  }

  get policy(): Session['policy'] {
    return this.current?.policy ?? { purposeRequired: false, approvalRequired: false }
  }

  may(right: Right): boolean {
    return this.user?.rights.includes(right) === true
  }

  async load(): Promise<void> {
    try {
      this.problem = undefined
      this.use(await calls.read())
    } catch (error) {
      this.problem = error
    }
  }

  use(given: Session): void {
    useCsrfToken(given.csrfToken)
    this.current = given
  }

  async signIn(name: string, password: string): Promise<void> {
    this.use(await calls.signIn(name, password))
  }

  async signOut(): Promise<void> {
    await calls.signOut()
    // What was loaded belongs to the user who left.
    location.assign('/sign-in')
  }
}

export const session = new SessionStore()
