import { z } from 'zod'
import { CameoError, errorCodes, type ErrorCode } from '../../../pipeline/common/errors.js'

/** HTTP status of errors, by code. Codes that are not listed are faults of the server: 500. */
const statuses: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  PURPOSE_MISSING: 400,
  APPROVAL_MISSING: 403,
  APPROVAL_NOT_ALLOWED: 403,
  APPROVAL_MISMATCH: 403,
  APPROVAL_UNKNOWN: 404,
  APPROVAL_CLOSED: 409,
  RECEIPT_UNKNOWN: 404,
  FACE_UNKNOWN: 400,
  SIGN_IN_REQUIRED: 401,
  SIGN_IN_FAILED: 401,
  RIGHT_MISSING: 403,
  REQUEST_FORGED: 403,
  SETUP_REFUSED: 403,
  CLIP_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  NAME_UNKNOWN: 404,
  CLIP_UNKNOWN: 404,
  TRACK_UNKNOWN: 404,
  PERSON_UNKNOWN: 404,
  ARCHIVE_MISSING: 404,
  CLIP_GONE: 404,
  NAME_TAKEN: 409,
  FACES_DISAGREE: 409,
  TRACK_UNCLEAR: 409,
  ARCHIVE_BUSY: 409,
  ARCHIVE_OTHER_RECIPE: 409,
  USER_UNKNOWN: 404,
  KEY_UNKNOWN: 404,
  COLLECTION_UNKNOWN: 404,
  USER_TAKEN: 409,
  COLLECTION_TAKEN: 409,
  LAST_ADMINISTRATOR: 409,
  IDEMPOTENCY_CONFLICT: 409,
  CLIP_CHANGED: 409,
  UPLOAD_TOO_LARGE: 413,
  RANGE_INVALID: 416,
  IMAGE_UNREADABLE: 422,
  IMAGE_NO_FACE: 422,
  IMAGE_SEVERAL_FACES: 422,
  QUERY_NO_TRACK: 422,
  CLIP_EMPTY: 422,
  CLIP_NOT_VIDEO: 422,
  CLIP_NO_VIDEO: 422,
  CLIP_UNREADABLE: 422,
  CLIP_FRAME_TOO_LARGE: 422,
  CLIP_DECODE_FAILED: 422,
  CLIP_ENCRYPTED: 422,
  CLIP_NOT_SEEKABLE: 422,
  CLIP_STUCK: 422,
  CLIP_NAME_UNSUPPORTED: 422,
  PASSWORD_WEAK: 422,
  GROUND_TRUTH_INVALID: 422,
  EVALUATION_INVALID: 422,
  NAMES_INVALID: 422,
  SIGN_IN_THROTTLED: 429,
  TOO_MANY_REQUESTS: 429,
  ARCHIVE_READ_ONLY: 503,
  ARCHIVE_FULL: 507,
  INTERRUPTED: 503,
  SERVER_BUSY: 503,
  SIGN_IN_UNAVAILABLE: 503,
  ROOT_MISSING: 503,
  CLIP_FETCH_FAILED: 503,
  CLIP_FETCH_SLOW: 503,
  SCRATCH_FULL: 507,
  WORKER_DIED: 503,
}

/** A problem document (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.string().describe('A URI that names the kind of problem: urn:cameo:error: and the code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('One sentence for a person.'),
    code: z.string().describe('One of the error codes of Cameo, which are stable.'),
    retriable: z.boolean().describe('The same request may succeed later.'),
    instance: z.string().optional().describe('The id of the request, as it is in the log of the server.'),
    remedy: z.string().optional().describe('What helps.'),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof problemSchema>

export const problemMime = 'application/problem+json'

export const statusOf = (code: ErrorCode): number => statuses[code] ?? 500

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  408: 'Too slow',
  409: 'Conflict',
  413: 'Too large',
  416: 'No such range',
  415: 'Unsupported type of content',
  422: 'Cannot be used',
  429: 'Too many requests',
  431: 'Headers too long',
  500: 'Error of the server',
  503: 'Not available now',
  507: 'No space left',
}

interface HttpError {
  readonly statusCode?: number
  readonly message: string
  readonly validation?: unknown
}

/** The problem document of anything thrown. Faults of the server do not tell their text. @param requestId its id in the log */
export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof CameoError) {
    const status = statusOf(error.code)
    const remedy = error.details?.remedy
    return {
      ...documentOf(error.code, status, status === 500 ? faultText : error.message, requestId),
      retriable: error.retriable,
      ...(remedy === undefined ? {} : { remedy }),
    }
  }
  const { statusCode = 500, message } = isHttpError(error) ? error : { message: '' }
  if (statusCode >= 500) return documentOf('MESSAGE_FAILED', 500, faultText, requestId)
  return documentOf(codeOf(statusCode), statusCode, message, requestId)
}

const faultText = 'the server failed; its log says why'

/** The document of a problem with this status. */
export function documentOf(code: ErrorCode, status: number, detail: string, instance: string): Problem {
  return {
    type: `urn:cameo:error:${code}`,
    title: titles[status] ?? 'Error',
    ...{ status, detail, code, instance },
    retriable: errorCodes[code].retriable,
  }
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'SIGN_IN_REQUIRED'
  if (status === 403) return 'RIGHT_MISSING'
  if (status === 404) return 'NOT_FOUND'
  if (status === 413) return 'UPLOAD_TOO_LARGE'
  if (status === 429) return 'TOO_MANY_REQUESTS'
  return 'USAGE'
}

const isHttpError = (error: unknown): error is HttpError => error instanceof Error
