import { CameoError } from '../../pipeline/common/errors.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import type { Archive } from '../archive/open-archive.js'
import type { ListParts } from '../clips/list-clips.js'
import { lossOf } from '../identities/forget.js'
import { folderNames } from '../store/path-scope.js'
import { createClipCheck, type Damage } from '../store/damage.js'
import { clipsUpTo, trackIdsOf, type AgedClip } from '../store/retention.js'
import { findUnnamed } from './unnamed-tracks.js'

/** What is forgotten because of its age. */
export interface RetentionWish {
  /** Older clips are forgotten: a number of days, 1 or more. */
  readonly days: number
  /**
   * `clips`: whole clips. `unnamed-people`: of these clips, only the tracks that show nobody who is enrolled.
   * Default: `clips`.
   */
  readonly what?: 'clips' | 'unnamed-people' | undefined
  /**
   * `date`: the age is that of the footage, as `since` of a search takes it. `added`: it counts from when the clip came
   * into the archive. Default: `date`.
   */
  readonly by?: 'date' | 'added' | undefined
  /** Only clips with a file below this folder or URL. */
  readonly folder?: string | undefined
}

/** A clip that is forgotten, or in which tracks are erased. */
export interface AgedEntry {
  readonly clipId: string
  /** All of its files. They stay. */
  readonly paths: readonly string[]
  readonly date: Date
  /** How many tracks are erased. */
  readonly tracks: number
  /** Names that lose faces, since these were enrolled from the clip. Only of whole clips. */
  readonly names: readonly string[]
}

/** The same, with what is erased. */
export interface PlannedEntry extends AgedEntry {
  /** Ids of the tracks. */
  readonly trackIds: readonly number[]
}

/** What a retention finds. */
export interface RetentionPlan {
  readonly what: 'clips' | 'unnamed-people'
  /** Clips of this time or earlier are meant. */
  readonly before: Date
  /** In order of their paths. */
  readonly entries: readonly PlannedEntry[]
  /** What cannot be trusted, and is left alone: its age or its people are not known. */
  readonly damaged: readonly DamagedThing[]
}

const msPerDay = 86_400_000

/**
 * Finds what is older than the wish allows. Changes nothing.
 * @param now ms since 1970
 * @throws USAGE; ARCHIVE_DAMAGED and others where a name cannot be compared, since its tracks would count as unnamed
 */
export async function planRetention(
  parts: ListParts,
  { days, what = 'clips', by = 'date', folder }: RetentionWish,
  now: number,
  notify: (notice: string) => void,
): Promise<RetentionPlan> {
  if (!(days >= 1)) throw new CameoError('USAGE', `clips are kept for 1 day or more, not for ${days}`)
  const { archive } = parts.opened
  const untilMs = Math.floor(now - days * msPerDay)
  const folders = folder === undefined ? [] : folderNames(folder)
  const aged = clipsUpTo(archive.database, { untilMs, by, folders })
  const sound = new Soundness(archive)
  const known = aged.flatMap((clip) => sound.knownOf(clip))
  const found =
    what === 'clips'
      ? { tracks: new Map(known.map(({ clipId }) => [clipId, trackIdsOf(archive.database, clipId)])), damage: [] }
      : await findUnnamed(parts, known.filter(({ clipId }) => sound.isWhole(clipId)).map(({ clipId }) => clipId)) // prettier-ignore
  const entries = known.flatMap((clip) => {
    const trackIds = found.tracks.get(clip.clipId)
    return trackIds === undefined ? [] : [entryOf(archive, clip, trackIds, what)]
  })
  return {
    ...{ what, before: new Date(untilMs), entries },
    damaged: noteDamage(archive, [...sound.damage, ...found.damage], notify),
  }
}

/** A clip whose age is known. */
type DatedClip = AgedClip & { readonly dateMs: number }

/** Which clips can be judged. */
class Soundness {
  readonly damage: Damage[] = []
  readonly #check: ReturnType<typeof createClipCheck>

  constructor({ database }: Archive) {
    this.#check = createClipCheck(database)
  }

  knownOf({ dateMs, ...clip }: AgedClip): DatedClip[] {
    if (dateMs !== undefined) return [{ ...clip, dateMs }]
    this.damage.push({ clipId: clip.clipId, what: 'clips' })
    return []
  }

  /** False where rows are missing or damaged: what is left of the clip says too little about its people. */
  isWhole(clipId: string): boolean {
    const what = this.#check(clipId)
    if (what !== undefined) this.damage.push({ clipId, what })
    return what === undefined
  }
}

function entryOf(
  { database }: Archive,
  { clipId, dateMs }: DatedClip,
  trackIds: readonly number[],
  what: RetentionPlan['what'],
): PlannedEntry {
  const { paths, names } = lossOf(database, clipId)
  return {
    ...{ clipId, paths, trackIds, tracks: trackIds.length, names: what === 'clips' ? names : [] },
    date: new Date(dateMs),
  }
}
