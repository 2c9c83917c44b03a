import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rights, rightsOf, roleNames, roleTable } from '../../../../index/access/roles.js'

/** As the documentation gives it. */
const expected = {
  viewer: 'search view export',
  ingester: 'view ingest',
  curator: 'search view export correct erase evaluate ingest',
  auditor: 'audit metrics approve',
  administrator: rights.join(' '),
}

describe('the table of roles', () => {
  it('gives each role its rights', () => {
    for (const role of roleNames)
      assert.deepEqual([...rightsOf([role])].sort(), expected[role].split(' ').sort(), role)
    assert.deepEqual([...roleNames].sort(), Object.keys(roleTable).sort())
  })

  it('adds the rights of several roles', () => {
    assert.deepEqual([...rightsOf(['ingester', 'auditor'])].sort(), [
      ...['approve', 'audit', 'ingest', 'metrics', 'view'],
    ])
  })

  it('gives no right for a word that is no role, not even one that every object has', () => {
    assert.deepEqual([...rightsOf(['constructor', 'toString', '', 'owner'])], [])
  })
})
