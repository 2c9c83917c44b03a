import { isPathBelowSql, isWholePathSql, PathScope } from './path-scope.js'
import { createChangeReader } from './change-reader.js'
import type { Database } from './sqlite.js'

/** The clips with a file below some folders, at one moment. */
export interface VisibleClips {
  readonly clipIds: ReadonlySet<string>
  readonly paths: PathScope
  /** Number of their tracks with a descriptor in a space. */
  countDescribed(spaceId: number): number
  /** Number of all their tracks. */
  countTracks(): number
}

/** So many sets of folders are kept in memory. The ids of 100,000 clips take 10 MB. */
const mostKept = 16

/**
 * Finds which clips are visible below folders. What was found is kept until the archive changes, because a question asks it
 * of thousands of tracks.
 */
export class VisibleClipsReader {
  readonly #database: Database
  readonly #readChange: () => string
  #change = ''
  readonly #kept = new Map<string, VisibleClips>()
  readonly #counts = new Map<number | 'all', ReadonlyMap<string, number>>()

  constructor(database: Database) {
    this.#database = database
    this.#readChange = createChangeReader(database)
  }

  /** @param folders and URLs; an empty list: no clip is visible */
  below(folders: readonly string[]): VisibleClips {
    this.#forgetOldReads()
    const key = JSON.stringify([...folders].sort())
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined && this.#kept.size >= mostKept) this.#kept.delete(oldest)
    const found = this.#read(new PathScope(folders))
    this.#kept.set(key, found)
    return found
  }

  #forgetOldReads(): void {
    const change = this.#readChange()
    if (change === this.#change) return
    this.#change = change
    this.#kept.clear()
    this.#counts.clear()
  }

  #read(paths: PathScope): VisibleClips {
    const clipIds = new Set(
      this.#database
        .prepare<{ within: string }, string>(
          `SELECT DISTINCT clip_id FROM paths JOIN roots USING (root_id)
           WHERE clip_id IS NOT NULL AND ${isPathBelowSql('@within')} AND ${isWholePathSql}`,
        )
        .pluck()
        .all({ within: paths.startsJson }),
    )
    const sum = (counts: ReadonlyMap<string, number>) => {
      let tracks = 0
      for (const [clipId, own] of counts) if (clipIds.has(clipId)) tracks += own
      return tracks
    }
    return {
      ...{ clipIds, paths },
      countDescribed: (spaceId) => sum(this.#countsOf(spaceId)),
      countTracks: () => sum(this.#countsOf('all')),
    }
  }

  /** Number of tracks of every clip. */
  #countsOf(space: number | 'all'): ReadonlyMap<string, number> {
    const known = this.#counts.get(space)
    if (known !== undefined) return known
    const counts = new Map(
      this.#database
        .prepare<{ spaceId: number }, [string, number]>(
          space === 'all'
            ? 'SELECT clip_id, count(*) FROM tracks WHERE @spaceId = 0 GROUP BY clip_id'
            : `SELECT clip_id, count(*) FROM descriptors JOIN tracks USING (track_id) WHERE space_id = @spaceId
               GROUP BY clip_id`,
        )
        .raw()
        .all({ spaceId: space === 'all' ? 0 : space }),
    )
    this.#counts.set(space, counts)
    return counts
  }
}
