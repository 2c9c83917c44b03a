import autocannon, { type Request } from 'autocannon'
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
  /** Requests per second. Default: as many as the server answers. */
  readonly perS?: number
}

/** Searches for random stored tracks, 20 clips each. */
export async function searchTracks({ url, key, tracks, seconds, perS }: LoadOptions): Promise<Load> {
  let next = 0
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
    ...(perS === undefined ? {} : { overallRate: Math.max(1, Math.floor(perS)) }),
  })
  return {
    ...{ perS: got.requests.average, p50Ms: got.latency.p50, p99Ms: got.latency.p99 },
    errors: got.errors + got.non2xx,
  }
}

/** Small requests that search nothing, so many per second. */
export const askForHealth = (url: string, seconds: number, perS: number): Promise<unknown> =>
  autocannon({
    ...{ url: `${url}/healthz`, connections, duration: seconds },
    overallRate: Math.max(1, Math.floor(perS)),
  })
