import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A status; no answer at all; or a connection that is closed instead of one. */
export type Answer = number | 'hang' | 'cut'

export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface AlertReceiver {
  readonly url: string
  readonly requests: readonly Received[]
  /** What later requests get, instead of the last answer. */
  answerWith(answer: Answer): void
  /** Resolves when so many requests have come. */
  asked(count: number): Promise<void>
  close(): Promise<void>
}

/** A server on loopback that gives these answers, one after the other; the last one again and again. */
export async function startReceiver(answers: readonly Answer[]): Promise<AlertReceiver> {
  const requests: Received[] = []
  const left = [...answers]
  let wake: () => void = () => undefined
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      requests.push({ method: request.method, url: request.url, headers: request.headers, body })
      const answer = left.length > 1 ? left.shift() : left[0]
      if (answer === 'cut') request.socket.destroy()
      else if (typeof answer === 'number') {
        if (answer >= 300 && answer < 400)
          response.setHeader('location', `http://${request.headers.host}/elsewhere`)
        response.writeHead(answer).end('token')
      }
      wake()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answerWith(answer) {
      left.splice(0, left.length, answer)
    },
    async asked(count) {
      while (requests.length < count) await new Promise<void>((resolve) => (wake = resolve))
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
