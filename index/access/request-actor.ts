import { userInfo } from 'node:os'
import { rights, type Right } from './roles.js'

/** Who asks, and what this person or program may do and see. */
export interface RequestActor {
  /** `system`: a person at a command line of this machine, who owns the archive. */
  readonly kind: 'user' | 'key' | 'system' | 'anonymous'
  /** Of the user or key; the user id of the operating system; empty of somebody anonymous. */
  readonly id: string
  readonly name: string
  readonly roles: readonly string[]
  readonly rights: ReadonlySet<Right>
  /** Only clips with a file below one of these folders and URLs. An empty list: nothing. */
  readonly folders: readonly string[] | 'all'
}

export const anonymousActor: RequestActor = {
  ...{ kind: 'anonymous', id: '', name: '' },
  ...{ roles: [], rights: new Set<Right>(), folders: [] },
}

/** The user of the operating system who runs this process. Has every right: whoever can run it can read the archive's files. */
export function systemActor(): RequestActor {
  const { username, uid } = userInfo()
  return {
    ...{ kind: 'system', id: `${uid}`, name: username },
    ...{ roles: ['administrator'], rights: new Set(rights), folders: 'all' },
  }
}

/** What limits a question to what the actor may see; part of a `ClipScope`. */
export const foldersOfActor = ({ folders }: RequestActor): { readonly folders?: readonly string[] } =>
  folders === 'all' ? {} : { folders }
