import { CameoError, messageOf, partsOfError, type ErrorParts } from '../../../pipeline/common/errors.js'

/** An error of a thread, as its owner gets it. */
export const failureOf = (error: unknown): ErrorParts =>
  error instanceof CameoError
    ? partsOfError(error)
    : { code: 'WORKER_DIED', message: messageOf(error), retriable: false, details: undefined }
