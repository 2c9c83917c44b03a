import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf, checkSizes, inRequests } from '../../../../../workers/kafka/broker/out-messages.js'
import { refusedWith } from '../../../../support/refused-with.js'

const message = (bytes: number) => ({ topic: 't', key: '', value: new Uint8Array(bytes) })

describe('messages to send', () => {
  it('have the bytes of their keys and values; a message that deletes a key has no value', () => {
    assert.equal(bytesOf([{ topic: 'topic', key: 'key', value: new Uint8Array(7) }, { topic: 'topic', key: 'k', value: null }]), 11) // prettier-ignore
  })

  it('share a request while they fit, in order', () => {
    assert.deepEqual(
      inRequests([400_000, 500_000, 1, 900_000, 2], (bytes) => bytes),
      [[400_000, 500_000], [1], [900_000], [2]],
    )
    assert.deepEqual(
      inRequests([], () => 1),
      [],
    )
  })

  it('are refused if one is larger than a request', () => {
    checkSizes([message(900_000), message(1)])
    checkSizes([])
    assert.throws(
      () => checkSizes([message(1), message(900_001)]),
      refusedWith('MESSAGE_TOO_LARGE', /900001 bytes/),
    )
  })
})
