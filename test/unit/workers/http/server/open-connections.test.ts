import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import fastify from 'fastify'
import { OpenConnections } from '../../../../../workers/http/server/open-connections.js'

const withinMs = 500

async function started(answer: string | Readable, afterMs = 0) {
  const app = fastify()
  const connections = new OpenConnections(app, withinMs)
  app.get('/', async () => {
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    return answer
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(client, 'connect')
  return { connections, client }
}

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('a server that closes', () => {
  it('finishes running requests', async () => {
    const { connections, client } = await started('whole', 100)
    let got = ''
    client.on('data', (data) => (got += data.toString()))
    client.write(request)
    await new Promise((resolve) => setTimeout(resolve, 30))
    await Promise.all([connections.close(), once(client, 'close')])
    assert.match(got, /whole$/)
  })

  it('does not wait for connections that ask for nothing', async () => {
    const { connections, client } = await started('')
    client.resume()
    await Promise.all([connections.close(), once(client, 'close')])
  })

  it('waits only so long for a client that does not read its answer', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1 << 16)
      })(),
    )
    const { connections, client } = await started(endless)
    client.on('error', () => undefined).pause()
    client.write(request)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const closing = connections.close().then(() => 'closed')
    const soon = new Promise((resolve) => setTimeout(() => resolve('waits'), withinMs / 2))
    assert.equal(await Promise.race([closing, soon]), 'waits')
    assert.equal(await closing, 'closed')
    client.destroy()
  })
})
