import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  MessageRunner,
  type MessageRunnerOptions,
} from '../../../../../workers/kafka/broker/message-runner.js'
import { createSilentLog } from '../../../../../workers/service/log.js'
import { workAt } from '../../../../support/scripted-group.js'

/** A runner, and a list of what it did, in order. */
function start(options: Partial<MessageRunnerOptions> = {}, notes: readonly boolean[] = [true]) {
  const did: string[] = []
  const left = [...notes]
  const runner = new MessageRunner({
    log: createSilentLog(),
    handle: (_message, _signal, deaths) => Promise.resolve(void did.push(`handled, ${deaths} deaths`)),
    deathsOf: () => 0,
    beginnings: {
      isNoted: () => false,
      note() {
        did.push('note')
        return Promise.resolve(left.shift() === true)
      },
    },
    ...{ noteAgainAfterMs: 1, handleAgainAfterMs: 1 },
    ...options,
  })
  return { runner, did }
}

describe('MessageRunner', () => {
  it('handles a message after the brokers have its note', async () => {
    const { runner, did } = start({ deathsOf: () => 2 }, [false, false, true])
    assert.equal(await runner.run(workAt(0, 1)), true)
    assert.deepEqual(did, ['note', 'note', 'note', 'handled, 2 deaths'])
  })

  it('does not repeat a note that the brokers have, unless a worker died over the message', async () => {
    const beginnings = { isNoted: () => true, note: () => Promise.resolve(false) }
    const { runner, did } = start({ beginnings })
    assert.equal(await runner.run(workAt(0, 1)), true)
    assert.deepEqual(did, ['handled, 0 deaths'])
    let notes = 0
    const note = () => Promise.resolve(++notes > 0)
    const suspicious = start({ deathsOf: () => 1, beginnings: { ...beginnings, note } })
    assert.equal(await suspicious.runner.run(workAt(0, 1)), true)
    assert.equal(notes, 1)
  })

  it('starts a message at once if there are no notes', async () => {
    const { runner, did } = start({ beginnings: undefined })
    assert.equal(await runner.run(workAt(0, 1)), true)
    assert.deepEqual(did, ['handled, 0 deaths'])
  })

  it('handles a message again until it succeeds', async () => {
    let attempts = 0
    const handle = () => (++attempts < 3 ? Promise.reject(new Error('away')) : Promise.resolve())
    const { runner } = start({ handle })
    assert.equal(await runner.run(workAt(0, 1)), true)
    assert.equal(attempts, 3)
  })

  it('an aborted message is not finished, whatever its state', async () => {
    const waiting = workAt(0, 1)
    const { runner, did } = start({
      beginnings: {
        isNoted: () => false,
        note() {
          waiting.abort.abort()
          return Promise.resolve(true)
        },
      },
    })
    assert.equal(await runner.run(waiting), false)
    assert.deepEqual(did, [])
    const work = workAt(0, 2)
    const failing = start({
      handle() {
        work.abort.abort()
        return Promise.reject(new Error('stopped'))
      },
    })
    assert.equal(await failing.runner.run(work), false)
  })

  it('at the end, a failed message is not retried, and a successful one is finished', async () => {
    const failing = start({
      handle() {
        failing.runner.end()
        return Promise.reject(new Error('away'))
      },
    })
    assert.equal(await failing.runner.run(workAt(0, 1)), false)
    const good = start({
      handle() {
        good.runner.end()
        return Promise.resolve()
      },
    })
    assert.equal(await good.runner.run(workAt(0, 1)), true)
    assert.equal(await good.runner.run(workAt(0, 2)), false, 'and no message starts')
  })
})
