import autocannon, { type Request } from 'autocannon'
import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../../../pipeline/common/seeded-random.js'
import { trackOf } from './served-archive.js'

export const connections = 32

/** What a load got. */
export interface Load {
  readonly perS: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers that were no success, and connections that failed. */
  readonly errors: number
}

export interface LoadOptions {
  readonly url: string
  readonly key: string
  readonly tracks: number
  readonly seconds: number
}

/** Numbers the searches of a process, so that each is for another track. */
let next = 0

/** Searches for random stored tracks, 20 clips each, as fast as the server answers 32 connections. */
export async function searchTracks({ url, key, tracks, seconds }: LoadOptions): Promise<Load> {
  const requests: Request[] = [
    {
      method: 'POST',
      path: '/api/v1/searches',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      setupRequest: (request) => ({
        ...request,
        body: JSON.stringify({ subject: { trackId: trackOf(next++, tracks) }, top: 20 }),
      }),
    },
  ]
  const got = await autocannon({
    ...{ url, connections, duration: seconds, requests },
  })
  return {
    ...{ perS: got.requests.average, p50Ms: got.latency.p50, p99Ms: got.latency.p99 },
    errors: got.errors + got.non2xx,
  }
}

/**
 * The same by people who do not wait for each other: requests come at random times (a Poisson process), `perS` of them on average.
 * A time is counted from when its request was due. autocannon would send all its connections' requests at once, pause, and begin again.
 */
export async function searchAtRate({ url, key, tracks, seconds }: LoadOptions, perS: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const random = seededRandom(1)
  const timesMs: number[] = []
  let errors = 0
  const ask = async (dueMs: number) => {
    const body = JSON.stringify({ subject: { trackId: trackOf(next++, tracks) }, top: 20 })
    const status = await post(new URL('/api/v1/searches', url), { agent, key, body }).catch(() => 0)
    timesMs.push(performance.now() - dueMs)
    if (status !== 200) errors++
  }
  const begunMs = performance.now()
  const asked: Promise<void>[] = []
  for (
    let dueMs = begunMs;
    dueMs < begunMs + 1000 * seconds;
    dueMs -= (1000 * Math.log(1 - random())) / perS
  ) {
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await pause(waitMs)
    asked.push(ask(dueMs))
  }
  await Promise.all(asked)
  agent.destroy()
  timesMs.sort((a, b) => a - b)
  const at = (share: number) => timesMs[Math.ceil(share * timesMs.length) - 1] ?? Number.NaN
  return { perS: timesMs.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), errors }
}

/** @returns the status of the answer */
function post(
  url: URL,
  { agent, key, body }: { readonly agent: Agent; readonly key: string; readonly body: string },
): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', agent, headers }, (response) => {
      response.on('error', reject).on('end', () => resolve(response.statusCode ?? 0))
      response.resume()
    })
      .on('error', reject)
      .end(body)
  })
}

/** Small requests that search nothing, so many per second. */
export const askForHealth = (url: string, seconds: number, perS: number): Promise<unknown> =>
  autocannon({
    ...{ url: `${url}/healthz`, connections, duration: seconds },
    overallRate: Math.max(1, Math.floor(perS)),
  })
