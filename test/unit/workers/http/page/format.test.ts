import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  bytesOf,
  clockOf,
  countOf,
  hoursOf,
  instantOfDay,
  lengthOf,
  momentOf,
  pathParts,
  percentOf,
  scoreOf,
  stretchOf,
} from '../../../../../workers/http/page/src/format.js'

describe('texts of times and figures', () => {
  it('writes times of a clip as a clock, with hours only where there are some', () => {
    assert.deepEqual([0, 7.9, 750, 3723].map(clockOf), ['0:00', '0:07', '12:30', '1:02:03'])
  })

  it('writes tenths where both ends of a stretch fall on one second', () => {
    assert.deepEqual([stretchOf(5, 30), stretchOf(7.25, 7.75)], ['0:05–0:30', '0:07.2–0:07.7'])
  })

  it('writes lengths in the units in which people say them', () => {
    const lengthsS = [0, 1.5, 8, 59.6, 750, 600, 12_000, 7200]
    assert.deepEqual(lengthsS.map(lengthOf), ['0 s', '1.5 s', '8 s', '1 min', '12 min 30 s', '10 min', '3 h 20 min', '2 h']) // prettier-ignore
    assert.deepEqual([0.01, 0.44, 1234.4].map(hoursOf), ['36 s', '0.4 h', '1,234 h'])
  })

  it('never says that a probability is certain unless it is', () => {
    assert.deepEqual([0, 0.004, 0.5, 0.994, 0.9999, 1].map(percentOf), ['0 %', '<1 %', '50 %', '>99 %', '>99 %', '100 %']) // prettier-ignore
  })

  it('writes scores with two digits and a real minus', () => {
    assert.deepEqual([0.712, -0.05, 1, 0.999].map(scoreOf), ['.71', '−.05', '1.00', '1.00'])
  })

  it('writes counts with the right form of the noun, and sizes of files', () => {
    assert.deepEqual([countOf(1, 'clip'), countOf(2000, 'clip')], ['1 clip', '2,000 clips'])
    assert.deepEqual([0, 9, 999, 1_234_567].map(bytesOf), ['0 B', '9 B', '999 B', '1.2 MB'])
  })

  it('splits paths and URLs into the file and what is before it', () => {
    assert.deepEqual(pathParts('/films/news/a.mp4'), { folder: '/films/news/', file: 'a.mp4' })
    assert.deepEqual(pathParts('a.mp4'), { folder: '', file: 'a.mp4' })
  })

  it('gives the first and last moment of a day in local time; shows text that is not a time as it is', () => {
    assert.equal(instantOfDay('2024-05-01'), new Date(2024, 4, 1).toISOString())
    assert.equal(instantOfDay('2024-05-01', true), new Date(2024, 4, 1, 23, 59, 59, 999).toISOString())
    assert.equal(instantOfDay(''), undefined)
    assert.equal(momentOf('never'), 'never')
  })
})
