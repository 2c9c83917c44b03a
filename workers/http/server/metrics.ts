import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { jobKinds } from '../jobs/job.js'
import type { JobDesk } from '../jobs/job-desk.js'
import type { MediaDesk } from '../media/media-desk.js'
import type { UploadDesk } from '../uploads/upload-desk.js'
import type { Readiness } from './readiness.js'

/** What is measured when somebody asks. */
export interface Measured {
  readonly uploads: Pick<UploadDesk, 'size'>
  readonly media: Pick<MediaDesk, 'streams'>
  readonly desk: Pick<JobDesk, 'running'>
  readonly readiness: Pick<Readiness, 'state'>
}

/** The metrics of a server, for Prometheus. They name nobody. */
export class ServerMetrics {
  readonly registry = new Registry()
  readonly #requests: Counter
  readonly #seconds: Histogram
  readonly #searches: Counter

  constructor({ uploads, media, desk, readiness }: Measured) {
    const registers = [this.registry]
    // Measuring the event loop every 10 ms, the default, takes a few percent of a core.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 200 })
    const labelNames = ['method', 'route', 'status']
    this.#requests = new Counter({
      name: 'cameo_http_requests_total',
      help: 'Answered requests',
      labelNames,
      registers,
    })
    this.#seconds = new Histogram({
      ...{ name: 'cameo_http_request_seconds', help: 'Time until a request was answered, s' },
      ...{ labelNames: ['method', 'route'], registers },
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60],
    })
    this.#searches = new Counter({
      name: 'cameo_searches_total',
      help: 'Searches that were answered',
      registers,
    })
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read())
        },
      })
    gauge('cameo_uploads', 'Uploads that are kept or arrive', () => uploads.size)
    gauge('cameo_media_streams', 'Clips that ffmpeg prepares for players', () => media.streams)
    gauge('cameo_ready', '1 if the index of vectors is loaded', () =>
      readiness.state.status === 'ready' ? 1 : 0,
    )
    new Gauge({
      ...{ name: 'cameo_jobs_running', help: 'Jobs that run, by kind', labelNames: ['kind'], registers },
      collect() {
        for (const kind of jobKinds) this.set({ kind }, desk.running(kind))
      },
    })
  }

  /** Somebody searched. */
  searched(): void {
    this.#searches.inc()
  }

  /** Counts all requests. Routes are counted by their patterns: addresses hold names of people. */
  count(app: FastifyInstance): void {
    app.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
      const route = routeOptions.url ?? 'none'
      this.#requests.inc({ method, route, status: reply.statusCode })
      this.#seconds.observe({ method, route }, reply.elapsedTime / 1000)
      done()
    })
  }
}
