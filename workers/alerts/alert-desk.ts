import { ArchiveModels } from '../../index/archive/archive-models.js'
import type { Archive, FilledArchive } from '../../index/archive/open-archive.js'
import { PeopleOfClips } from '../../index/clips/people-of-clip.js'
import { namerOf, readNames, type ReadNames } from '../../index/clips/track-namer.js'
import { knownName } from '../../index/identities/identities.js'
import {
  alertsIn,
  clipsDueForAlerts,
  noteAlertDue,
  setAlertState,
  storeAlerts,
  type Alert,
} from '../../index/store/alerts.js'
import { listIdentities } from '../../index/store/identities.js'
import { lastJournalEntry } from '../../index/store/journal.js'
import { presentPath } from '../../index/store/present-path.js'
import { inTransaction } from '../../index/store/transaction.js'
import { createWholeRows } from '../../index/store/whole-rows.js'
import { quoted } from '../../pipeline/common/display-name.js'
import { messageOf } from '../../pipeline/common/errors.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { AlertPoster } from './alert-poster.js'
import type { AlertWish } from './alert-wish.js'

/** The names of an archive, and the state of the archive that they were read from. */
interface KnownNames extends ReadNames {
  readonly key: string
}

/**
 * Tells of enrolled people in clips that an ingest has done. Which clips have to be looked at, and what was told, is
 * stored in the archive: nothing is lost by a crash, and nothing is told twice by a later ingest.
 */
export class AlertDesk {
  readonly #archive: Archive
  readonly #wish: AlertWish
  readonly #caller: Caller
  readonly #poster: AlertPoster | undefined
  /** Clips to look at. Their rows are durable. */
  readonly #clips: Set<string>
  #looking: Promise<void> | undefined
  #models: { readonly recipe: string; readonly models: ArchiveModels } | undefined
  #names: KnownNames | undefined

  constructor(archive: Archive, wish: AlertWish, caller: Caller) {
    const { webhook } = wish
    this.#archive = archive
    this.#wish = wish
    this.#caller = caller
    this.#clips = new Set(clipsDueForAlerts(archive.database))
    this.#tellMissing()
    if (webhook !== undefined) {
      this.#poster = new AlertPoster(archive.database, webhook, caller.notify)
      caller.notify(`alerts are posted to ${webhook.host}: names, clips and times only`)
    }
  }

  /** Call it within the transaction that completes the clip. */
  noteDue(clipId: string): void {
    noteAlertDue(this.#archive.database, clipId)
  }

  /** Looks at a clip soon. Its rows are durable. */
  lookAt(clipId: string): void {
    this.#clips.add(clipId)
    this.look()
  }

  /** Looks at the clips that wait, and tells what an earlier process could not tell any more. */
  look(): void {
    this.#looking ??= this.#lookAtAll().finally(() => (this.#looking = undefined))
  }

  /** Resolves when every clip so far was looked at. */
  async settled(): Promise<void> {
    this.look()
    await this.#looking
  }

  /** @param signal when it is aborted, nothing is posted any more */
  async close(signal: AbortSignal): Promise<void> {
    await this.settled()
    const stop = () => void this.#poster?.close()
    signal.addEventListener('abort', stop)
    if (!signal.aborted) await this.#poster?.post()
    signal.removeEventListener('abort', stop)
    await this.#poster?.close()
    await this.#models?.models.dispose()
  }

  /** Never rejects: what cannot be looked at now is looked at by the next ingest. */
  async #lookAtAll(): Promise<void> {
    try {
      await nextTurn()
      const { recipe } = this.#archive
      if (recipe === undefined) return
      const opened = { archive: this.#archive, recipe }
      this.#tellNew()
      while (this.#clips.size > 0) {
        const clipIds = [...this.#clips]
        const names = await this.#readNames(opened)
        const models = await this.#modelsOf(opened)
        const rows = createWholeRows(this.#archive.database, new Set())
        const people = new PeopleOfClips(this.#archive, rows, namerOf(opened, models, names.names, {}))
        for (const clipId of clipIds) {
          this.#store(clipId, people)
          this.#clips.delete(clipId)
          await nextTurn()
        }
      }
    } catch (error) {
      this.#caller.notify(`alerts will be told later: ${messageOf(error)}`)
    }
    this.#poster?.wake()
  }

  #store(clipId: string, people: PeopleOfClips): void {
    const { database, files } = this.#archive
    const path = presentPath(files.pathsOf(clipId))?.path
    const at = new Date().toISOString()
    const seen = path === undefined ? [] : people.of(clipId)
    const alerts = seen.flatMap(({ name, score = 0, ranges }): Alert[] =>
      name === undefined || path === undefined || !this.#isWanted(name)
        ? []
        : [{ clipId, name, path, at, score, ranges: ranges.map(({ startS, endS }) => ({ startS, endS })) }],
    )
    inTransaction(database, () => storeAlerts(database, clipId, alerts))
    this.#tellNew()
  }

  #tellNew(): void {
    const { database } = this.#archive
    for (const alert of alertsIn(database, 'new', Number.MAX_SAFE_INTEGER)) {
      if (!this.#isWanted(alert.name)) continue
      this.#wish.onAlert(alert)
      setAlertState(database, alert, this.#poster === undefined ? 'told' : 'waiting')
    }
  }

  #isWanted(name: string): boolean {
    const { names } = this.#wish
    return names === 'all' || names.some((wanted) => knownName(this.#archive.database, wanted) === name)
  }

  #tellMissing(): void {
    const { database } = this.#archive
    const { names } = this.#wish
    if (names === 'all') return
    const known = new Set(listIdentities(database).map(({ name }) => name))
    const missing = names.filter((name) => !known.has(knownName(database, name)))
    if (missing.length > 0)
      this.#caller.notify(
        `nobody is enrolled as ${missing.map(quoted).join(', ')} yet: alerts begin when somebody is`,
      )
  }

  /** Reads the names again if somebody was enrolled or forgotten. */
  async #readNames(opened: FilledArchive): Promise<ReadNames> {
    const { database } = opened.archive
    const identities = listIdentities(database)
    const key = JSON.stringify([opened.recipe.spaceDigest, lastJournalEntry(database), identities])
    if (this.#names?.key === key) return this.#names
    const read = await readNames(opened, await this.#modelsOf(opened), {})
    for (const { message } of read.leftOut)
      this.#caller.notify(`${message}; there are no alerts for the name`)
    this.#names = { ...read, key }
    return this.#names
  }

  /** The models of the archive's recipe, which an ingest may have changed. */
  async #modelsOf(opened: FilledArchive): Promise<ArchiveModels> {
    const recipe = opened.recipe.digest
    if (this.#models?.recipe !== recipe) {
      await this.#models?.models.dispose()
      this.#models = { recipe, models: new ArchiveModels(opened, { device: { kind: 'cpu' } }, this.#caller) }
    }
    return this.#models.models
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Calls `work` with a desk for the wish, and closes it after the work. Without a wish there is none. */
export async function withAlerts<T>(
  archive: Archive,
  { wish, signal }: { readonly wish: AlertWish | undefined; readonly signal: AbortSignal },
  caller: Caller,
  work: (desk: AlertDesk | undefined) => Promise<T>,
): Promise<T> {
  if (wish === undefined) return work(undefined)
  const desk = new AlertDesk(archive, wish, caller)
  try {
    return await work(desk)
  } finally {
    await desk.close(signal)
  }
}
