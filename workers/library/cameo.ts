import { availableParallelism } from 'node:os'
import { applyHead, type HeadApplied } from '../../index/archive/apply-head.js'
import { chooseVectorEngine, vectorEngineOf } from '../../index/archive/choose-engine.js'
import { filledInScope } from '../../index/archive/in-scope.js'
import type { ArchiveModels } from '../../index/archive/archive-models.js'
import type { Archive, FilledArchive } from '../../index/archive/open-archive.js'
import { readStatus, type ArchiveStatus, type StatusRequest } from '../../index/coverage/read-status.js'
import {
  reportCoverage,
  type CoverageReport,
  type CoverageRequest,
} from '../../index/coverage/report-coverage.js'
import { doctor, type DoctorReport } from '../../index/doctor/doctor.js'
import { clipFiles, findTrack, type ClipFiles, type FoundTrack } from '../../index/clips/clip-files.js'
import { correctClip, type CorrectionReport, type CorrectionRequest } from '../../index/clips/correct-clip.js'
import {
  listClips,
  type ClipList,
  type ClipListRequest,
  type ListParts,
} from '../../index/clips/list-clips.js'
import { listPeople, type PeopleList, type PeopleListRequest } from '../../index/clips/list-people.js'
import { showSeenName } from '../../index/clips/show-seen-name.js'
import { showClip, type ShowRequest, type ShownClip } from '../../index/clips/show-clip.js'
import { evaluateGroups, type GroupsResult } from '../../index/evaluate/source/evaluate-groups.js'
import type { WrittenHead } from '../../index/evaluate/ladder/train-to-file.js'
import {
  enrollWith,
  facesOfName,
  type EnrolReport,
  type NamedFaces,
} from '../../index/identities/enroll-faces.js'
import { giveAlias, noteName, takeAlias } from '../../index/identities/describe-name.js'
import { enrollFolderWith, type EnrolledFolder } from '../../index/identities/enroll-folder.js'
import { enrollTrack, type EnrollTrackRequest } from '../../index/identities/enroll-track.js'
import { exportNames, type ExportReport } from '../../index/identities/export-names.js'
import { importWith, type ImportReport } from '../../index/identities/import-names.js'
import { refreshWith, type RefreshReport } from '../../index/identities/refresh-names.js'
import { showName, type ShownName } from '../../index/identities/show-name.js'
import {
  hidePeople,
  mergePeople,
  splitPerson,
  type Corrected,
  type SplitRequest,
} from '../../index/people/correct-people.js'
import { groupPeople, type GroupPeopleRequest } from '../../index/people/group-people.js'
import type { GroupPeopleReport } from '../../index/people/grouping.js'
import { listGroups, type PeoplePage, type PeopleRequest } from '../../index/people/list-groups.js'
import { namePerson, type NamedPerson, type NameRequest } from '../../index/people/name-person.js'
import { showPerson, type ShownGroup, type ShowPersonRequest } from '../../index/people/show-person.js'
import { listChanges } from '../../index/people/undo-change.js'
import type { Identity } from '../../index/store/identities.js'
import { readArchiveId } from '../../index/store/meta.js'
import type { PeopleChange } from '../../index/store/people-changes.js'
import { rootPaths } from '../../index/store/clip-stamps.js'
import { lookAt, type LookedAt } from '../../index/search/look-at.js'
import { prepareAnswers } from '../../index/search/whole-archive-reads.js'
import { searchWith } from '../../index/search/search-archive.js'
import { sqliteError } from '../../index/store/database.js'
import type { ErasureOrder } from '../../index/erasure/prove-erasure.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import { parseDevice, type DeviceChoice } from '../../pipeline/models/device.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { ensurePack, fetchPack, type Caller } from '../../pipeline/stages/caller.js'
import { forget, type ForgetReport } from '../archive/forget.js'
import { withAlerts } from '../alerts/alert-desk.js'
import { ingestArchive, type IngestCaller, type IngestRequest } from '../archive/ingest-archive.js'
import { retain, type RetainReport } from '../archive/retain.js'
import { watchFolders } from '../watch/watch-folders.js'
import { alertWishOf } from './alert-wish.js'
import { undoPeople } from '../archive/undo-people.js'
import { EventWatcher } from './clip-events.js'
import {
  measureLadder,
  measureMap,
  trainOneHead,
  type Bench,
  type LadderQuery,
  type LadderReport,
  type MapQuery,
  type MapReport,
  type TrainHeadQuery,
} from './evaluation.js'
import { KeptArchive } from './kept-archive.js'
import { KeptIndex } from './kept-index.js'
import { KeptModels } from './kept-models.js'
import { KeptThreads } from '../threads/kept-threads.js'
import type { CallOptions, CameoOptions } from './options.js'
import type {
  CorrectOptions,
  EnrollOptions,
  ForgetQuery,
  GroupsQuery,
  IngestOptions,
  IngestSummary,
  RetainQuery,
  WatchOptions,
} from './requests.js'
import { resultOf, subjectOf, type SearchQuery, type SearchResult } from './search.js'
import { Turns } from './turns.js'

