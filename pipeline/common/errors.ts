import type { ErrorDetails } from './remedies.js'
import { oneLine } from './visible-text.js'

/**
 * The one table of error codes: what went wrong, and whether a retry can help. A code is stable; scripts may branch on
 * it. `retriable` is the default for the code.
 */
export const errorCodes = {
  // clips
  CLIP_EMPTY: { retriable: false },
  CLIP_NOT_VIDEO: { retriable: false },
  CLIP_NO_VIDEO: { retriable: false },
  CLIP_UNREADABLE: { retriable: true },
  CLIP_GONE: { retriable: false },
  CLIP_CHANGED: { retriable: true },
  CLIP_NOT_ALLOWED: { retriable: false },
  CLIP_FRAME_TOO_LARGE: { retriable: false },
  CLIP_DECODE_FAILED: { retriable: false },
  CLIP_ENCRYPTED: { retriable: false },
  CLIP_NOT_SEEKABLE: { retriable: true },
  CLIP_STUCK: { retriable: false },
  CLIP_NAME_UNSUPPORTED: { retriable: false },
  CLIP_FETCH_FAILED: { retriable: true },
  /** Its server sends too slowly. Other clips wait for the place that this download holds. */
  CLIP_FETCH_SLOW: { retriable: true },
  CLIP_ENDS_WORKERS: { retriable: false },
  /** The folder that contains the clips does not exist; usually it is not mounted. */
  ROOT_MISSING: { retriable: false },
  // photos and queries
  IMAGE_UNREADABLE: { retriable: false },
  IMAGE_NO_FACE: { retriable: false },
  IMAGE_SEVERAL_FACES: { retriable: false },
  FACE_UNKNOWN: { retriable: false },
  /** Most photos given for a name show a different person from the other photos of that name. */
  FACES_DISAGREE: { retriable: false },
  QUERY_NO_TRACK: { retriable: false },
  NAME_UNKNOWN: { retriable: false },
  /** Another person has this name or alias. */
  NAME_TAKEN: { retriable: false },
  /** It is not clear which face of a clip is meant. */
  TRACK_UNCLEAR: { retriable: false },
  CLIP_UNKNOWN: { retriable: false },
  TRACK_UNKNOWN: { retriable: false },
  /** A file of names is damaged, cut off, or something else. */
  NAMES_INVALID: { retriable: false },
  NAMES_NOT_WRITTEN: { retriable: true },
  /** No group of tracks has this number. */
  PERSON_UNKNOWN: { retriable: false },
  // models
  PACK_UNKNOWN: { retriable: false },
  PACK_INVALID: { retriable: false },
  ENCODER_INVALID: { retriable: false },
  MODEL_DOWNLOAD_FAILED: { retriable: true },
  MODEL_DIGEST_MISMATCH: { retriable: false },
  MODEL_UNREADABLE: { retriable: false },
  DEVICE_UNAVAILABLE: { retriable: false },
  // archive
  ARCHIVE_MISSING: { retriable: false },
  ARCHIVE_BUSY: { retriable: true },
  ARCHIVE_READ_ONLY: { retriable: false },
  ARCHIVE_FULL: { retriable: true },
  ARCHIVE_DAMAGED: { retriable: false },
  ARCHIVE_NEWER: { retriable: false },
  ARCHIVE_OTHER_RECIPE: { retriable: false },
  /** Rows are erased, but their bytes are still in a file that another process holds. */
  ERASURE_PENDING: { retriable: true },
  INDEX_TOO_LARGE: { retriable: false },
  // audit log, approvals, receipts, backups
  /** A key of the archive is lost or damaged. */
  AUDIT_KEY_MISSING: { retriable: false },
  AUDIT_EXPORT_INVALID: { retriable: false },
  APPROVAL_UNKNOWN: { retriable: false },
  /** This user may not take this step. */
  APPROVAL_NOT_ALLOWED: { retriable: false },
  /** It was decided, used, or has expired. */
  APPROVAL_CLOSED: { retriable: false },
  /** It is for another question. */
  APPROVAL_MISMATCH: { retriable: false },
  RECEIPT_UNKNOWN: { retriable: false },
  RECEIPT_INVALID: { retriable: false },
  BACKUP_INVALID: { retriable: false },
  BACKUP_NOT_WRITTEN: { retriable: true },
  /** A backup would replace an archive. */
  ARCHIVE_EXISTS: { retriable: false },
  /** Nothing tells what was erased since a backup. */
  ERASURES_UNKNOWN: { retriable: false },
  SNAPSHOT_DAMAGED: { retriable: false },
  VECTOR_INVALID: { retriable: false },
  // brokers, topics and what travels through them
  BROKER_UNREACHABLE: { retriable: true },
  BROKER_REFUSED: { retriable: false },
  BROKER_UNTRUSTED: { retriable: false },
  TOPIC_MISSING: { retriable: false },
  TOPIC_CHANGED: { retriable: false },
  MESSAGE_INVALID: { retriable: false },
  MESSAGE_NEWER: { retriable: false },
  MESSAGE_TOO_LARGE: { retriable: false },
  /** An error with a message that has no code of its own; usually a bug. */
  MESSAGE_FAILED: { retriable: true },
  RECIPE_MISMATCH: { retriable: false },
  RESULT_MISSING: { retriable: true },
  SCRATCH_FULL: { retriable: true },
  // evaluation and training
  LIST_INVALID: { retriable: false },
  GROUND_TRUTH_INVALID: { retriable: false },
  ENSEMBLE_INVALID: { retriable: false },
  EMBEDDER_UNKNOWN: { retriable: false },
  SUBMISSION_INVALID: { retriable: false },
  FEATURES_INVALID: { retriable: false },
  EVALUATION_INVALID: { retriable: false },
  HEAD_INVALID: { retriable: false },
  HEAD_OTHER_EMBEDDER: { retriable: false },
  TRAINING_IMPOSSIBLE: { retriable: false },
  CHECKPOINT_INVALID: { retriable: false },
  REPORT_NOT_WRITTEN: { retriable: true },
  // the server
  SIGN_IN_REQUIRED: { retriable: false },
  /** The search needs the approval of another person. */
  APPROVAL_MISSING: { retriable: false },
  /** The archive's owner wants to know why a search is made. */
  PURPOSE_MISSING: { retriable: false },
  /** The request may be forged: it does not prove that a page of this server made it. */
  REQUEST_FORGED: { retriable: false },
  NOT_FOUND: { retriable: false },
  UPLOAD_TOO_LARGE: { retriable: false },
  /** The requested bytes lie beyond the end of the file. */
  RANGE_INVALID: { retriable: false },
  /** All places for this kind of work are taken. */
  SERVER_BUSY: { retriable: true },
  TOO_MANY_REQUESTS: { retriable: true },
  // who may do what
  /** The name or the password is wrong, or the user is disabled. */
  SIGN_IN_FAILED: { retriable: false },
  SIGN_IN_THROTTLED: { retriable: true },
  /** The provider of OpenID Connect does not answer. */
  SIGN_IN_UNAVAILABLE: { retriable: true },
  PASSWORD_WEAK: { retriable: false },
  RIGHT_MISSING: { retriable: false },
  USER_UNKNOWN: { retriable: false },
  USER_TAKEN: { retriable: false },
  /** Without this user, nobody could administer. */
  LAST_ADMINISTRATOR: { retriable: false },
  KEY_UNKNOWN: { retriable: false },
  COLLECTION_UNKNOWN: { retriable: false },
  COLLECTION_TAKEN: { retriable: false },
  /** The link that makes the first administrator cannot be used. */
  SETUP_REFUSED: { retriable: false },
  /** An idempotency key belongs to another request, or to one that still runs. */
  IDEMPOTENCY_CONFLICT: { retriable: false },
  // the command and its surroundings
  FFMPEG_MISSING: { retriable: false },
  FFMPEG_FAILED: { retriable: true },
  USAGE: { retriable: false },
  WORKER_DIED: { retriable: true },
  INTERRUPTED: { retriable: true },
} as const satisfies Record<string, { retriable: boolean }>

