import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CameoError, errorOfParts, partsOfError } from '../../../../pipeline/common/errors.js'

describe('an error', () => {
  it('takes retriable from its code, unless it is overridden', () => {
    assert.equal(new CameoError('ARCHIVE_BUSY', 'busy').retriable, true)
    assert.equal(new CameoError('ARCHIVE_BUSY', 'busy', { retriable: false }).retriable, false)
  })

  it('keeps its code, message, retriable and details when it comes from another thread', () => {
    const details = { remedy: 'pull-models', path: 'det.onnx' } as const
    const error = new CameoError('MODEL_UNREADABLE', 'a file is missing', { retriable: true, details })
    const { code, message, retriable, details: kept } = errorOfParts(structuredClone(partsOfError(error)))
    assert.deepEqual(
      { code, message, retriable, kept },
      {
        ...{ code: 'MODEL_UNREADABLE', message: 'a file is missing', retriable: true },
        kept: details,
      },
    )
  })

  it('can be without details', () => {
    const error = new CameoError('CLIP_EMPTY', 'a.mp4 is empty')
    assert.equal(errorOfParts(structuredClone(partsOfError(error))).details, undefined)
  })
})
