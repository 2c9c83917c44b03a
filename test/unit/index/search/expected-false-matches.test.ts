import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { falseAcceptRateAt, thresholdOfRate } from '../../../../index/search/expected-false-matches.js'
import type { Calibration } from '../../../../pipeline/models/packs/pack.js'

const measured = { threshold: 0.4, falseAcceptRate: 1e-3 }
const curve = [[0.2, 0.1], [0.4, 1e-3], [0.5, 1e-5]] as const // prettier-ignore
const calibration: Calibration = { ...measured, curve }
/** Of half a scale of the curve's last step. */
const scale = 0.1 / Math.log(1e4)
const withTail: Calibration = {
  ...calibration,
  tail: { scale, interval: [{ rate: 5e-6, scale: scale / 2 }, { rate: 4e-5, scale }] }, // prettier-ignore
}
const near = (a: number | undefined, b: number) => assert.equal(a?.toPrecision(6), b.toPrecision(6))

describe('the false-accept rate at a threshold', () => {
  it('is the measured rate at measured thresholds, and changes by a constant factor in between', () => {
    for (const [threshold, rate] of curve) {
      near(falseAcceptRateAt(calibration, threshold)?.rate, rate)
      assert.equal(falseAcceptRateAt(calibration, threshold)?.isEstimate, false)
    }
    near(falseAcceptRateAt(calibration, 0.3)?.rate, 0.01)
    near(falseAcceptRateAt(calibration, 0.45)?.rate, 1e-4)
    near(falseAcceptRateAt(calibration, -1)?.rate, 1)
  })

  it('is extrapolated above the last threshold from the last two, and marked as an estimate', () => {
    assert.deepEqual(falseAcceptRateAt(calibration, 0.6)?.isEstimate, true)
    near(falseAcceptRateAt(calibration, 0.6)?.rate, 1e-7)
    assert.equal(falseAcceptRateAt(calibration, 0.6)?.interval, undefined)
  })

  it('is extrapolated with the calibrated tail and its interval, if there is one', () => {
    const rate = falseAcceptRateAt(withTail, 0.55)
    near(rate?.rate, 1e-7)
    assert.deepEqual(
      rate?.interval?.map((end) => end.toPrecision(6)),
      ['5.00000e-10', '4.00000e-7'],
    )
    assert.equal(falseAcceptRateAt(withTail, 0.5)?.isEstimate, false)
  })

  it('is known only from the default threshold upwards, if there is no curve', () => {
    assert.equal(falseAcceptRateAt(measured, 0.39), undefined)
    for (const at of [0.4, 0.8])
      assert.deepEqual(falseAcceptRateAt(measured, at), { rate: 1e-3, isEstimate: false })
  })
})

describe('the threshold of a false-accept rate', () => {
  it('is the score at which the rate falls to it, with the same interpolation', () => {
    near(thresholdOfRate(calibration, 1e-3), 0.4)
    near(thresholdOfRate(calibration, 1e-2), 0.3)
    near(thresholdOfRate(calibration, 1e-4), 0.45)
    near(thresholdOfRate(calibration, 1e-7), 0.6)
    near(thresholdOfRate(withTail, 1e-7), 0.55)
    for (const rate of [0.5, 0.02, 3e-4, 2e-6])
      near(falseAcceptRateAt(withTail, thresholdOfRate(withTail, rate) ?? NaN)?.rate, rate)
  })

  it('is −1 if everything may pass, at most 1, and unknown without a curve', () => {
    assert.equal(thresholdOfRate(calibration, 1), -1)
    assert.equal(thresholdOfRate(calibration, 3), -1)
    assert.equal(thresholdOfRate(calibration, 1e-300), 1)
    assert.equal(thresholdOfRate(measured, 1e-3), undefined)
  })
})
