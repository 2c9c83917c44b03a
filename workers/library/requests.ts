import type { PoolChoice } from '../../index/evaluate/datasets/pools.js'
import type { ErasureOrder } from '../../index/erasure/prove-erasure.js'
import type { RecipeOptions } from '../../index/archive/choose-recipe.js'
import type { RetentionWish } from '../../index/retention/plan-retention.js'
import type { Alert } from '../../index/store/alerts.js'
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
  /** Real paths of folders. A link that leads out of them fails as CLIP_NOT_ALLOWED. Default: links may lead anywhere. */
  readonly within?: readonly string[]
  /** Called with the events of each clip. */
  readonly onEvent?: (event: ClipEvent) => void
  /** Of whom to tell when they appear in the clips that are ingested. Default: of nobody. */
  readonly alerts?: AlertOptions
}

/** Of whom an ingest tells. */
export interface AlertOptions {
  /** Names that are enrolled, or that will be; or all that are. */
  readonly names: readonly string[] | 'all'
  /**
   * Called once for each clip and name, also over several ingests. After a crash it may be called a second time for the
   * last of them.
   */
  readonly onAlert: (alert: Alert) => void
  /**
   * A server that each alert is posted to as JSON `{v, id, name, clip, clipId, ranges, at}`: the clip's file name without
   * its folder, no picture, no vector. What it does not take waits in the archive. Default: nothing is sent.
   */
  readonly webhook?: {
    /** https, or http to this machine. Redirects are not followed. */
    readonly url: string
    /** Key of the header `x-cameo-signature`: `sha256=` and the HMAC-SHA-256 of the body, hex. Default: no header. */
    readonly secret?: string
  }
}

/** Options of a watch. */
export interface WatchOptions extends Omit<IngestOptions, 'repair' | 'within'> {
  /** How long a file must not change before it is taken, in seconds. Default: 5. */
  readonly stableS?: number
  /** How often the folders are searched, in seconds, besides what the system tells of them. Default: 60. */
  readonly rescanS?: number
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
  /** Where the faces of the file come from, in place of its path. Only with one file. */
  readonly source?: string
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

/** What to forget because of its age. */
export interface RetainQuery extends RetentionWish {
  /** Only find out what would be forgotten. Default: false. */
  readonly dryRun?: boolean
  /** How long to wait for other processes that read the archive, ms. Default: 30,000. */
  readonly waitMs?: number
  /** Stops between two clips. The next call forgets the rest. */
  readonly signal?: AbortSignal
}

/** What to forget: a clip, a name, or one face of a name. */
export type ForgetQuery = {
  /** Who erases, and why: for the receipt and the audit log. Default: the user of this process. */
  readonly order?: ErasureOrder
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
