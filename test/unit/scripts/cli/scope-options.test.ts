import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dateOf } from '../../../../scripts/cli/scope-options.js'

const localTimes = (text: string) => {
  const { first, last } = dateOf(text)
  return [first, last].map((date) => date.getTime())
}

describe('a date of the command line', () => {
  it('is the whole of its year, month, day or minute, in local time', () => {
    assert.deepEqual(localTimes('2024'), [+new Date(2024, 0, 1), +new Date(2025, 0, 1) - 1])
    assert.deepEqual(localTimes('2024-12'), [+new Date(2024, 11, 1), +new Date(2025, 0, 1) - 1])
    assert.deepEqual(localTimes('2024-02-29'), [+new Date(2024, 1, 29), +new Date(2024, 2, 1) - 1])
    assert.deepEqual(localTimes('2024-02-29T18:30'), [+new Date(2024, 1, 29, 18, 30), +new Date(2024, 1, 29, 18, 31) - 1]) // prettier-ignore
  })

  it('is refused where there is none, or it is written otherwise', () => {
    for (const text of ['2023-02-29', '2024-13', '2024-04-31', '2024-01-01T25:00'])
      assert.throws(() => dateOf(text), /no such date/, text)
    for (const text of ['', 'yesterday', '24', '1/5/2024', '2024-1-5', '2024-05-01T18'])
      assert.throws(() => dateOf(text), /a date as/, text)
  })
})
