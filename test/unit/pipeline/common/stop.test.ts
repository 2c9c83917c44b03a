import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { throwIfStopped } from '../../../../pipeline/common/stop.js'

describe('throwIfStopped', () => {
  it('does nothing if nobody stopped the work', () => {
    throwIfStopped(undefined, 'the work')
    throwIfStopped(new AbortController().signal, 'the work')
  })

  it('throws a retriable INTERRUPTED with the reason as its cause', () => {
    const reason = new Error('enough')
    assert.throws(() => throwIfStopped(AbortSignal.abort(reason), 'the work'), {
      code: 'INTERRUPTED',
      message: 'the work was stopped',
      retriable: true,
      cause: reason,
    })
  })
})
