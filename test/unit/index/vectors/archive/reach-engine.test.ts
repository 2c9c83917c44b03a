import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createReach, reachIndex } from '../../../../../index/vectors/archive/reach-engine.js'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { ExactIndex } from '../../../../../index/vectors/exact/exact-index.js'
import { labelsOf } from '../../../../support/vectors.js'

const quickly = { firstPauseMs: 1 }

/** A call that first fails with these errors. */
function failing(...errors: readonly Error[]) {
  let calls = 0
  return {
    call: () => {
      const error = errors[calls++]
      return error === undefined ? Promise.resolve('done') : Promise.reject(error)
    },
    calls: () => calls,
  }
}

describe('a call to an engine', () => {
  it('is retried if the engine cannot be reached or throws a retriable error', async () => {
    const work = failing(new Error('ECONNREFUSED'), new CameoError('ARCHIVE_BUSY', 'restarts'))
    assert.equal(await createReach('far', quickly)(work.call), 'done')
    assert.equal(work.calls(), 3)
  })

  it('ends with ARCHIVE_BUSY, the engine and the cause, after the last retry', async () => {
    const cause = new Error('connect ECONNREFUSED')
    const work = failing(...Array<Error>(9).fill(cause))
    await assert.rejects(createReach('far', { ...quickly, retries: 2 })(work.call), {
      ...{ code: 'ARCHIVE_BUSY', retriable: true, cause },
      message: /"far".*connect ECONNREFUSED/,
    })
    assert.equal(work.calls(), 3)
  })

  it('is not retried if the engine refuses the input', async () => {
    const work = failing(new CameoError('VECTOR_INVALID', 'of another dimension'))
    await assert.rejects(createReach('far', quickly)(work.call), { code: 'VECTOR_INVALID' })
    assert.equal(work.calls(), 1)
  })

  it('fails if it does not answer in time', async () => {
    const silent = () => new Promise<never>(() => undefined)
    const reach = createReach('far', { ...quickly, retries: 1, answerWithinMs: 5 })
    await assert.rejects(reach(silent), { code: 'ARCHIVE_BUSY', message: /no answer within 0\.005 s/ })
  })
})

describe('adding to an engine with a lost reply', () => {
  const vector = Float32Array.of(1, 0)
  /** The first `add` takes effect but is reported as failed. */
  function losing(index: ExactIndex) {
    let isLost = false
    return reachIndex(
      {
        dimension: 2,
        ...{
          count: () => index.count(),
          has: (labels) => index.has(labels),
          erase: (labels) => index.erase(labels),
        },
        ...{ search: (queries, k) => index.search(queries, k), close: () => index.close() },
        async add(vectors) {
          await index.add(vectors)
          if (!isLost) {
            isLost = true
            throw new Error('ECONNRESET')
          }
        },
      },
      createReach('far', quickly),
    )
  }

  it('adds each vector once', async () => {
    const index = losing(new ExactIndex(2))
    await index.add([1, 2].map((label) => ({ label, vector })))
    assert.deepEqual(labelsOf((await index.search([vector], 9))[0]!), [1, 2])
  })

  it('still refuses a label that was known before', async () => {
    const inner = new ExactIndex(2)
    await inner.add([{ label: 2, vector }])
    await assert.rejects(losing(inner).add([1, 2].map((label) => ({ label, vector }))), {
      ...{ code: 'VECTOR_INVALID', message: /label 2/ },
    })
    assert.equal(await inner.count(), 1)
  })
})
