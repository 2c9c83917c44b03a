/** A value that JSON has. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined }

/** An object that JSON has. What is undefined is left out. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined }

/** Who did it. An operator is no subject: what they did stays readable when somebody is forgotten. */
export interface AuditActor {
  readonly kind: 'user' | 'key' | 'system' | 'anonymous'
  readonly id: string
  readonly name: string
}

/** Whom or what a part of an entry is about. When it is forgotten, that part can no longer be read. */
export interface AuditSubject {
  readonly kind: 'name' | 'clip' | 'group' | 'photo'
  /** An enrolled name, the id of a clip or a group, or the digest of a photo's bytes. */
  readonly label: string
}

/** What an entry says about one subject: names, ids, paths, results. It is encrypted under the subject's key. */
export interface AuditPart {
  readonly subject: AuditSubject
  readonly content: JsonObject
}

export type AuditAction =
  | 'search'
  | 'view-clip'
  | 'view-person'
  | 'play'
  | 'export'
  | 'enroll'
  | 'name'
  | 'correct'
  | 'ingest'
  | 'group'
  | 'evaluate'
  | 'forget-name'
  | 'forget-clip'
  | 'forget-face'
  | 'forget-unnamed'
  | 'erasure-finished'
  | 'sign-in'
  | 'sign-in-failed'
  | 'sign-out'
  | 'settings'
  | 'backup'
  | 'restore'
  | 'audit-export'
  | `user-${string}`
  | `key-${string}`
  | `collection-${string}`
  | `approval-${string}`

/** What happened, to be added to the log. */
export interface AuditEntry {
  readonly actor: AuditActor
  readonly action: AuditAction
  readonly purpose?: string | undefined
  readonly caseReference?: string | undefined
  readonly approvalId?: string | undefined
  readonly outcome: 'done' | 'refused' | 'failed'
  /** Further facts. They stay readable, so they must name no person, clip or file. */
  readonly details?: JsonObject | undefined
  readonly parts?: readonly AuditPart[] | undefined
}
