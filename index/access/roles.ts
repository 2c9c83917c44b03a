/** What somebody may do. */
export const rights = [
  /** Search for people. */
  'search',
  /** See clips, tracks, thumbnails, media, people and names. */
  'view',
  /** Write answers to files. */
  'export',
  /** Correct answers, groups and names; enroll names. */
  'correct',
  /** Add clips to the archive. */
  'ingest',
  /** Forget people and clips. */
  'erase',
  /** Measure on labelled data. */
  'evaluate',
  /** Read and check the log and the receipts. */
  'audit',
  /** Decide on searches that others want to make. */
  'approve',
  /** Manage users, keys, collections and settings. */
  'administer',
  /** Read the figures of the running server. */
  'metrics',
] as const

export type Right = (typeof rights)[number]

const viewer = ['search', 'view', 'export'] as const satisfies readonly Right[]

/** The rights of each role. */
export const roleTable = {
  viewer,
  ingester: ['view', 'ingest'],
  curator: [...viewer, 'correct', 'erase', 'evaluate', 'ingest'],
  auditor: ['audit', 'metrics', 'approve'],
  administrator: rights,
} as const satisfies Readonly<Record<string, readonly Right[]>>

export type Role = keyof typeof roleTable

/** In the order of the table. */
export const roleNames: readonly Role[] = ['viewer', 'ingester', 'curator', 'auditor', 'administrator']

export const isRole = (text: string): text is Role => Object.hasOwn(roleTable, text)

/** All that at least one of the roles allows. A text that is no role allows nothing. */
export const rightsOf = (roles: readonly string[]): ReadonlySet<Right> =>
  new Set(roles.flatMap((role): readonly Right[] => (isRole(role) ? roleTable[role] : [])))

/** Roles that see the whole archive, unless something else is said when the user is made. */
export const seesAllAtFirst = (roles: readonly Role[]): boolean =>
  roles.some((role) => role === 'curator' || role === 'administrator')
