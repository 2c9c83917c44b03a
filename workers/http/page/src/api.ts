import { ask, linesOf, send, urlOf, type Query } from './request.js'
import type * as Api from './types.js'

/** All calls of the server that the page makes. */

const part = (text: string | number) => encodeURIComponent(String(text))

/** The list of an answer, whatever it is called there. */
async function pageOf<Item>(path: string, query: Query = {}): Promise<Api.Page<Item>> {
  const answer = await ask<Readonly<Record<string, unknown>>>('GET', path, { query })
  const items = Object.values(answer).find((value) => Array.isArray(value)) ?? []
  const { next } = answer
  return { items, ...(typeof next === 'string' ? { next } : {}) }
}

export interface PageQuery {
  readonly after?: string | undefined
  readonly limit?: number
}

export const session = {
  read: () => ask<Api.Session>('GET', '/session'),
  signIn: (name: string, password: string) =>
    ask<Api.Session>('POST', '/session', { body: { name, password } }),
  signOut: () => ask<unknown>('DELETE', '/session'),
  changePassword: (oldPassword: string, newPassword: string) =>
    ask<Api.Session>('POST', '/session/password', { body: { oldPassword, newPassword } }),
  setUp: (token: string, name: string, password: string) =>
    ask<Api.Session>('POST', '/setup', { body: { token, name, password } }),
}

export const uploads = {
  add(file: File, signal?: AbortSignal): Promise<Api.Upload> {
    const body = new FormData()
    body.append('file', file, file.name)
    return ask('POST', '/uploads', { body, ...(signal === undefined ? {} : { signal }) })
  },
  /** A list of labelled clips, for an evaluation. */
  addGroundTruth(file: File): Promise<{ readonly uploadId: string }> {
    const body = new FormData()
    body.append('file', file, file.name)
    return ask('POST', '/uploads', { body, query: { as: 'list' } })
  },
  remove: (uploadId: string) => ask<unknown>('DELETE', `/uploads/${part(uploadId)}`),
}

type SearchLine =
  | ({ readonly kind: 'query' } & Api.SearchHead)
  | ({ readonly kind: 'match' | 'weak' } & Api.Match)
  | { readonly kind: 'end' }

/** What happens while an answer comes in. */
export interface SearchEvents {
  onMatch(match: Api.Match, isWeak: boolean): void
  /** Before the matches. */
  onHead(head: Api.SearchHead): void
}

/** Searches; matches are told as they arrive. @throws Problem */
export async function search(body: Api.SearchBody, events: SearchEvents, signal: AbortSignal): Promise<void> {
  const response = await send('POST', '/searches', { body, accept: 'application/x-ndjson', signal })
  for await (const line of linesOf<SearchLine>(response))
    if (line.kind === 'query') events.onHead(line)
    else if (line.kind !== 'end') events.onMatch(line, line.kind === 'weak')
}

/** What is written to a file. */
export type ExportOf =
  { readonly search: Api.SearchBody } | { readonly clipId: string } | { readonly personId: number }

export const exportFormats = ['csv', 'edl', 'otio', 'vtt', 'srt', 'json'] as const
export type ExportFormat = (typeof exportFormats)[number]

export const exports = {
  async write(of: ExportOf, format: ExportFormat): Promise<Blob> {
    return (await send('POST', '/exports', { body: { of, format }, accept: '*/*' })).blob()
  },
  namesUrl: urlOf('/names/export'),
}

export interface ClipsQuery extends PageQuery {
  readonly folder?: string | undefined
  readonly person?: string | undefined
  readonly unnamed?: boolean | undefined
  readonly unfinished?: boolean | undefined
}

export const clips = {
  list: (query: ClipsQuery) => pageOf<Api.ClipEntry>('/clips', { ...query }),
  show: (clipId: string) => ask<Api.Clip>('GET', `/clips/${part(clipId)}`),
  playback: (clipId: string, startS: number, endS: number) =>
    ask<Api.Playback>('GET', `/clips/${part(clipId)}/playback`, { query: { startS, endS } }),
  forget: (clipId: string) => ask<Api.Erased>('DELETE', `/clips/${part(clipId)}`),
}

export const names = {
  list: (query: PageQuery = {}) => ask<Api.NameList>('GET', '/names', { query: { limit: 200, ...query } }),
  show: (name: string) => ask<Api.ShownName>('GET', `/names/${part(name)}`),
  change: (name: string, body: { readonly note?: string; readonly aliases?: readonly string[] }) =>
    ask<Api.ShownName>('PATCH', `/names/${part(name)}`, { body }),
  addTrack: (name: string, trackId: number) =>
    ask<unknown>('POST', `/names/${part(name)}/tracks`, { body: { trackId } }),
  addFace: (name: string, upload: { readonly uploadId: string; readonly face?: number }) =>
    ask<unknown>('POST', `/names/${part(name)}/faces`, { body: upload }),
  correct: (name: string, body: Api.Correction) =>
    ask<unknown>('POST', `/names/${part(name)}/corrections`, { body }),
  forget: (name: string) => ask<Api.Erased>('DELETE', `/names/${part(name)}`),
  forgetFace: (name: string, number: number) =>
    ask<Api.Erased>('DELETE', `/names/${part(name)}/faces/${number}`),
}

