import { search as searchCall, uploads } from '../../api.js'
import { notices } from '../../app/notices.svelte.js'
import { session } from '../../app/session.svelte.js'
import { instantOfDay } from '../../format.js'
import { t } from '../../texts.js'
import type { Match, SearchBody, SearchHead, Subject, Upload } from '../../types.js'
import { ApprovalOfSearch } from './approval.svelte.js'

export type Way = 'file' | 'name' | 'other'

/** What can be chosen besides the person. */
export interface SearchOptions {
  expectFalse: number
  top: number
  weak: boolean
  with: readonly string[]
  without: readonly string[]
  together: boolean
  folder: string
  since: string
  until: string
  purpose: string
  case: string
}

/** A question and its answer. They stay while other views are opened. */
class SearchStore {
  way = $state<Way>('file')
  name = $state('')
  upload = $state.raw<Upload>()
  /** Address of the photo in this browser. */
  picture = $state<string>()
  face = $state<number>()
  /** Somebody of the archive: a track, a person. */
  other = $state.raw<Subject>()
  options = $state<SearchOptions>({
    ...{ expectFalse: 1, top: 20, weak: false, with: [], without: [], together: false },
    ...{ folder: '', since: '', until: '', purpose: '', case: '' },
  })

  isUploading = $state(false)
  isRunning = $state(false)
  problem = $state.raw<unknown>()
  /** The question of the shown answer. */
  asked = $state.raw<SearchBody>()
  head = $state.raw<Partial<SearchHead>>({})
  matches = $state.raw<readonly Match[]>([])
  weak = $state.raw<readonly Match[]>([])
  readonly approval = new ApprovalOfSearch()
  #stop: AbortController | undefined

  get subject(): Subject | undefined {
    if (this.way === 'other') return this.other
    if (this.way === 'name') return this.name.trim() === '' ? undefined : { name: this.name.trim() }
    if (this.upload === undefined || this.face === undefined) return undefined
    return { uploadId: this.upload.uploadId, face: this.face }
  }

  get isReady(): boolean {
    const hasPurpose = !session.policy.purposeRequired || this.options.purpose.trim() !== ''
    return this.subject !== undefined && hasPurpose && !this.isUploading
  }

  /** A choice of a person can be searched for at once. */
  get asksNothingElse(): boolean {
    return !session.policy.purposeRequired && !session.policy.approvalRequired
  }

  /** The name of the person in the answer, if there is one. */
  get askedName(): string | undefined {
    const subject = this.asked?.subject
    return subject !== undefined && 'name' in subject ? subject.name : undefined
  }

  async useFile(file: File): Promise<void> {
    this.clear()
    this.way = 'file'
    this.isUploading = true
    try {
      const upload = await uploads.add(file)
      this.upload = upload
      this.picture = upload.kind === 'image' ? URL.createObjectURL(file) : undefined
      if (upload.people.length === 1) {
        this.face = upload.people[0]?.number
        if (this.asksNothingElse) void this.run()
      } else notices.say(t.search.chooseFace(upload.people.length))
    } catch (error) {
      this.problem = error
    } finally {
      this.isUploading = false
    }
  }

  useOther(subject: Subject): void {
    this.clear()
    if ('name' in subject) {
      this.way = 'name'
      this.name = subject.name
    } else {
      this.way = 'other'
      this.other = subject
    }
    if (this.asksNothingElse) void this.run()
  }

  /** Forgets the question and the answer. */
  clear(): void {
    this.stop()
    if (this.picture !== undefined) URL.revokeObjectURL(this.picture)
    if (this.upload !== undefined) uploads.remove(this.upload.uploadId).catch(() => undefined)
    this.upload = this.picture = this.face = this.other = this.asked = this.problem = undefined
    if (this.way === 'other') this.way = 'file'
    this.#empty()
  }

  #empty(): void {
    this.head = {}
    this.matches = []
    this.weak = []
    this.approval.forget()
  }

  /** The question as the API takes it. */
  body(): SearchBody | undefined {
    const { subject, options } = this
    if (subject === undefined) return undefined
    const text = (key: 'folder' | 'purpose' | 'case') =>
      options[key].trim() === '' ? {} : { [key]: options[key].trim() }
    const [since, until] = [instantOfDay(options.since), instantOfDay(options.until, true)]
    return {
      ...{ subject, top: options.top, expectFalse: options.expectFalse },
      ...(options.weak ? { weak: true } : {}),
      ...(options.with.length > 0 ? { with: options.with, together: options.together } : {}),
      ...(options.without.length > 0 ? { without: options.without } : {}),
      ...text('folder'),
      ...text('purpose'),
      ...text('case'),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    }
  }

  /** Searches, or asks for approval where that is needed. */
  async submit(): Promise<void> {
    const body = this.body()
    if (body === undefined || !this.isReady) return
    if (!session.policy.approvalRequired) return this.run()
    this.problem = undefined
    try {
      await this.approval.request(body)
    } catch (error) {
      this.problem = error
    }
  }

  /** Searches. Matches appear as they arrive. @param body an approved question */
  async run(body: SearchBody | undefined = this.body()): Promise<void> {
    if (body === undefined) return
    this.stop()
    const stop = (this.#stop = new AbortController())
    this.#empty()
    this.problem = undefined
    this.asked = body
    this.isRunning = true
    const isLast = () => this.#stop === stop
    try {
      await searchCall(
        body,
        {
          onHead: (head) => isLast() && (this.head = { ...this.head, ...head }),
          onMatch: (match, isWeak) => {
            if (!isLast()) return
            if (isWeak) this.weak = [...this.weak, match]
            else this.matches = [...this.matches, match]
          },
        },
        stop.signal,
      )
      if (isLast()) notices.say(t.search.found(this.matches.length, this.weak.length))
    } catch (error) {
      if (isLast() && !stop.signal.aborted) this.problem = error
    } finally {
      if (isLast()) this.isRunning = false
    }
  }

  stop(): void {
    this.#stop?.abort()
    this.#stop = undefined
    this.isRunning = false
  }

  /** Takes a clip out of the answer, or changes it. */
  replace(clipId: string, change: (match: Match) => Match | undefined): void {
    const changed = (list: readonly Match[]) =>
      list.flatMap((match) => (match.clipId === clipId ? (change(match) ?? []) : match))
    this.matches = changed(this.matches)
    this.weak = changed(this.weak)
  }
}

export const search = new SearchStore()
