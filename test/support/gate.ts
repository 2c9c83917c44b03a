import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A proxy between clients and a server on loopback. It can stop a client's data in the middle. */
export interface Gate {
  readonly port: number
  /**
   * Stops the next client after it has sent more than this many bytes. Nothing more is passed on, but the
   * connection stays open. Resolves when that has happened.
   */
  holdAfter(bytes: number): Promise<void>
  close(): void
}

/** @param target port of the server */
export async function openGate(target: () => number): Promise<Gate> {
  let hold: { readonly bytes: number; readonly happened: () => void } | undefined
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target(), '127.0.0.1')
    let passed = 0
    let isHeld = false
    for (const [own, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(own)
      own.on('error', () => other.destroy())
      own.on('close', () => {
        sockets.delete(own)
        other.destroy()
      })
    }
    upstream.pipe(client)
    client.on('data', (chunk: Buffer) => {
      if (isHeld) return
      passed += chunk.length
      if (hold !== undefined && passed > hold.bytes) {
        isHeld = true
        hold.happened()
        hold = undefined
      } else if (!upstream.write(chunk)) {
        client.pause()
        upstream.once('drain', () => client.resume())
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    holdAfter: (bytes) => new Promise((happened) => (hold = { bytes, happened })),
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