/**
 * An archive and the models that search it. Models, the vector index and the threads of an ingest are loaded
 * on first use and kept until `close`.
 *
 * Calls may run at the same time. Calls that read photos or clips wait for each other. Only one call at a
 * time may ingest or apply a head; a second one fails with ARCHIVE_BUSY, in this process or in another.
 * Searches continue meanwhile.
 *
 * Every method rejects with a {@link CameoError} for foreseeable errors. Each method lists its own codes. All
 * methods can also fail with ARCHIVE_MISSING before the first ingest, with ARCHIVE_BUSY, ARCHIVE_READ_ONLY,
 * ARCHIVE_FULL, ARCHIVE_DAMAGED and ARCHIVE_NEWER for problems with the archive's file, and with USAGE after
 * `close`.
 */
export class Cameo {
  /** Folder of the archive. */
  readonly archive: string
  readonly #options: CameoOptions
  readonly #device: DeviceChoice
  readonly #modelsDir: string
  readonly #kept: {
    readonly archive: KeptArchive
    readonly index: KeptIndex
    readonly models: KeptModels
    readonly threads: KeptThreads
  }
  /** Models process one photo or clip at a time. */
  readonly #looks = new Turns()
  readonly #running = new Set<Promise<unknown>>()
  #isClosed = false

  /** @hidden Use `openCameo`. */
  constructor(options: CameoOptions) {
    this.archive = options.archive
    this.#options = options
    this.#device = parseDevice(options.device ?? 'auto')
    this.#modelsDir = options.models ?? defaultModelsDir()
    const caller = this.#caller({})
    this.#kept = {
      archive: new KeptArchive(options.archive, caller.notify, options.engines),
      index: new KeptIndex(caller.notify),
      models: new KeptModels(this.#device, caller),
      threads: new KeptThreads(),
    }
  }

  /**
   * Adds video files, and all videos below folders, to the archive. A repeated call processes what is new and
   * continues where the last call stopped. One failed file does not affect the others: its event gives the
   * reason.
   *
   * `signal` stops the ingest: finished work is kept, and the status is `interrupted`.
   * @throws FFMPEG_MISSING, ARCHIVE_OTHER_RECIPE, DEVICE_UNAVAILABLE, PACK_UNKNOWN, PACK_INVALID,
   * MODEL_UNREADABLE, MODEL_DOWNLOAD_FAILED, MODEL_DIGEST_MISMATCH, ENCODER_INVALID, HEAD_INVALID,
   * HEAD_OTHER_EMBEDDER; USAGE if settings contradict each other
   */
  ingest(paths: string | readonly string[], options: IngestOptions = {}): Promise<IngestSummary> {
    return this.#run(async () => {
      const { onEvent = () => undefined, repair } = options
      await ffmpegVersion()
      const watcher = new EventWatcher(onEvent)
      const archive = this.#kept.archive.toWrite({ create: repair !== true })
      const request = this.#ingestRequest(paths, options)
      const { signal } = request
      const caller = this.#ingestCaller(options)
      const report = await withAlerts(
        archive,
        { wish: alertWishOf(options.alerts), signal },
        caller,
        (alerts) => ingestArchive(archive, request, watcher, { ...caller, alerts }),
      )
      return { ...report, results: watcher.counts }
    })
  }

  /**
   * Ingests what is in folders, then each new or changed file as soon as it is complete: until `signal` stops it; the status
   * is then `interrupted`. A folder that is not there is told to `notify`. Its clips stay, and the watch goes on when it is
   * back. The archive is locked only while clips are ingested: other calls, and other processes, can write to it in between.
   * @throws as `ingest` does, except ARCHIVE_BUSY and ARCHIVE_FULL: it tells them and waits
   */
  watch(folders: string | readonly string[], options: WatchOptions = {}): Promise<IngestSummary> {
    return this.#run(async () => {
      const { onEvent = () => undefined, stableS, rescanS } = options
      await ffmpegVersion()
      const watcher = new EventWatcher(onEvent)
      const report = await watchFolders(
        this.#kept.archive.toWrite({ create: true }),
        {
          ...this.#ingestRequest(folders, options),
          stableMs: stableS === undefined ? undefined : 1000 * stableS,
          rescanMs: rescanS === undefined ? undefined : 1000 * rescanS,
          alerts: alertWishOf(options.alerts),
        },
        watcher,
        this.#ingestCaller(options),
      )
      return { ...report, results: watcher.counts }
    })
  }

  /**
   * Finds the clips in which a person appears, best first, with time ranges in seconds. Scores are cosine
   * similarities of descriptors.
   *
   * `signal` stops the look at a clip that is asked with.
   * @throws USAGE where the question contradicts itself; TRACK_UNKNOWN, PERSON_UNKNOWN; IMAGE_UNREADABLE, IMAGE_NO_FACE, IMAGE_SEVERAL_FACES, FACE_UNKNOWN, QUERY_NO_TRACK, NAME_UNKNOWN, INTERRUPTED, CLIP_*
   * about the file of a clip; as loading models does (see `ingest`)
   */
  search(query: SearchQuery): Promise<SearchResult> {
    return this.#run(async () => {
      const { archive, index, models } = this.#kept
      const opened = archive.filled(archive.toRead())
      const subject = subjectOf(query, filledInScope(opened, query.folders))
      const ask = () =>
        models.use(opened, (own) =>
          searchWith(
            { opened, models: own, useIndex: (work) => index.use(opened.archive, work) },
            { ...query, subject, device: this.#device },
            this.#caller(query),
          ),
        )
      const needsModels = subject.kind === 'image' || subject.kind === 'clip'
      return resultOf(await (needsModels ? this.#looks.run(ask) : ask()))
    })
  }

  /**
   * Who is seen in a photo or clip that need not be in the archive, so that a person can choose somebody. Search with the `question`
   * of one of them: that runs no models.
   * @param file of a photo or clip; its content decides which
   * @throws IMAGE_UNREADABLE, IMAGE_NO_FACE, QUERY_NO_TRACK, CLIP_*, INTERRUPTED; as loading models does (see `ingest`)
   */
  lookAt(file: string, options: CallOptions = {}): Promise<LookedAt> {
    return this.#run(() => {
      const { archive, models } = this.#kept
      const opened = archive.filled(archive.toRead())
      const caller = { ...this.#caller(options), signal: options.signal }
      return this.#looks.run(() => models.use(opened, (own) => lookAt(file, own, caller)))
    })
  }

  /** Who is seen in a clip, and when. @throws CLIP_UNKNOWN */
  showClip(request: ShowRequest): Promise<ShownClip> {
    return this.#ask((parts, caller) => showClip(parts, request, caller))
  }

  /**
   * The files of a clip, and what identified each when its content was read.
   * @param clipId or its first 8 digits or more
   * @throws CLIP_UNKNOWN
   */
  clipFiles(clipId: string): Promise<ClipFiles> {
    return this.#run(() => clipFiles(this.#read().database, clipId))
  }

  /** A track, its picture and where its clip lies. @throws TRACK_UNKNOWN */
  findTrack(trackId: number): Promise<FoundTrack> {
    return this.#run(() => findTrack(this.#read().database, trackId))
  }

  /** The folders and URLs below which the archive's files lie. */
  roots(): Promise<readonly string[]> {
    return this.#run(() => rootPaths(this.#read().database))
  }

  /** Loads the vector index and what every answer tells of the whole archive, so that the first search need not. @returns the number of tracks in it */
  loadIndex(): Promise<number> {
    return this.#run(() => {
      const { archive, index } = this.#kept
      const opened = archive.filled(archive.toRead())
      prepareAnswers(opened.archive)
      return index.use(opened.archive, (cache) => Promise.resolve(cache.size))
    })
  }

  /**
   * A page of the archive's clips, in order of their paths, with the people in them.
   * @throws NAME_UNKNOWN; USAGE where dates or lengths contradict each other
   */
  listClips(request: ClipListRequest = {}): Promise<ClipList> {
    return this.#ask((parts, caller) => listClips(parts, request, caller))
  }

  /**
   * A page of the enrolled names, in order, with how often and how long each is seen in the clips that are wanted. Looks at every
   * track of these clips.
   * @throws as `listClips` does
   */
  listPeople(request: PeopleListRequest = {}): Promise<PeopleList> {
    return this.#ask((parts, caller) => listPeople(parts, request, caller))
  }

  /**
   * Groups tracks into people without names: which tracks show the same face. People who are known already keep their ids and get
   * further tracks. With `again`, all tracks are grouped anew; ids, names and corrections stay. All changes are made at the end, at
   * once. `signal` stops the call; then nothing changes.
   * @throws ARCHIVE_BUSY while people are changed by another call; INTERRUPTED
   */
  groupPeople(request: GroupPeopleRequest & CallOptions = {}): Promise<GroupPeopleReport> {
    return this.#run(() => {
      const { archive, index } = this.#kept
      const opened = archive.filled(archive.toWrite())
      const models = { pack: findPack(opened.recipe.packName) }
      return groupPeople(
        { opened, models, useIndex: (work) => index.use(opened.archive, work) },
        request,
        this.#caller(request),
      )
    })
  }

  /** A page of the people into whom tracks were grouped, those with most tracks first. @throws USAGE */
  people(request: PeopleRequest = {}): Promise<PeoplePage> {
    return this.#run(() => listGroups(this.#read(), request))
  }

  /** Where a person is seen. @throws PERSON_UNKNOWN */
  showPerson(request: ShowPersonRequest): Promise<ShownGroup> {
    return this.#run(() => showPerson(this.#read(), request, this.#caller({})))
  }

  /**
   * Gives a person a name: its best faces are enrolled under it, so that searches by name find past and future clips.
   * @throws PERSON_UNKNOWN; FACES_DISAGREE if the name has faces of somebody else, unless forced; USAGE if the name is empty
   */
  namePerson(request: NameRequest): Promise<NamedPerson> {
    return this.#run(() => {
      const { archive } = this.#kept
      const opened = archive.filled(archive.toWrite())
      return namePerson(opened, { pack: findPack(opened.recipe.packName) }, request)
    })
  }

  /**
   * Says that several people are one. The first keeps its id.
   * @throws PERSON_UNKNOWN; USAGE if they have different names
   */
  mergePeople(ids: readonly number[]): Promise<Corrected> {
    return this.#run(() => mergePeople(this.#kept.archive.toWrite(), ids))
  }

  /**
   * Says that some tracks of a person show somebody else: they become a new person.
   * @throws PERSON_UNKNOWN, CLIP_UNKNOWN; USAGE if no track is chosen, or all are
   */
  splitPerson(request: SplitRequest): Promise<Corrected> {
    return this.#run(() => splitPerson(this.#kept.archive.toWrite(), request))
  }

  /** Takes people out of lists, or puts them back. Returns the number of the change, if it changed anything. @throws PERSON_UNKNOWN */
  hidePeople(ids: readonly number[], isHidden = true): Promise<number | undefined> {
    return this.#run(() => hidePeople(this.#kept.archive.toWrite(), ids, isHidden))
  }

  /** The log of changes of people, the newest first. @param limit default: 50 */
  peopleChanges(limit?: number): Promise<readonly PeopleChange[]> {
    return this.#run(() => listChanges(this.#read(), limit))
  }

  /**
   * Undoes a change of people. Tracks that got a person since then keep it. If it added a face to a name, that face is erased, and
   * the audit log gets the receipt.
   * @param changeId default: the last change
   * @param order who undoes it, and why. Default: the user of this process
   * @throws NOT_FOUND if there is no change with this number; USAGE if there is nothing to undo, it is already undone, or a later
   * change concerns the same people
   */
  undoPeople(changeId?: number, order?: ErasureOrder): Promise<PeopleChange> {
    return this.#run(() => undoPeople(this.#kept.archive.toWrite(), changeId, this.#caller({}), order))
  }

  /**
   * Adds the faces of photos, and of the main people of clips, to a name. Faces that the name already has
   * stay. Files that cannot be used are listed in the report and do not affect the others. If no file can be
   * used, `added` is 0.
   *
   * `signal` stops the call; then nothing is enrolled.
   * @throws FACES_DISAGREE if most files show different people, unless forced; INTERRUPTED; errors of loading
   * models (see `ingest`)
   */
  enroll(name: string, files: string | readonly string[], options: EnrollOptions = {}): Promise<EnrolReport> {
    return this.#run(() => {
      const { archive, models } = this.#kept
      const opened = archive.filled(archive.toWrite())
      const { face, force = false, keepPhoto = true, source, signal } = options
      const request = {
        ...{ name, face, force, keepPhoto, source, signal, device: this.#device },
        files: typeof files === 'string' ? [files] : files,
      }
      return this.#looks.run(() =>
        models.use(opened, (own) => enrollWith({ opened, models: own }, request, this.#caller(options))),
      )
    })
  }

  /**
   * Adds the best face of a track of the archive to a name. It is forgotten together with its clip.
   * @throws TRACK_UNKNOWN; FACES_DISAGREE if the name has faces of somebody else, unless forced; USAGE if the name is empty
   */
  enrollTrack(request: EnrollTrackRequest): Promise<Identity> {
    return this.#run(() => {
      const { archive } = this.#kept
      const opened = archive.filled(archive.toWrite())
      return enrollTrack(opened, { pack: findPack(opened.recipe.packName) }, request)
    })
  }

  /**
   * Enrols everyone who has a folder in this one. The folder bears the name, and holds photos and clips of the person.
   * What cannot be used is listed in the result and does not affect the rest.
   *
   * `signal` stops the call; the people before stay enrolled.
   * @throws USAGE if it is not a folder, or has no folders; INTERRUPTED; errors of loading models (see `ingest`)
   */
  enrollFolder(folder: string, options: Omit<EnrollOptions, 'face'> = {}): Promise<EnrolledFolder[]> {
    return this.#withNames(options, (parts, caller) => enrollFolderWith(parts, { ...options, folder, device: this.#device }, caller)) // prettier-ignore
  }

  /**
   * What a name rests on: its faces, aliases, note and corrections. With `folders`, only a name that is seen in clips below one of
   * them is known, and what belongs to other clips is left out.
   * @throws NAME_UNKNOWN
   */
  showName(name: string, { folders }: { readonly folders?: readonly string[] } = {}): Promise<ShownName> {
    return this.#run(() => {
      const { archive, index, models } = this.#kept
      const opened = archive.filled(archive.toRead())
      const caller = this.#caller({})
      if (folders === undefined) return showName(opened, name, caller.notify)
      return models.use(opened, (own) =>
        showSeenName(
          { opened, models: own, useIndex: (work) => index.use(opened.archive, work) },
          { name, folders },
          caller,
        ),
      )
    })
  }

  /**
   * Gives a name an alias, which answers wherever the name does.
   * @throws NAME_UNKNOWN; NAME_TAKEN if it is a name, or an alias of somebody else
   */
  addAlias(name: string, alias: string): Promise<void> {
    return this.#describeName((database) => giveAlias(database, name, alias))
  }

  /** Takes an alias away. @throws NAME_UNKNOWN if the name does not have it */
  removeAlias(name: string, alias: string): Promise<void> {
    return this.#describeName((database) => takeAlias(database, name, alias))
  }

  /** Writes a note about a name, which replaces the one before. An empty one removes it. @throws NAME_UNKNOWN */
  noteName(name: string, note: string): Promise<void> {
    return this.#describeName((database) => noteName(database, name, note))
  }

  /**
   * Writes all names with their faces, pictures, aliases, notes and corrections into one file, readable only by its
   * owner.
   * @throws USAGE if the file exists and is not to be replaced; NAMES_NOT_WRITTEN
   */
  exportNames(file: string, { overwrite = false } = {}): Promise<ExportReport> {
    return this.#run(() => exportNames(this.#read(), { file, overwrite }, this.#caller({}).notify))
  }

  /**
   * Adds the names of a file that `exportNames` wrote. Nothing that the archive has is replaced. Either all names are
   * added or none. If the archive has other models, faces are embedded from their pictures.
   *
   * `signal` stops that; `refreshNames` continues it.
   * @throws NAMES_INVALID; INTERRUPTED; errors of loading models (see `ingest`)
   */
  importNames(file: string, options: CallOptions = {}): Promise<ImportReport> {
    return this.#withNames(options, (parts, caller) => importWith(parts, { ...options, file }, caller))
  }

  /**
   * Embeds the kept pictures of all names with the models that the archive has now. Needed after an ingest with
   * `reprocess` and other models.
   * @throws INTERRUPTED; errors of loading models (see `ingest`)
   */
  refreshNames(options: CallOptions = {}): Promise<RefreshReport> {
    return this.#withNames(options, (parts, caller) => refreshWith(parts, options, caller))
  }

  /** The enrolled faces of a name. @throws NAME_UNKNOWN */
  faces(name: string): Promise<NamedFaces> {
    return this.#run(() => {
      const { archive } = this.#kept
      return facesOfName(archive.filled(archive.toRead()), name, this.#caller({}).notify)
    })
  }

  /**
   * Notes that a clip does not show a name: these tracks never answer for it again. Without a range, all tracks of the
   * clip that answer a search for the name are rejected.
   * @param clip its id, the first digits of it (at least 8), or the path of its file
   * @throws NAME_UNKNOWN, CLIP_UNKNOWN; TRACK_UNCLEAR if it is not clear which face is meant, or if there is nothing to
   * take back
   */
  reject(name: string, clip: string, options: CorrectOptions = {}): Promise<CorrectionReport> {
    return this.#correct({ ...options, name, clip, verdict: 'rejected' })
  }

  /**
   * Notes that a clip shows a name: the track always answers for it, and helps to find others. Without a range, the
   * track of the clip that answers best is confirmed.
   * @throws as `reject` does
   */
  confirm(name: string, clip: string, options: CorrectOptions = {}): Promise<CorrectionReport> {
    return this.#correct({ ...options, name, clip, verdict: 'confirmed' })
  }

  /**
   * Erases a clip with all its faces, a name, or one face of a name. Rows and vectors are overwritten in the
   * archive's files; the video file stays. If another process reads the archive for longer than `waitMs`, the
   * report has `pending`: no search finds the erased data, but its bytes are still in a file.
   * @throws CLIP_UNKNOWN, NAME_UNKNOWN, FACE_UNKNOWN
   */
  forget(query: ForgetQuery): Promise<ForgetReport> {
    return this.#run(async () => {
      const { archive, index } = this.#kept
      const opened = archive.filled(archive.toWrite())
      await index.release()
      return forget(opened, { ...query, waitMs: query.waitMs ?? 30_000 }, this.#caller({}))
    })
  }

  /**
   * Forgets clips that are older than a number of days, or only the people without names in them. Each clip is erased as a
   * whole or not at all. `dryRun` only says what would go. `pending` of the report is as that of `forget`.
   * @throws USAGE; ARCHIVE_BUSY while clips are ingested; ARCHIVE_DAMAGED and NAME_UNKNOWN where tracks cannot be compared
   * with a name
   */
  retain(query: RetainQuery): Promise<RetainReport> {
    return this.#run(async () => {
      const { archive, index, models } = this.#kept
      const { dryRun = false, waitMs = 30_000 } = query
      const opened = archive.filled(archive.toWrite())
      if (!dryRun) await index.release()
      return models.use(opened, (own) =>
        retain({ opened, models: own }, { ...query, dryRun, waitMs }, this.#caller({})),
      )
    })
  }

  /**
   * How much of the archive's video was looked at, by folder, and which parts of each clip are missing. Times
   * are hours and seconds.
   */
  coverage(request: CoverageRequest = {}): Promise<CoverageReport> {
    return this.#run(() => reportCoverage(this.#read(), request, this.#caller({})))
  }

  /**
   * The contents of the archive: clips, tracks, names, failures, and the settings by which clips are
   * processed.
   */
  status(request: StatusRequest = {}): Promise<ArchiveStatus> {
    return this.#run(() => readStatus(this.#read(), request))
  }

  /** Names the archive in receipts and in exports of its audit log. It stays the same when the archive is moved. */
  archiveId(): Promise<string> {
    return this.#run(() => readArchiveId(this.#read().database))
  }

  /** Name of the archive's vector engine: `auto`, `exact`, `hnsw`, or one of `CameoOptions.engines`. */
  vectorEngine(): Promise<string> {
    return this.#run(() => vectorEngineOf(this.#read()))
  }

  /**
   * Chooses the vector engine for searches, and stores the choice in the archive. The next search fills the
   * engine. The files of the previous engine are removed.
   * @param name `auto` (exact search up to 10,000 tracks, then an HNSW graph), `exact`, `hnsw`, or one of
   * `CameoOptions.engines`
   * @throws USAGE if there is no such engine; ARCHIVE_BUSY while clips are ingested
   */
  chooseVectorEngine(name: string): Promise<void> {
    return this.#run(async () => {
      const { archive, index } = this.#kept
      const { notify } = this.#caller({})
      await index.release()
      await chooseVectorEngine(archive.filled(archive.toWrite()).archive, name, (text) => notify(text))
    })
  }

  /**
   * Checks that ffmpeg, the native libraries, the models and the archive are present and work. The report
   * lists problems.
   * @param deep check every row of the archive, which takes as long as reading its file
   */
  doctor({ deep = false } = {}): Promise<DoctorReport> {
    return this.#run(() =>
      doctor({ archive: this.archive, device: this.#device, deep }, { modelsDir: this.#modelsDir }),
    )
  }

  /**
   * Downloads a pack into the models folder, and verifies it. Each pack has its own licence: see `listPacks`.
   * @param pack a name of the catalog, or the path of a JSON file. Default: the pack of `openCameo`, else
   * `lite`
   * @throws PACK_UNKNOWN, PACK_INVALID, MODEL_DOWNLOAD_FAILED, MODEL_DIGEST_MISMATCH
   */
  pullModels(pack?: string, options: CallOptions = {}): Promise<Pack> {
    return this.#run(async () => {
      const found = findPack(pack ?? this.#options.pack ?? defaultPackName)
      const { progress } = this.#caller(options)
      await fetchPack(found, this.#modelsDir, { progress, signal: options.signal })
      return found
    })
  }

  /**
   * MAP@100 as in iQIYI-VID on your own labelled clips: the best 100 clips of each identity, compared with
   * ground truth.
   * @throws GROUND_TRUTH_INVALID, EVALUATION_INVALID, ENSEMBLE_INVALID, HEAD_INVALID, HEAD_OTHER_EMBEDDER,
   * INTERRUPTED; USAGE if the query does not say how identities are known
   */
  evaluateMap(query: MapQuery): Promise<MapReport> {
    return this.#run(() => measureMap(this.#bench, query))
  }

  /**
   * Compares the people into whom tracks were grouped with ground truth: BCubed and pairs, with 95 % intervals over people.
   * @throws GROUND_TRUTH_INVALID; EVALUATION_INVALID if no clip of the list is in the archive
   */
  evaluateGroups(query: GroupsQuery): Promise<GroupsResult> {
    const { groundTruth, pool = 'all' } = query
    return this.#run(() =>
      evaluateGroups({ archive: this.archive, groundTruth, pool }, this.#caller({}).notify),
    )
  }

  /**
   * Trains a head on labelled clips and writes it to a file. A head gives class scores for its people, and a
   * better descriptor for everyone. Use it with `applyHead`.
   * @throws TRAINING_IMPOSSIBLE, GROUND_TRUTH_INVALID, CHECKPOINT_INVALID, EMBEDDER_UNKNOWN, INTERRUPTED;
   * USAGE if the settings do not fit, or if an earlier training to this file was stopped and `resume` is not
   * set
   */
  trainHead(query: TrainHeadQuery): Promise<WrittenHead> {
    return this.#run(() => trainOneHead(this.#bench, query))
  }

  /**
   * Computes the descriptors of all clips again with a head, from their stored embeddings. Reads no video.
   * Searches continue meanwhile. If `signal` stops the call, the archive keeps its old descriptors, and the
   * same call continues the work.
   * @param head its ONNX file; undefined removes the archive's head
   * @throws ARCHIVE_OTHER_RECIPE, HEAD_OTHER_EMBEDDER, HEAD_INVALID, MODEL_UNREADABLE, ERASURE_PENDING
   */
  applyHead(head: string | undefined, options: CallOptions = {}): Promise<HeadApplied> {
    return this.#run(async () => {
      const { archive, index } = this.#kept
      const opened = archive.filled(archive.toWrite())
      await index.release()
      const { signal = new AbortController().signal } = options
      return applyHead(opened, { head, device: this.#device, signal }, this.#caller(options))
    })
  }

  /**
   * Measures the gain of each step on your own labelled clips: clip centre, quality pooling, head, noise
   * class, ensemble, context.
   * @throws GROUND_TRUTH_INVALID, TRAINING_IMPOSSIBLE, ENSEMBLE_INVALID, INTERRUPTED; USAGE if the settings
   * do not fit
   */
  climbLadder(query: LadderQuery): Promise<LadderReport> {
    return this.#run(() => measureLadder(this.#bench, query))
  }

  /**
   * Waits for running calls, then releases models, threads, index and archive. A second call does nothing.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.allSettled(this.#running)
    const { archive, index, models, threads } = this.#kept
    try {
      await index.release()
    } finally {
      await threads.close()
      await models.close()
      archive.close()
    }
  }

  /** Same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #threads(): number {
    return this.#options.threads ?? availableParallelism()
  }

  #ingestRequest(paths: string | readonly string[], options: IngestOptions): IngestRequest {
    const { recipe, reprocess, includeForgotten, repair, checkpointEveryS, within } = options
    const { pack } = this.#options
    return {
      ...{ device: this.#device, threads: this.#threads, checkpointEveryS, within },
      ...{
        reprocess: reprocess ?? false,
        includeForgotten: includeForgotten ?? false,
        repair: repair ?? false,
      },
      signal: options.signal ?? new AbortController().signal,
      paths: typeof paths === 'string' ? [paths] : paths,
      recipe: { ...(pack === undefined ? {} : { pack }), ...recipe },
    }
  }

  #ingestCaller(options: IngestOptions): IngestCaller {
    return { ...this.#caller(options), startThreads: this.#kept.threads.start }
  }

  get #bench(): Bench {
    return {
      files: { archive: this.archive },
      session: { device: this.#device, intraOpThreads: this.#threads },
      notify: this.#caller({}).notify,
    }
  }

  /** Asks about the archive's clips. */
  #ask<T>(question: (parts: ListParts, caller: Caller) => Promise<T>): Promise<T> {
    return this.#run(() => {
      const { archive, models } = this.#kept
      const opened = archive.filled(archive.toRead())
      return models.use(opened, (own) => question({ opened, models: own }, this.#caller({})))
    })
  }

  /** Writes names, with the models of the archive. */
  #withNames<T>(
    options: CallOptions,
    work: (
      parts: { readonly opened: FilledArchive; readonly models: ArchiveModels },
      caller: Caller,
    ) => Promise<T>,
  ): Promise<T> {
    return this.#run(() => {
      const { archive, models } = this.#kept
      const opened = archive.filled(archive.toWrite())
      return this.#looks.run(() =>
        models.use(opened, (own) => work({ opened, models: own }, this.#caller(options))),
      )
    })
  }

  #describeName(work: (database: Archive['database']) => unknown): Promise<void> {
    return this.#run(() => {
      const { archive } = this.#kept
      work(archive.filled(archive.toWrite()).archive.database)
    })
  }

  #correct(request: CorrectionRequest): Promise<CorrectionReport> {
    return this.#run(() => {
      const { archive, models } = this.#kept
      const opened = archive.filled(archive.toWrite())
      return models.use(opened, (own) => correctClip({ opened, models: own }, request))
    })
  }

  #read(): Archive {
    return this.#kept.archive.toRead()
  }

  #caller({ progress, signal }: CallOptions): Caller {
    const { notify, progress: usual, ensurePack: own } = this.#options
    const modelsDir = this.#modelsDir
    const tell = progress ?? usual ?? (() => undefined)
    return {
      notify: notify ?? (() => undefined),
      progress: tell,
      ensurePack:
        own ??
        ((nameOrFile) =>
          ensurePack(nameOrFile, modelsDir, (pack, dir) => fetchPack(pack, dir, { progress: tell, signal }))),
      modelsDir,
    }
  }

  /** Runs a call and makes `close` wait for it. Turns SQLite errors into CameoErrors. */
  async #run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#isClosed) throw new CameoError('USAGE', `the archive ${this.archive} was closed: open it again`)
    const running = Promise.resolve().then(work)
    this.#running.add(running)
    try {
      return await running
    } catch (error) {
      throw sqliteError(this.archive, error) ?? error
    } finally {
      this.#running.delete(running)
    }
  }
}
