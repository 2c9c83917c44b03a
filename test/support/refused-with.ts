import assert from 'node:assert/strict'
import { CameoError, type ErrorCode } from '../../pipeline/common/errors.js'

/** For `assert.throws` and `assert.rejects`: an error with this code and a matching message. */
export const refusedWith = (code: ErrorCode, said: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CameoError, String(error))
  assert.equal(error.code, code)
  assert.match(error.message, said)
  return true
}
