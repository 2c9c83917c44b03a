import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { after } from 'node:test'

/** What a server sends at once; then it sends single bytes slowly, for ever. */
export type Beginning = (path: string) => string | undefined

const everyMs = 5

/** Stops within the headers: no further header comes. */
export const dripsHeaders = 'HTTP/1.1 200 OK\r\nx-slow: '

/** The body of a file of a gigabyte. */
export const dripsBody = 'HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n'

/** A server on loopback. It ends with the tests of the file. Returns its host and port. */
export async function slowServer(begin: Beginning): Promise<{ host: string; open: ReadonlySet<Socket> }> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    let timer: NodeJS.Timeout | undefined
    const end = () => {
      clearInterval(timer)
      open.delete(socket)
    }
    socket.on('close', end).on('error', end)
    socket.once('data', (request: Buffer) => {
      const [, path = ''] = request.toString().split(' ')
      const beginning = begin(path)
      if (beginning === undefined) socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')
      else if (beginning.includes('connection: close')) socket.end(beginning)
      else {
        socket.write(beginning)
        timer = setInterval(() => socket.write('x'), everyMs)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, open }
}
