import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  commonSeries,
  indexClipNames,
  resolveGroundTruth,
} from '../../../../../index/evaluate/datasets/clip-names.js'

describe('the series of numbered clips', () => {
  it('is the part before the number, without folders', () => {
    assert.equal(commonSeries(['IQIYI_VID_VAL_0000001.mp4', 'val/IQIYI_VID_VAL_17.mp4']), 'IQIYI_VID_VAL_')
  })

  it('is undefined if two differ, if a name has no number, or if there are no names', () => {
    assert.equal(commonSeries(['IQIYI_VID_VAL_1.mp4', 'IQIYI_VID_TEST_1.mp4']), undefined)
    assert.equal(commonSeries(['IQIYI_VID_VAL_1.mp4', 'holiday.mp4']), undefined)
    assert.equal(commonSeries(['0001.mp4']), undefined)
    assert.equal(commonSeries([]), undefined)
  })
})

describe('clips by name', () => {
  const names = indexClipNames([
    ['/data/val/V_1.mp4'],
    ['/data/train/V_1.mp4', '/copy/V_9.mp4'],
    ['V_2.mp4'],
    ['/data/xval/V_3.mp4', '/data/val/V_3.mp4', '/data/w_V_4.mp4'],
    [],
  ])

  const table: readonly [name: string, clips: number[]][] = [
    ['V_1.mp4', [0, 1]],
    ['val/V_1.mp4', [0]],
    ['train/V_1.mp4', [1]],
    ['/data/train/V_1.mp4', [1]],
    ['V_9.mp4', [1]],
    ['V_2.mp4', [2]],
    ['val/V_2.mp4', []],
    ['V_3.mp4', [3]],
    ['al/V_3.mp4', []],
    ['V_4.mp4', []],
    ['v_1.mp4', []],
  ]
  for (const [name, clips] of table)
    it(`${name} is ${clips.length === 0 ? 'no clip' : `clip ${clips.join(' and ')}`}`, () =>
      assert.deepEqual(names.find(name), clips))

  it('a clip is in a series by any of its files', () => {
    assert.deepEqual(names.inSeries('V_'), [0, 1, 2, 3])
    assert.deepEqual(names.inSeries('w_V_'), [3])
    assert.deepEqual(names.inSeries('W_'), [])
  })

  it('ground truth is resolved to clips, once each, with the unknown names', () => {
    const { clips, unknown } = resolveGroundTruth(
      new Map([
        ['1', new Set(['V_9.mp4', 'train/V_1.mp4', 'gone.mp4'])],
        ['2', new Set(['V_2.mp4', 'V_1.mp4'])],
        ['3', new Set(['gone.mp4', 'V_8.mp4'])],
      ]),
      names,
    )
    assert.deepEqual(
      [...clips],
      [
        ['1', [1]],
        ['2', [2, 0, 1]],
        ['3', []],
      ],
    )
    assert.deepEqual(unknown, ['gone.mp4', 'V_8.mp4'])
  })
})
