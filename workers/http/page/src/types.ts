/** What the API answers, as far as the page uses it. */

export type Right =
  | 'search'
  | 'view'
  | 'export'
  | 'correct'
  | 'ingest'
  | 'erase'
  | 'evaluate'
  | 'audit'
  | 'approve'
  | 'administer'
  | 'metrics'

export const roleNames = ['viewer', 'ingester', 'curator', 'auditor', 'administrator'] as const
export type Role = (typeof roleNames)[number]

export type Grants = 'all' | readonly string[]

export interface Session {
  readonly user?: {
    readonly id: string
    readonly name: string
    readonly roles: readonly string[]
    readonly rights: readonly Right[]
  }
  readonly csrfToken?: string
  readonly methods: {
    readonly password: boolean
    readonly oidc?: { readonly label: string; readonly url: string }
  }
  readonly policy: { readonly purposeRequired: boolean; readonly approvalRequired: boolean }
  readonly setupNeeded: boolean
}

export interface Range {
  readonly startS: number
  readonly endS: number
  readonly trackId: number
  readonly score?: number
  readonly weak?: true
  readonly confirmed?: true
}

export interface UnseenRange {
  readonly startS: number
  readonly endS?: number
  readonly state: string
  readonly message?: string
}

export interface ClipCoverage {
  readonly clipId?: string
  readonly paths?: readonly string[]
  readonly states: readonly string[]
  readonly durationS?: number
  readonly lookedAtS: number
  readonly notLookedAtS?: number
  readonly unseen: readonly UnseenRange[]
  readonly leftOut: readonly string[]
  readonly code?: string
  readonly message?: string
}

export interface CoverageSum {
  readonly clips: number
  readonly incomplete: number
  readonly unknownLength: number
  readonly hours: number
  readonly lookedAtHours: number
  readonly notLookedAtHours: number
  readonly states: Readonly<Record<string, number>>
}

export interface Threshold {
  readonly threshold: number
  readonly reason: string
  readonly expectedFalseMatches?: number
}

export interface Match {
  readonly clipId: string
  readonly path: string
  readonly isMissing: boolean
  readonly score: number
  readonly probability?: number
  readonly durationS?: number
  readonly confirmed?: true
  readonly ranges: readonly Range[]
  readonly thumbnail?: string
  readonly unseen?: ClipCoverage
  readonly others?: readonly { readonly name: string; readonly score: number }[]
}

/** Whom a search is for. */
export type Subject =
  | { readonly name: string }
  | { readonly trackId: number }
  | { readonly personId: number }
  | { readonly clipId: string }
  | { readonly uploadId: string; readonly face?: number }

export interface SearchBody {
  readonly subject: Subject
  readonly top?: number
  readonly expectFalse?: number
  readonly weak?: boolean
  readonly with?: readonly string[]
  readonly without?: readonly string[]
  readonly together?: boolean
  readonly folder?: string
  readonly since?: string
  readonly until?: string
  readonly purpose?: string
  readonly case?: string
  readonly approvalId?: string
}

/** An answer without its clips. */
export interface SearchHead {
  readonly searchId: string
  readonly threshold: Threshold
  readonly prior?: { readonly appearances: number; readonly tracks: number }
  readonly tracksSearched: number
  readonly coverage: CoverageSum
  readonly query?: { readonly notices?: readonly string[] }
}

export interface SearchAnswer extends SearchHead {
  readonly matches: readonly Match[]
  readonly weak: readonly Match[]
}

export interface Candidate {
  readonly number: number
  readonly quality: number
  /** [x1, y1, x2, y2], px of the displayed picture. */
  readonly box: readonly number[]
  readonly thumbnail?: string
  readonly isMain?: boolean
  readonly ranges?: readonly { readonly startS: number; readonly endS: number }[]
}

export interface Upload {
  readonly uploadId: string
  readonly kind: 'image' | 'clip'
  readonly people: readonly Candidate[]
  readonly notices?: readonly string[]
  readonly expiresAt: string
}

export interface PersonInClip {
  readonly name?: string
  readonly personId?: number
  readonly score?: number
  readonly trackIds: readonly number[]
  readonly ranges: readonly Range[]
  readonly seenS: number
  readonly thumbnail?: string
}

export interface ClipEntry {
  readonly clipId: string
  readonly path: string
  readonly isMissing: boolean
  readonly durationS?: number
  readonly date: string
  readonly people: readonly PersonInClip[]
  readonly coverage: ClipCoverage
}

export interface Clip {
  readonly clipId: string
  readonly path: string
  readonly isMissing: boolean
  readonly paths: readonly string[]
  readonly date?: string
  readonly durationS?: number
  readonly people: readonly PersonInClip[]
  readonly coverage: ClipCoverage
}

export interface Playback {
  /** The browser plays the file itself. */
  readonly direct: boolean
  readonly url: string
  readonly mime: string
  readonly reason?: string
  /** Where the media begins and ends in the clip, s. */
  readonly mediaStartS: number
  readonly mediaEndS?: number
}