export interface PeopleQuery extends PageQuery {
  readonly hidden?: 'without' | 'with' | 'only'
  readonly named?: boolean | undefined
}

export const people = {
  list: (query: PeopleQuery) => pageOf<Api.Person>('/people', { limit: 60, ...query }),
  show: (personId: number) => ask<Api.ShownPerson>('GET', `/people/${personId}`),
  change: (personId: number, body: Api.PersonChange) =>
    ask<Api.PersonChanged>('PATCH', `/people/${personId}`, { body }),
  merge: (personId: number, ids: readonly number[]) =>
    ask<unknown>('POST', `/people/${personId}/merge`, { body: { ids } }),
  split: (personId: number, trackIds: readonly number[]) =>
    ask<{ readonly personId: number }>('POST', `/people/${personId}/split`, { body: { trackIds } }),
  changes: () => pageOf<Api.PeopleChange>('/people/changes'),
  undo: (changeId: number) => ask<unknown>('POST', `/people/changes/${changeId}/undo`),
}

export const archive = {
  status: () => ask<Api.Status>('GET', '/status'),
  coverage: (query: PageQuery = {}) => ask<Api.Coverage>('GET', '/coverage', { query: { ...query } }),
  failures: (query: PageQuery = {}) => pageOf<Api.Failure>('/failures', { ...query }),
}

export const jobs = {
  list: () => pageOf<Api.Job>('/jobs'),
  show: (jobId: string) => ask<Api.Job>('GET', `/jobs/${part(jobId)}`),
  start: (body: Api.NewJob) => ask<Api.Job>('POST', '/jobs', { body }),
  stop: (jobId: string) => ask<unknown>('DELETE', `/jobs/${part(jobId)}`),
  eventsUrl: (jobId: string) => urlOf(`/jobs/${part(jobId)}/events`),
}

export const evaluations = {
  list: () => pageOf<Api.EvaluationEntry>('/evaluations'),
  show: (evaluationId: string) => ask<Api.Evaluation>('GET', `/evaluations/${part(evaluationId)}`),
}

export const administration = {
  users: () => pageOf<Api.User>('/users'),
  addUser: (body: Api.NewUser) => ask<Api.User>('POST', '/users', { body }),
  changeUser: (userId: string, body: Api.UserChange) =>
    ask<Api.User>('PATCH', `/users/${part(userId)}`, { body }),
  removeUser: (userId: string) => ask<unknown>('DELETE', `/users/${part(userId)}`),
  keys: () => pageOf<Api.ApiKey>('/keys'),
  addKey: (body: Api.NewKey) => ask<Api.MadeKey>('POST', '/keys', { body }),
  removeKey: (keyId: string) => ask<unknown>('DELETE', `/keys/${part(keyId)}`),
  collections: () => pageOf<Api.Collection>('/collections'),
  addCollection: (body: Api.NewCollection) => ask<Api.Collection>('POST', '/collections', { body }),
  changeCollection: (collectionId: string, body: Api.NewCollection) =>
    ask<Api.Collection>('PATCH', `/collections/${part(collectionId)}`, { body }),
  removeCollection: (collectionId: string) => ask<unknown>('DELETE', `/collections/${part(collectionId)}`),
  settings: () => ask<Api.Settings>('GET', '/settings'),
  changeSettings: (body: Api.Settings) => ask<Api.Settings>('PUT', '/settings', { body }),
}

export interface AuditQuery extends PageQuery {
  readonly actor?: string
  readonly action?: string
  readonly since?: string | undefined
  readonly until?: string | undefined
}

export const audit = {
  list: (query: AuditQuery) => pageOf<Api.AuditRow>('/audit', { limit: 50, ...query }),
  verify: () => ask<Api.Verification>('POST', '/audit/verification'),
  exportUrl: urlOf('/audit/export'),
}

export const approvals = {
  list: (query: PageQuery = {}) => pageOf<Api.Approval>('/approvals', { ...query }),
  show: (approvalId: string) => ask<Api.Approval>('GET', `/approvals/${part(approvalId)}`),
  request: (search: Api.SearchBody) => ask<Api.Approval>('POST', '/approvals', { body: { search } }),
  decide: (approvalId: string, approved: boolean, reason: string) =>
    ask<Api.Approval>('POST', `/approvals/${part(approvalId)}/decision`, { body: { approved, reason } }),
}

export const receipts = {
  list: () => pageOf<Api.Receipt>('/receipts'),
  show: (receiptId: string) => ask<Api.Receipt>('GET', `/receipts/${part(receiptId)}`),
}
