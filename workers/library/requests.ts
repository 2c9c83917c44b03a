import type { RecipeOptions } from '../../index/archive/choose-recipe.js'
import type { IngestReport } from '../archive/ingest-archive.js'
import type { ClipResult } from '../ingest/ingest-events.js'
import type { ClipEvent } from './clip-events.js'
import type { CallOptions } from './options.js'

/** How clips are taken in. */
export interface IngestOptions extends CallOptions {
  /** What differs from the archive's settings, or from the defaults of a new one. */
  readonly recipe?: RecipeOptions
  /** Process every clip anew where these settings are not the archive's. Default: false. */
  readonly reprocess?: boolean
  /** Take up clips again that were forgotten. Default: false. */
  readonly includeForgotten?: boolean
  /** Look at every row of the archive first, and process clips anew whose rows are damaged. Default: false. */
  readonly repair?: boolean
  /** How often the state of a segment under work is kept, seconds of video. Default: 45. */
  readonly checkpointEveryS?: number
  /** Told what happens to each clip. */
  readonly onEvent?: (event: ClipEvent) => void
}

/** What became of an ingest. */
export interface IngestSummary extends IngestReport {
  /** How many files had each result. */
  readonly results: Readonly<Partial<Record<ClipResult['status'], number>>>
}

/** Whose faces are enrolled. */
export interface EnrollOptions extends CallOptions {
  /** Which face of each photo, or person of each clip, from 1. Default: the one that it is plainly of. */
  readonly face?: number
  /** Enroll also files that mostly show different people. Default: false. */
  readonly force?: boolean
}

/** What is forgotten: a clip, a name, or one face of a name. */
export type ForgetQuery = {
  /** How long to wait for other processes that read the archive, ms. Default: 30,000. */
  readonly waitMs?: number
} & (
  | {
      /** Id of the clip, its first digits (8 at least), or the path of its file. */
      readonly clip: string
    }
  | {
      readonly name: string
      /** Number of one face, as `faces` gives it. Default: all, and the name. */
      readonly face?: number
    }
)
