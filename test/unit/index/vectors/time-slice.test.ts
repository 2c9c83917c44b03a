import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createTimeSlice } from '../../../../index/vectors/time-slice.js'

it('a time slice lets other work of the event loop run when it is over, and not before', async () => {
  const told: string[] = []
  setImmediate(() => told.push('other work'))
  const slice = createTimeSlice(30)
  await slice.end()
  told.push('in the slice')
  const until = performance.now() + 40
  while (performance.now() < until);
  await slice.end()
  told.push('in the next slice')
  assert.equal(slice.end(), undefined)
  assert.deepEqual(told, ['in the slice', 'other work', 'in the next slice'])
})
