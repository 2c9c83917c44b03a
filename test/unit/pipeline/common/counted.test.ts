import assert from 'node:assert/strict'
import { it } from 'node:test'
import { formatCounted } from '../../../../index/evaluate/report/format.js'
import { counted, pluralOf } from '../../../../pipeline/common/counted.js'

it('uses the singular for one and the plural for zero and several', () => {
  assert.deepEqual([0, 1, 2].map((count) => counted(count, 'clip')), ['0 clips', '1 clip', '2 clips']) // prettier-ignore
  assert.equal(counted(1, 'identity', 'identities'), '1 identity')
  assert.equal(counted(3, 'identity has', 'identities have'), '3 identities have')
  assert.equal(pluralOf(1, 'is', 'are'), 'is')
  assert.equal(formatCounted(10_034, 'identity', 'identities'), '10,034 identities')
})
