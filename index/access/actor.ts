import type { Right, Role } from './roles.js'

/** Who asks. */
export interface RequestActor {
  readonly kind: 'user' | 'key' | 'system' | 'anonymous'
  readonly id: string
  readonly name: string
  readonly roles: readonly Role[]
  readonly rights: ReadonlySet<Right>
  /** Folders and URLs below which this actor sees clips. */
  readonly folders: readonly string[] | 'all'
}
