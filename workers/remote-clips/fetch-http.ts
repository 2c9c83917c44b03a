import { Readable } from 'node:stream'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'

/** A remote clip while it is fetched. */
export interface RemoteBody {
  readonly stream: Readable
  /** The stated size; undefined if the server does not state it. */
  readonly sizeBytes: number | undefined
  /** Identifies the content under this name: an entity tag or a time. */
  readonly version: string
}

export type RemoteFetch = (signal: AbortSignal) => Promise<RemoteBody>

const maxRedirects = 5

/** No compression: videos do not get smaller, and the stated length would differ from the received length. */
const headers = { 'accept-encoding': 'identity' }

/** @param check throws if an address may not be fetched; redirect targets are checked too */
export function fetchHttp(url: URL, check: (target: URL) => void): RemoteFetch {
  return async (signal) => {
    let target = url
    for (let redirects = 0; redirects <= maxRedirects; redirects++) {
      check(target)
      const response = await ask(target, signal)
      const location = response.headers.get('location')
      if (response.status >= 300 && response.status < 400 && location !== null) {
        await response.body?.cancel()
        target = new URL(location, target)
        if (target.protocol !== 'http:' && target.protocol !== 'https:')
          throw new CameoError(
            'CLIP_NOT_ALLOWED',
            `${clipName(url.pathname)} may not be opened: its address redirects to ${target.protocol}//`,
          )
        continue
      }
      if (!response.ok || response.body === null) {
        await response.body?.cancel()
        throw statusError(url, response.status)
      }
      // If a server compresses anyway, the stated length is the length before `fetch` expands the body.
      const isCompressed = response.headers.has('content-encoding')
      const length = isCompressed ? null : response.headers.get('content-length')
      return {
        stream: Readable.fromWeb(response.body),
        sizeBytes: length === null ? undefined : Number(length),
        version: response.headers.get('etag') ?? response.headers.get('last-modified') ?? '',
      }
    }
    throw new CameoError(
      'CLIP_FETCH_FAILED',
      `${clipName(url.pathname)} is redirected more than ${maxRedirects} times`,
      { retriable: false },
    )
  }
}

async function ask(target: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(target, { redirect: 'manual', headers, signal })
  } catch (error) {
    if (signal.aborted) throw error
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new CameoError(
      'CLIP_FETCH_FAILED',
      `${clipName(target.pathname)} cannot be fetched from ${target.host}: ${messageOf(cause)}`,
      { cause: error },
    )
  }
}

function statusError(url: URL, status: number): CameoError {
  const name = clipName(url.pathname)
  if (status === 404 || status === 410)
    return new CameoError('CLIP_GONE', `${name} is not at ${url.host} (status ${status})`)
  if (status === 401 || status === 403)
    return new CameoError('CLIP_UNREADABLE', `${url.host} does not give ${name} out (status ${status})`, {
      retriable: false,
    })
  return new CameoError(
    'CLIP_FETCH_FAILED',
    `${name} cannot be fetched from ${url.host}: status ${status}`,
    // Too many requests, or a server error.
    { retriable: status === 429 || status >= 500 },
  )
}
