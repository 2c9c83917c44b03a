import type { PoolChoice } from '../../index/evaluate/datasets/pools.js'
import type { RecipeOptions } from '../../index/archive/choose-recipe.js'
import type { IngestReport } from '../archive/ingest-archive.js'
import type { ClipResult } from '../ingest/ingest-events.js'
import type { ClipEvent } from './clip-events.js'
import type { CallOptions } from './options.js'

/** Options of an ingest. */
export interface IngestOptions extends CallOptions {
  /** Settings that differ from the archive's, or from the defaults of a new archive. */
  readonly recipe?: RecipeOptions
  /** Process every clip again if these settings differ from the archive's. Default: false. */
  readonly reprocess?: boolean
  /** Ingest forgotten clips again. Default: false. */
  readonly includeForgotten?: boolean
  /** First check every row of the archive, and process clips with damaged rows again. Default: false. */
  readonly repair?: boolean
  /** How often the state of a running segment is stored, in seconds of video. Default: 45. */
  readonly checkpointEveryS?: number
  /** Called with the events of each clip. */
  readonly onEvent?: (event: ClipEvent) => void
}

/** The result of an ingest. */
export interface IngestSummary extends IngestReport {
  /** Number of files with each result. */
  readonly results: Readonly<Partial<Record<ClipResult['status'], number>>>
}

/** Options of an enrolment. */
export interface EnrollOptions extends CallOptions {
  /**
   * Which face of each photo, or person of each clip, from 1. Default: the main one, if there clearly is one.
   */
  readonly face?: number
  /** Enrol even if the files mostly show different people. Default: false. */
  readonly force?: boolean
  /**
   * Keep a picture of each face, from which other models can embed it later. Without it, a name needs its photos again
   * if the archive's models change. Default: true.
   */
  readonly keepPhoto?: boolean
}

/** Options of a correction. */
export interface CorrectOptions {
  /** Only what is seen within these seconds of the clip. Default: what answers for the name now. */
  readonly range?: { readonly startS: number; readonly endS: number }
  /** Take such corrections back. Default: false. */
  readonly undo?: boolean
  /** Cosine similarity from which a track answers for the name. Default: as in `search`. */
  readonly minScore?: number
  readonly expectFalse?: number
}

/** What to forget: a clip, a name, or one face of a name. */
export type ForgetQuery = {
  /** How long to wait for other processes that read the archive, ms. Default: 30,000. */
  readonly waitMs?: number
} & (
  | {
      /** Id of the clip, its first digits (at least 8), or the path of its file. */
      readonly clip: string
    }
  | {
      readonly name: string
      /** Number of one face, as `faces` returns it. Default: all faces and the name. */
      readonly face?: number
    }
)

/** What people without names are compared with. */
export interface GroupsQuery {
  /** Ground truth file: lines "CLIP ID" or "ID CLIP CLIP …". */
  readonly groundTruth: string
  /** `all`: tracks that the list does not name show strangers; `listed`: they are left out. Default: `all`. */
  readonly pool?: PoolChoice
}
