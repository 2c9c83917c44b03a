import type { components } from '../../client/api-types.js'

/** What the API takes and answers: its own types, which are generated from its document. The page changes nothing of what it gets. */
type Schemas = components['schemas']

type Shown<Value> = Value extends readonly (infer Item)[]
  ? readonly Shown<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Shown<Value[Key]> }
    : Value

export type Session = Shown<Schemas['Session']>
export type Right = NonNullable<Session['user']>['rights'][number]
export type Role = Session['roles'][number]
export const roleNames = [
  'viewer',
  'ingester',
  'curator',
  'auditor',
  'administrator',
] as const satisfies readonly Role[]

/** Whom a search is for. */
export type Subject = Shown<Schemas['Subject']>
/** A question. What is left out has the default of the API. */
export type SearchBody = Pick<Shown<Schemas['Search']>, 'subject'> & Partial<Shown<Schemas['Search']>>
export type Range = Shown<Schemas['Range']>
export type Match = Shown<Schemas['Match']>
export type SearchAnswer = Shown<Schemas['SearchAnswer']>
/** An answer without its clips. */
export type SearchHead = Omit<SearchAnswer, 'matches' | 'weak'>
export type CoverageSum = Shown<Schemas['CoverageSum']>
export type Threshold = Shown<Schemas['Threshold']>

export type Upload = Shown<Schemas['Upload']>
export type Candidate = Upload['people'][number]

export type ClipEntry = Shown<Schemas['ClipEntry']>
export type Clip = Shown<Schemas['Clip']>
export type PersonInClip = ClipEntry['people'][number]
export type ClipCoverage = ClipEntry['coverage']
export type UnseenRange = ClipCoverage['unseen'][number]
export type Playback = Shown<Schemas['Playback']>

export type NameList = Shown<Schemas['NameList']>
export type NameEntry = NameList['people'][number]
export type ShownName = Shown<Schemas['Name']>
export type NameFace = ShownName['faces'][number]
export type ShownCorrection = ShownName['corrections'][number]
export type Correction = Shown<Schemas['Correction']>
export type Verdict = Correction['verdict']

export type Person = Shown<Schemas['Person']>
export type ShownPerson = Shown<Schemas['ShownPerson']>
export type PersonChange = Shown<Schemas['PersonChange']>
export type PersonChanged = Shown<Schemas['PersonChanged']>
export type PeopleChange = Shown<Schemas['PeopleChanges']>['changes'][number]

/** The answer to an erasure. */
export type Erased = Shown<Schemas['Forgotten']>

export type Status = Shown<Schemas['Status']>
export type Coverage = Shown<Schemas['Coverage']>
export type Failure = Shown<Schemas['Failures']>['failures'][number]

export type Job = Shown<Schemas['Job']>
export type NewJob = Shown<Schemas['NewJob']>
export type Evaluation = Shown<Schemas['Evaluation']>
export type EvaluationEntry = Shown<Schemas['EvaluationList']>['evaluations'][number]

export type User = Shown<Schemas['User']>
export type NewUser = Shown<Schemas['NewUser']>
export type UserChange = Shown<Schemas['UserChange']>
/** Collections by id, or the whole archive. */
export type Grants = User['collections']
export type ApiKey = Shown<Schemas['ApiKey']>
export type NewKey = Shown<Schemas['NewApiKey']>
export type MadeKey = Shown<Schemas['NewApiKeyAnswer']>
export type Collection = Shown<Schemas['Collection']>
export type NewCollection = Shown<Schemas['NewCollection']>
export type Settings = Shown<Schemas['Settings']>

export type AuditRow = Shown<Schemas['AuditEntry']>
export type AuditPart = AuditRow['parts'][number]
export type Verification = Shown<Schemas['AuditVerification']>
export type Approval = Shown<Schemas['Approval']>
/** A receipt, or its summary. */
export type Receipt = NonNullable<Erased['receipt']>

/** A page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}
