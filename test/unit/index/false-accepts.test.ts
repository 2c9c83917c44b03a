import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { falseAcceptRateAt } from '../../../index/false-accepts.js'

const measured = { threshold: 0.4, falseAcceptRate: 1e-3 }
const calibration = { ...measured, curve: [[0.2, 0.1], [0.4, 1e-3], [0.5, 1e-5]] as const } // prettier-ignore

describe('the false-accept rate at a threshold', () => {
  it('is the measured one where it was measured, and in between the same factor for the same step', () => {
    for (const [threshold, rate] of calibration.curve)
      assert.equal(falseAcceptRateAt(calibration, threshold)?.toPrecision(9), rate.toPrecision(9))
    assert.equal(falseAcceptRateAt(calibration, 0.3)?.toPrecision(6), '0.0100000')
    assert.equal(falseAcceptRateAt(calibration, 0.45)?.toPrecision(6), '0.000100000')
  })

  it('is 1 where everything passes, and above the last threshold what it is there', () => {
    assert.equal(falseAcceptRateAt(calibration, -1), 1)
    assert.equal(falseAcceptRateAt(calibration, 0.9), 1e-5)
    assert.equal(falseAcceptRateAt(calibration, 1), 1e-5)
  })

  it('without further thresholds it is known from the default one upwards only', () => {
    assert.equal(falseAcceptRateAt(measured, 0.39), undefined)
    assert.equal(falseAcceptRateAt(measured, 0.4), 1e-3)
    assert.equal(falseAcceptRateAt(measured, 0.8), 1e-3)
  })
})
