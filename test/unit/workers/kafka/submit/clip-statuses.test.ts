import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeMessage, type StatusMessage } from '../../../../../workers/kafka/messages/schemas.js'
import { statusKey } from '../../../../../workers/kafka/stages/index/status.js'
import { ClipStatuses } from '../../../../../workers/kafka/submit/clip-statuses.js'
import { recipeWith } from '../../../../support/described.js'

const recipe = recipeWith().digest
const uri = '/clips/a.mp4'
const status = (state: StatusMessage['state'], of = recipe): StatusMessage => ({
  ...{ v: 1, kind: 'status', uri, recipe: of, state, at: new Date(0).toISOString() },
})
const told = (message: StatusMessage) => ({
  key: Buffer.from(statusKey(message.recipe, message.uri)),
  value: Buffer.from(encodeMessage(message)),
})

describe('ClipStatuses', () => {
  it('keeps the newest status of each clip', () => {
    const statuses = new ClipStatuses(recipe)
    statuses.learn(told(status('queued')))
    assert.deepEqual(statuses.learn(told(status('indexed'))), status('indexed'))
    assert.deepEqual(statuses.of(uri), status('indexed'))
    assert.equal(statuses.of('/clips/b.mp4'), undefined)
  })

  it('ignores other recipes and unreadable messages', () => {
    const statuses = new ClipStatuses(recipe)
    assert.equal(statuses.learn(told(status('indexed', 'f'.repeat(64)))), undefined)
    assert.equal(statuses.learn({ key: null, value: Buffer.from('odd') }), undefined)
    assert.equal(statuses.of(uri), undefined)
  })

  it('a deleted status disappears; deletions for other recipes have no effect', () => {
    const statuses = new ClipStatuses(recipe)
    statuses.set(status('indexed'))
    statuses.learn({ key: Buffer.from(statusKey('f'.repeat(64), uri)), value: null })
    assert.deepEqual(statuses.of(uri), status('indexed'))
    assert.equal(statuses.learn({ key: Buffer.from(statusKey(recipe, uri)), value: null }), undefined)
    assert.equal(statuses.of(uri), undefined)
  })
})
