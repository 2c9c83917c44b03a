import type { Component } from 'svelte'
import type { Right } from '../types.js'
import type { AddressName } from './addresses.js'

/** A view of something whose address has parts that vary. */
export type ViewOf = Component<{ readonly values: Readonly<Record<string, string>> }>
/** A view with one address. */
export type PlainView = Component<Record<string, never>>

/** How a view is loaded. `right`: what somebody needs to see it. */
export type LaterView = { readonly right?: Right } & (
  { readonly plain: () => Promise<PlainView> } | { readonly of: () => Promise<ViewOf> }
)

/** Views that most visits do not need. They are loaded when they are opened. */
export const laterViews: Partial<Record<AddressName, LaterView>> = {
  account: { plain: async () => (await import('../views/AccountView.svelte')).default },
  clips: { right: 'view', plain: async () => (await import('../views/clips/ClipsView.svelte')).default },
  clip: { right: 'view', of: async () => (await import('../views/clips/ClipView.svelte')).default },
  people: { right: 'view', plain: async () => (await import('../views/people/PeopleView.svelte')).default },
  person: { right: 'view', of: async () => (await import('../views/people/PersonView.svelte')).default },
  names: { right: 'view', plain: async () => (await import('../views/names/NamesView.svelte')).default },
  name: { right: 'view', of: async () => (await import('../views/names/NameView.svelte')).default },
  archive: {
    right: 'view',
    plain: async () => (await import('../views/archive/ArchiveView.svelte')).default,
  },
  jobs: { plain: async () => (await import('../views/archive/JobsView.svelte')).default },
  job: { of: async () => (await import('../views/archive/JobView.svelte')).default },
  reports: {
    right: 'evaluate',
    plain: async () => (await import('../views/reports/ReportsView.svelte')).default,
  },
  report: { right: 'evaluate', of: async () => (await import('../views/reports/ReportView.svelte')).default },
  approvals: { plain: async () => (await import('../views/audit/ApprovalsView.svelte')).default },
  audit: { right: 'audit', plain: async () => (await import('../views/audit/AuditView.svelte')).default },
  receipts: {
    right: 'audit',
    plain: async () => (await import('../views/audit/ReceiptsView.svelte')).default,
  },
  receipt: { of: async () => (await import('../views/audit/ReceiptView.svelte')).default },
  users: {
    right: 'administer',
    plain: async () => (await import('../views/administration/UsersView.svelte')).default,
  },
  keys: { plain: async () => (await import('../views/administration/KeysView.svelte')).default },
  collections: {
    right: 'administer',
    plain: async () => (await import('../views/administration/CollectionsView.svelte')).default,
  },
  settings: {
    right: 'administer',
    plain: async () => (await import('../views/administration/SettingsView.svelte')).default,
  },
}
