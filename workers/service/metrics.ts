import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Stage } from '../kafka/broker/topics.js'

/** The labels of `cameo_worker_info` for each stage. */
export const infoLabels = {
  faces: ['pack', 'provider', 'threads', 'recipe'],
  describe: ['head'],
  index: ['head', 'archive'],
} as const satisfies Record<Stage, readonly string[]>

export type WorkerInfo = {
  readonly [S in Stage]: Readonly<Record<(typeof infoLabels)[S][number], string>>
}[Stage]

/** The Prometheus metrics of a worker. */
export interface WorkerMetrics {
  readonly registry: Registry
  /** A message is finished. */
  finished(outcome: 'done' | 'failed', seconds: number): void
  readonly setInWork: (count: number) => void
  readonly setLag: (messages: number) => void
  /** What the worker uses: models, provider, versions. */
  setInfo(labels: WorkerInfo): void
}

export function createMetrics(stage: string): WorkerMetrics {
  const registry = new Registry()
  registry.setDefaultLabels({ stage })
  const registers = [registry]
  const processed = new Counter({
    name: 'cameo_messages_processed_total',
    help: 'Messages finished',
    registers,
  })
  const failed = new Counter({
    name: 'cameo_messages_failed_total',
    help: 'Messages that failed: see the dead letters',
    registers,
  })
  const inWork = new Gauge({ name: 'cameo_messages_in_work', help: 'Messages being processed', registers })
  const lag = new Gauge({
    name: 'cameo_lag_messages',
    help: "Messages of the stage's topic that its group has not finished",
    registers,
  })
  const duration = new Histogram({
    name: 'cameo_stage_seconds',
    help: 'Time a message took, s',
    buckets: [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800],
    registers,
  })
  let info: Gauge | undefined
  let shown = ''
  return {
    registry,
    finished(outcome, seconds) {
      if (outcome === 'done') processed.inc()
      else failed.inc()
      duration.observe(seconds)
    },
    setInWork: (count) => inWork.set(count),
    setLag: (messages) => lag.set(messages),
    setInfo(labels) {
      const wanted = JSON.stringify(labels)
      if (wanted === shown) return
      shown = wanted
      if (info !== undefined) registry.removeSingleMetric('cameo_worker_info')
      info = new Gauge({
        name: 'cameo_worker_info',
        help: 'What the worker uses; always 1',
        labelNames: Object.keys(labels),
        registers,
      })
      info.set(labels, 1)
    },
  }
}

export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * GET /healthz: 200 while the worker is in its group and the broker answers, else 503. GET /metrics:
 * Prometheus text.
 * @param port 0 chooses a free port
 */
export async function startHealthServer(
  { host, port }: { readonly host: string; readonly port: number },
  metrics: WorkerMetrics,
  isHealthy: () => boolean,
): Promise<HealthServer> {
  // Only with a server: measuring the event loop takes a few percent of a core. In ms; the default of 10 is
  // for busy servers.
  collectDefaultMetrics({ register: metrics.registry, eventLoopMonitoringPrecision: 200 })
  const server = createServer((request, response) => {
    void (async () => {
      if (request.url === '/healthz') {
        const healthy = isHealthy()
        response.writeHead(healthy ? 200 : 503, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ healthy }))
      } else if (request.url === '/metrics') {
        response.writeHead(200, { 'content-type': metrics.registry.contentType })
        response.end(await metrics.registry.metrics())
      } else response.writeHead(404).end()
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
