import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { submitClips } from '../../../../../workers/kafka/submit/submit-clips.js'
import { createSilentLog } from '../../../../../workers/service/log.js'
import { recipeWith } from '../../../../support/described.js'

const ignore = () => undefined
const events = {
  ...{ onFound: ignore, onAllFound: ignore, onSubmitted: ignore, onResult: ignore },
  ...{ onBrokerAway: ignore, onBrokerBack: ignore, onResubmitted: ignore, onGivenUp: ignore },
}

describe('a submission', () => {
  it('ends when it is stopped, even if a broker takes connections and never answers', async () => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`]
    const stop = new AbortController()
    const connection = { brokers, clientId: 'test', prefix: 'test', tls: undefined, sasl: undefined }
    const submitting = submitClips(Readable.from([]), {
      ...{ connection, events, log: createSilentLog(), recipe: recipeWith() },
      ...{ again: false, wait: true, signal: stop.signal },
    })
    await once(server, 'connection')
    const stoppedMs = performance.now()
    stop.abort()
    await submitting
    assert.ok(performance.now() - stoppedMs < 1000)
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})
