import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../../support/random.js'
import {
  correlation,
  likeness,
  normalisePatch,
  rememberLooks,
} from '../../../../pipeline/track/appearance.js'
import { createLooks } from './scene.js'

describe('appearance patches', () => {
  it('correlate by 1 with themselves under different brightness and contrast', () => {
    const patch = createLooks(seededRandom(1)).next()
    const other = patch.map((grey) => 0.4 * grey + 30)
    assert.ok(Math.abs(correlation(normalisePatch(patch)!, normalisePatch(other)!) - 1) < 1e-5)
  })

  it('are undefined when flat', () => {
    assert.equal(normalisePatch(new Uint8Array(256).fill(90)), undefined)
    assert.equal(normalisePatch(new Float32Array(256).fill(NaN)), undefined)
  })

  it("keep a track's looks through one deviating patch", () => {
    const random = seededRandom(2)
    const [own, other] = [createLooks(random), createLooks(random)]
    let looks = rememberLooks(undefined, normalisePatch(own.next()))
    for (let i = 0; i < 6; i++) looks = rememberLooks(looks, normalisePatch(own.next()))
    looks = rememberLooks(looks, normalisePatch(other.next()))
    looks = rememberLooks(looks, undefined)
    assert.ok(likeness(looks!, normalisePatch(own.next())!) > 0.6)
  })
})
