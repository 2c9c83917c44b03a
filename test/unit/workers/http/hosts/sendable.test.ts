import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { receivedResult, sentResult } from '../../../../../workers/http/hosts/sendable.js'

const throughThread = (result: unknown) => receivedResult(structuredClone(sentResult(result)))

describe('results of calls in a thread', () => {
  it('keep the codes of the errors in them', () => {
    const error = new CameoError('FACE_UNKNOWN', 'there is no face 3', { retriable: true })
    const sent = { added: 0, failed: [{ source: 'a.jpg', error }], pending: error }
    const got = throughThread(sent) as typeof sent
    for (const each of [got.failed[0]?.error, got.pending]) {
      assert.ok(each instanceof CameoError)
      assert.deepEqual([each.code, each.message, each.retriable], [error.code, error.message, true])
    }
    assert.deepEqual([got.added, got.failed[0]?.source], [0, 'a.jpg'])
  })

  it('without errors are passed on as they are', () => {
    for (const result of [undefined, null, 3, 'text', [1, 2], { a: [{ b: new Float32Array(2) }] }]) {
      assert.equal(sentResult(result), result)
      assert.deepEqual(throughThread(result), result)
    }
  })
})
