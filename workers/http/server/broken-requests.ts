import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { documentOf, problemMime } from './problem.js'

/** What Node says about a request that it cannot read. */
interface BrokenRequest extends Error {
  readonly code?: string
}

/** Answers requests that are not valid HTTP, or whose headers are too long, with a problem document, and ends their connection. */
export function answerBrokenRequest(error: BrokenRequest, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, reason, detail] = answers[error.code ?? ''] ?? [
    400,
    'Bad Request',
    'this is not a valid HTTP request',
  ]
  const body = JSON.stringify(documentOf('USAGE', status, detail, randomUUID()))
  const headers = [
    `HTTP/1.1 ${status} ${reason}`,
    `content-type: ${problemMime}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`)
}

const answers: Readonly<Record<string, readonly [status: number, reason: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'the address or the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'the request did not arrive in time'],
}
