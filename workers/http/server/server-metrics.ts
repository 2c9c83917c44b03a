import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

/** Requests by route and status, and the process. Routes are patterns: no figure names anybody. */
export class ServerMetrics {
  readonly #registry = new Registry()
  readonly #durations = new Histogram({
    name: 'cameo_http_request_seconds',
    help: 'Time until an answer is sent, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 60],
    registers: [this.#registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  watch(app: FastifyInstance): void {
    app.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
      const labels = { method, route: routeOptions.url ?? 'unknown', status: `${reply.statusCode}` }
      this.#durations.observe(labels, reply.elapsedTime / 1000)
      done()
    })
  }
}
