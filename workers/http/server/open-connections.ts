import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** How often to check which connections are still needed, ms. */
const lookEveryMs = 50

/** A client that does not read its answer, such as a paused video, does not keep the server from closing for longer, ms. */
const readWithinMs = 10_000

/** The connections of a server. */
export class OpenConnections {
  readonly #app: FastifyInstance
  readonly #readWithinMs: number
  readonly #answering = new Set<ServerResponse>()

  /** Create it before the server listens. @param withinMs how long clients may take at the end to read their answers */
  constructor(app: FastifyInstance, withinMs = readWithinMs) {
    this.#app = app
    this.#readWithinMs = withinMs
    app.server.on('request', (_request: IncomingMessage, response: ServerResponse) => {
      this.#answering.add(response)
      response.once('close', () => this.#answering.delete(response))
    })
  }

  /**
   * Answers the requests that run, and closes the server. Browsers open connections before they need them, and keep them for
   * further requests: these would keep the server from closing for more than a minute.
   */
  async close(): Promise<void> {
    const endMs = performance.now() + this.#readWithinMs
    const timer = setInterval(() => this.#closeUnused(performance.now() >= endMs), lookEveryMs)
    try {
      await this.#app.close()
    } finally {
      clearInterval(timer)
    }
  }

  /** @param isLate also closes connections whose clients do not read; handlers that still work are waited for */
  #closeUnused(isLate: boolean): void {
    if (isLate) for (const response of this.#answering) if (response.headersSent) response.destroy()
    if (this.#answering.size === 0) this.#app.server.closeAllConnections()
    else this.#app.server.closeIdleConnections()
  }
}
