import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** How often to check which connections are still needed, ms. */
const lookEveryMs = 50

/** A client that does not read its answer, such as a paused video, does not keep the server from closing for longer, ms. */
const answersWithinMs = 10_000

/** The connections of a server. */
export class OpenConnections {
  readonly #app: FastifyInstance
  readonly #answersWithinMs: number
  readonly #answering = new Set<ServerResponse>()

  /** Create it before the server listens. @param answersWithinMs how long running requests may take at the end */
  constructor(app: FastifyInstance, withinMs = answersWithinMs) {
    this.#app = app
    this.#answersWithinMs = withinMs
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
    const timer = setInterval(() => this.#closeUnused(), lookEveryMs)
    const deadline = setTimeout(() => this.#app.server.closeAllConnections(), this.#answersWithinMs)
    try {
      await this.#app.close()
    } finally {
      clearInterval(timer)
      clearTimeout(deadline)
    }
  }

  #closeUnused(): void {
    if (this.#answering.size === 0) this.#app.server.closeAllConnections()
    else this.#app.server.closeIdleConnections()
  }
}
