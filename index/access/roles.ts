/** What somebody may do. */
export const rights = [
  'search',
  'view',
  'export',
  'correct',
  'ingest',
  'erase',
  'evaluate',
  'audit',
  'approve',
  'administer',
  'metrics',
] as const
export type Right = (typeof rights)[number]

/** The one table of roles. A user has one or more of them. */
export const roles = {
  viewer: ['search', 'view', 'export'],
  ingester: ['view', 'ingest'],
  curator: ['search', 'view', 'export', 'correct', 'erase', 'evaluate', 'ingest'],
  auditor: ['audit', 'metrics', 'approve'],
  administrator: rights,
} as const satisfies Readonly<Record<string, readonly Right[]>>
export type Role = keyof typeof roles
