import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RestartNeeded } from '../../../../pipeline/decode/plan-change.js'
import { SeekCheck } from '../../../../pipeline/decode/seek-check.js'
import { refusedWith } from '../../../support/refused-with.js'

const check = () =>
  new SeekCheck('/films/a.mp4', { sampling: { kind: 'fps', fps: 1 }, range: { startS: 600, endS: 1200 } })

describe('a seek', () => {
  it('is correct if a key frame comes before the range', () => {
    const seek = check()
    assert.equal(seek.note({ timeS: 597, isKey: true }), undefined)
    assert.equal(seek.note({ timeS: 600, isKey: false }), undefined)
    assert.equal(seek.hasAnchor, true)
  })

  it('is correct if the first frame of the range is a key frame', () => {
    assert.equal(check().note({ timeS: 600, isKey: true }), undefined)
  })

  it('has to be earlier if the first frame of the range cannot be decoded alone', () => {
    const seek = check()
    assert.equal(seek.note({ timeS: 599.5, isKey: false }), undefined)
    const error = seek.note({ timeS: 600, isKey: false })
    assert.ok(error instanceof RestartNeeded)
    assert.deepEqual([error.change.kind, seek.hasAnchor], ['seekEarlier', false])
  })

  it('has to be earlier if it landed within the range, even at a key frame', () => {
    assert.ok(check().note({ timeS: 601, isKey: true }) instanceof RestartNeeded)
  })

  it('cannot be trusted if the clock jumps back by more than a second', () => {
    const seek = check()
    seek.note({ timeS: 590, isKey: true })
    assert.equal(seek.note({ timeS: 589.5, isKey: false }), undefined)
    assert.ok(
      refusedWith('CLIP_NOT_SEEKABLE', /jumps back at 589\.50 s/)(seek.note({ timeS: 588, isKey: true })),
    )
  })
})
