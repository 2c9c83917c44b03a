import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkEngineName, planEngines } from '../../../../../index/vectors/archive/engine-plan.js'
import { exactEngine } from '../../../../../index/vectors/exact/exact-engine.js'

const space = {
  ...{ archiveId: 'a', spaceId: 1, digest: 'd', dimension: 2 },
  ...{ dir: '/nowhere', maxBytes: undefined },
}

describe('the engine of an archive', () => {
  it('is exact search up to a size, then a graph, which is kept down to half of that size', () => {
    const plan = planEngines('auto', {}, space, 100)
    const small = plan.engineFor(100)
    const large = plan.engineFor(101, small)
    assert.deepEqual([small.name, large.name], ['exact', 'hnsw'])
    assert.equal(plan.engineFor(51, large).name, 'hnsw')
    assert.equal(plan.engineFor(50, large).name, 'exact')
  })

  it('is the named engine, for any size', () => {
    for (const name of ['exact', 'hnsw', 'mine']) {
      const plan = planEngines(name, { mine: exactEngine }, space)
      assert.deepEqual([plan.engineFor(0).name, plan.engineFor(1e6).name], [name, name])
      assert.deepEqual(plan.engines.map((engine) => engine.name), [name]) // prettier-ignore
    }
  })

  it('is refused if it was not provided, with the names of the available ones', () => {
    for (const name of ['milvus', 'toString'])
      assert.throws(() => planEngines(name, { mine: exactEngine }, space), {
        ...{ code: 'USAGE', retriable: false },
        message: new RegExp(`"${name}" was not provided.*auto, exact, hnsw, mine`),
      })
  })

  it('cannot be provided under the name of a built-in one', () => {
    for (const name of ['auto', 'exact', 'hnsw'])
      assert.throws(() => checkEngineName('exact', { [name]: exactEngine }), {
        ...{ code: 'USAGE', message: new RegExp(`"${name}"`) },
      })
  })
})
