/**
 * Cameo as a library: find every appearance of a person in a video archive.
 *
 * Everything starts with {@link openCameo}. Methods fail with a {@link CameoError} that carries one of the
 * {@link errorCodes}. The library writes nothing to standard output or standard error, sets no signal
 * handlers and never ends the process.
 *
 * @packageDocumentation
 */
import '../pipeline/models/no-telemetry.js'
import { prepareArchive } from '../index/archive/prepare-archive.js'
import { completeReceiptsIn } from '../index/erasure/complete-receipts.js'
import { Cameo } from './library/cameo.js'
import type { CameoOptions } from './library/options.js'

/**
 * Opens the archive in a folder. This call loads no models. The folder need not exist: the first ingest
 * creates it. If an earlier process could not finish an erasure, this call finishes it.
 *
 * @example
 * ```ts
 * const cameo = await openCameo({ archive: './cameo-data' })
 * await cameo.ingest('./clips')
 * const { matches } = await cameo.search({ image: 'ada.jpg' })
 * await cameo.close()
 * ```
 * @throws USAGE if the device does not exist
 */
export async function openCameo(options: CameoOptions): Promise<Cameo> {
  const cameo = new Cameo(options)
  const { notify = () => undefined } = options
  await prepareArchive(options.archive, {
    engines: options.engines ?? {},
    onNotice: (notice) => notify(notice),
    onErasurePending: ({ message, details }) => notify(message, details),
  })
  await completeReceiptsIn(options.archive, (notice) => notify(notice))
  return cameo
}

export type { Cameo } from './library/cameo.js'
export type { ClipEvent } from './library/clip-events.js'
export type {
  HeadSettingsInput,
  LadderQuery,
  LadderReport,
  LadderRung,
  MapQuery,
  MapReport,
  MeasuredOn,
  TrainHeadQuery,
} from './library/evaluation.js'
export type { CallOptions, CameoOptions, Device } from './library/options.js'
export { listPacks, type PackInfo } from './library/packs.js'
export {
  descriptorOf,
  readDescriptorsMessage,
  type DescribedTracks,
  type DescriptorsMessage,
  type GivenUp,
  type SegmentClosing,
} from './library/read-descriptors.js'
export type {
  AlertOptions,
  CorrectOptions,
  EnrollOptions,
  ForgetQuery,
  GroupsQuery,
  IngestOptions,
  IngestSummary,
  RetainQuery,
  WatchOptions,
} from './library/requests.js'
export type { FoundClip, SearchQuery, SearchResult, Whom } from './library/search.js'