/** A code of the table. */
export type ErrorCode = keyof typeof errorCodes

/** What an error says besides its code and its message. */
export interface CameoErrorOptions {
  /** Overrides the code's default: can the same work succeed if it is retried unchanged? */
  readonly retriable?: boolean
  readonly cause?: unknown
  /** What helps against the error. */
  readonly details?: ErrorDetails | undefined
}

/**
 * An error that says what happened, where, and whether to retry. The message is one sentence for a person. It names no
 * command and no option, because users of the library and of a server have none.
 */
export class CameoError extends Error {
  /** What went wrong; stable. */
  readonly code: ErrorCode
  /** The same work may succeed if it is retried unchanged. */
  readonly retriable: boolean
  /** What helps, tagged by `remedy`; undefined if the message says everything. */
  readonly details: ErrorDetails | undefined

  constructor(code: ErrorCode, message: string, options: CameoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CameoError'
    this.code = code
    this.retriable = options.retriable ?? errorCodes[code].retriable
    this.details = options.details
  }
}

/** A CameoError in the form that threads exchange. */
export interface ErrorParts {
  readonly code: ErrorCode
  readonly message: string
  readonly retriable: boolean
  readonly details: ErrorDetails | undefined
}

export const partsOfError = ({ code, message, retriable, details }: CameoError): ErrorParts => ({
  ...{ code, message, retriable, details },
})

export const errorOfParts = ({ code, message, retriable, details }: ErrorParts): CameoError =>
  new CameoError(code, message, { retriable, details })

/** The text of anything thrown, for messages and logs. Errors of other libraries are put on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof CameoError) return error.message
  return oneLine((error instanceof Error ? error.message : String(error)).trim().replace(/\s*\n\s*/g, ' '))
}