export interface NameEntry {
  readonly name: string
  readonly faces: number
  readonly clips: number
  readonly tracks: number
  readonly seenS: number
}

export interface NameList {
  readonly people: readonly NameEntry[]
  readonly unnamed: { readonly clips: number; readonly tracks: number; readonly seenS: number }
  readonly next?: string
}

export interface NameFace {
  readonly number: number
  readonly source: string
  readonly quality: number
  readonly similarity?: number
  readonly isOdd: boolean
  readonly picture?: string
}

export type Verdict = 'confirmed' | 'rejected'

export interface ShownCorrection {
  readonly clipId: string
  readonly path?: string
  readonly verdict: Verdict
  readonly at: string
  readonly ranges: readonly { readonly startS: number; readonly endS: number }[]
  readonly isFound: boolean
}

export interface ShownName {
  readonly name: string
  readonly aliases: readonly string[]
  readonly note?: string
  readonly people: readonly number[]
  readonly faces: readonly NameFace[]
  readonly otherFaces: { readonly count: number; readonly withPicture: number }
  readonly needsPhotos: boolean
  readonly corrections: readonly ShownCorrection[]
}

export interface Correction {
  readonly clipId: string
  readonly verdict: Verdict
  readonly range?: { readonly startS: number; readonly endS: number }
  readonly undo?: boolean
}

export interface Person {
  readonly personId: number
  readonly name?: string
  readonly isHidden: boolean
  readonly tracks: number
  readonly clips: number
  readonly seenS: number
  readonly firstSeen?: string
  readonly lastSeen?: string
  readonly thumbnail?: string
}

export interface PeopleChange {
  readonly changeId: number
  readonly at: string
  readonly action: string
  readonly isUndone: boolean
  readonly people: readonly number[]
  readonly tracks: number
}

export interface Erased {
  readonly forgotten?: string
  readonly left?: number
  readonly pending?: string
  readonly receiptId?: string
  readonly receipt?: Receipt
}

export interface Status {
  readonly clips: number
  readonly tracks: number
  readonly partial: number
  readonly failed: number
  readonly coverage: CoverageSum
}

export interface FolderCoverage extends CoverageSum {
  readonly folder: string
}

export interface Coverage {
  readonly sum: CoverageSum
  readonly folders: readonly FolderCoverage[]
  readonly clips: readonly ClipCoverage[]
}

export interface Failure {
  readonly path: string
  readonly code?: string
  readonly message?: string
  readonly missing?: true
}

export interface Job {
  readonly jobId: string
  readonly kind: string
  readonly state: string
  readonly startedAt?: string
  readonly endedAt?: string
  readonly progress?: JobProgress
  readonly result?: unknown
  readonly error?: { readonly code: string; readonly detail: string }
}

/** Counts of an ingest, and where it is. */
export interface JobProgress {
  readonly found?: number
  readonly isAllFound?: boolean
  readonly done?: number
  readonly [key: string]: unknown
}

export interface Evaluation {
  readonly evaluationId: string
  readonly at?: string
  readonly [key: string]: unknown
}

export interface User {
  readonly userId: string
  readonly name: string
  readonly roles: readonly string[]
  readonly isDisabled: boolean
  readonly hasPassword: boolean
  readonly collections: Grants
  readonly createdAt: string
}

export interface ApiKey {
  readonly keyId: string
  readonly userId: string
  readonly name: string
  readonly roles: readonly string[]
  readonly collections: Grants
  readonly createdAt: string
  readonly expiresAt: string
  readonly usedAt?: string
}

export interface Collection {
  readonly collectionId: string
  readonly name: string
  readonly folders: readonly string[]
  readonly createdAt: string
}

export type Settings = Readonly<Record<string, boolean | number>>

export type AuditPart =
  | {
      readonly state: 'readable'
      readonly subject: { readonly kind: string; readonly label: string }
      readonly content: Readonly<Record<string, unknown>>
    }
  | { readonly state: 'erased' | 'unreadable' }

export interface AuditRow {
  readonly seq: number
  readonly at: string
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string }
  readonly action: string
  readonly purpose?: string
  readonly caseReference?: string
  readonly approvalId?: string
  readonly outcome: string
  readonly details: Readonly<Record<string, unknown>>
  readonly parts: readonly AuditPart[]
}

export interface Verification {
  readonly isIntact: boolean
  readonly rows: number
  readonly problems: readonly { readonly kind: string; readonly message: string }[]
}

export interface Approval {
  readonly approvalId: string
  readonly state: string
  readonly requester: { readonly id: string; readonly name: string }
  readonly decider?: { readonly name: string }
  readonly purpose?: string
  readonly caseReference?: string
  readonly reason?: string
  readonly parts?: readonly AuditPart[]
  readonly requestedAt: string
  readonly expiresAt?: string
  readonly decidedAt?: string
}

export interface Receipt {
  readonly receiptId?: string
  readonly at?: string
  readonly [key: string]: unknown
}

/** A page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}