export { CameoError, errorCodes, type CameoErrorOptions, type ErrorCode } from '../pipeline/common/errors.js'
export type { ErrorDetails, Remedy, RemedyData } from '../pipeline/common/remedies.js'
export type { BoxXyxyPx } from '../pipeline/data/geometry.js'
export { parsePack, type Pack } from '../pipeline/models/packs/pack.js'
export type { Progress, Task } from '../pipeline/stages/caller.js'
export type { Settings } from '../pipeline/recipe/recipe.js'
export type { TrainingProgress } from '../pipeline/training/train-head.js'
export type { HeadApplied } from '../index/archive/apply-head.js'
export type { RecipeOptions } from '../index/archive/choose-recipe.js'
export type { DamagedThing } from '../index/archive/damaged-things.js'
export { coverageStates, type CoverageState, type UnseenRange } from '../index/coverage/clip-coverage.js'
export type { ClipCoverage } from '../index/coverage/read-coverage.js'
export type { ArchiveStatus, FailedPath, StatusRequest } from '../index/coverage/read-status.js'
export type { CoverageReport, CoverageRequest, FolderCoverage } from '../index/coverage/report-coverage.js'
export type { CoverageSum } from '../index/coverage/sum-coverage.js'
export type { ClipFiles, FoundTrack } from '../index/clips/clip-files.js'
export type { Check, DoctorReport } from '../index/doctor/doctor.js'
export type { CorrectedTrack, CorrectionReport } from '../index/clips/correct-clip.js'
export type { Verdict } from '../index/store/corrections.js'
export type { Verdicts } from '../index/identities/verdicts.js'
export type { Damage } from '../index/store/damage.js'
export type { StampedFile } from '../index/store/clip-stamps.js'
export type { FileStamp } from '../index/store/file-facts.js'
export type { AuditActor } from '../index/audit/audit-entry.js'
export type { ErasureOrder } from '../index/erasure/prove-erasure.js'
export type { FaceEmbeddings } from '../pipeline/describe/pooled-input.js'
export type { ClipEntry, ClipList, ClipListRequest, ClipWish, PageWish } from '../index/clips/list-clips.js'
export type { PeopleList, PeopleListRequest, PersonEntry, Presence } from '../index/clips/list-people.js'
export type { PersonInClip, SeenRange } from '../index/clips/people-of-clip.js'
export type { ShownClip, ShownPerson, ShowRequest } from '../index/clips/show-clip.js'
export type { Corrected, SplitRequest } from '../index/people/correct-people.js'
export type { GroupPeopleRequest } from '../index/people/group-people.js'
export type { GroupPeopleReport } from '../index/people/grouping.js'
export type { PeoplePage, PeopleRequest, PersonSummary } from '../index/people/list-groups.js'
export type { NamedPerson, NameRequest } from '../index/people/name-person.js'
export type { ShownGroup, ShowPersonRequest } from '../index/people/show-person.js'
export type { PeopleAction, PeopleChange } from '../index/store/people-changes.js'
export type { PeopleFilter } from '../index/store/people-rows.js'
export type { ClipScope } from '../index/search/clip-scope.js'
export type { PoolAccount, PoolChoice } from '../index/evaluate/datasets/pools.js'
export type { Fold } from '../index/evaluate/ladder/ensemble.js'
export type { OpenSetResult } from '../index/evaluate/ladder/head-training.js'
export type { WrittenHead } from '../index/evaluate/ladder/train-to-file.js'
export type { Difference, Interval } from '../index/evaluate/metrics/bootstrap.js'
export type { GroupsResult } from '../index/evaluate/source/evaluate-groups.js'
export type { Agreement, GroupAgreement } from '../index/evaluate/metrics/group-agreement.js'
export type { IdentityScore } from '../index/evaluate/metrics/mean-average-precision.js'
export type { Disagreeing } from '../index/identities/check-enrolment.js'
export type { EnrolReport, FailedFile, NamedFaces } from '../index/identities/enroll-faces.js'
export type { EnrollTrackRequest } from '../index/identities/enroll-track.js'
export type { EnrolledFolder } from '../index/identities/enroll-folder.js'
export type { ExportReport } from '../index/identities/export-names.js'
export type { ImportedName, ImportReport } from '../index/identities/import-names.js'
export type { NameDescription } from '../index/identities/describe-name.js'
export type { RefreshReport } from '../index/identities/refresh-names.js'
export type { ShownCorrection, ShownFace, ShownName } from '../index/identities/show-name.js'
export type { Identity } from '../index/store/identities.js'
export type { Candidate } from '../index/queries/query-person.js'
export type { ClipMatch, ContributingFace, MatchedRange, OtherPerson } from '../index/search/clip-match.js'
export type { FalseAcceptRate } from '../index/search/expected-false-matches.js'
export type { Prior } from '../index/search/match-probability.js'
export type { MatchThreshold, ThresholdReason } from '../index/search/match-threshold.js'
export type { LookedAt, LookedAtPerson } from '../index/search/look-at.js'
export type { AskedQuery, Query, QueryPhoto } from '../index/search/read-query.js'
export type { Alert } from '../index/store/alerts.js'
export type { ForgetReport, Forgotten } from './archive/forget.js'
export type { RetainReport } from './archive/retain.js'
export type { AgedEntry, RetentionWish } from '../index/retention/plan-retention.js'
export type { ClipResult } from './ingest/ingest-events.js'
export type {
  LoadedIndex,
  ReachOptions,
  VectorEngine,
  VectorEngineFactory,
  VectorEngines,
  VectorSpace,
} from '../index/vectors/vector-engine.js'
export type {
  BatchOptions,
  ChangeBatch,
  DurableChanges,
  LabelledVector,
  MemoryUse,
  Neighbor,
  SnapshotWriter,
  VectorIndex,
} from '../index/vectors/vector-index.js'
