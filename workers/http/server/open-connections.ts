import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** How often it is looked which connections are still needed, ms. */
const lookEveryMs = 50

/** The connections of a server. */
export class OpenConnections {
  readonly #app: FastifyInstance
  readonly #answering = new Set<ServerResponse>()

  /** Create it before the server listens. */
  constructor(app: FastifyInstance) {
    this.#app = app
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
    try {
      await this.#app.close()
    } finally {
      clearInterval(timer)
    }
  }

  #closeUnused(): void {
    if (this.#answering.size === 0) this.#app.server.closeAllConnections()
    else this.#app.server.closeIdleConnections()
  }
}
