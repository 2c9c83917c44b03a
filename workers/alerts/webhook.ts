import { createHash, createHmac } from 'node:crypto'
import { basename } from 'node:path'
import pRetry from 'p-retry'
import type { Alert } from '../../index/store/alerts.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'

/** A server that alerts are posted to. Make it with `parseWebhook`. */
export interface Webhook {
  /** May hold a token, so it is shown nowhere. */
  readonly url: string
  /** Host and port, which may be shown. */
  readonly host: string
  /** Key of the signature that goes with each alert. */
  readonly secret?: string | undefined
  /** How long the server may take for one answer, ms. Default: 10,000. */
  readonly timeoutMs?: number | undefined
  /** The pause before the second attempt, ms; each further one is twice as long. Default: 1000. */
  readonly againAfterMs?: number | undefined
}

/** How often an alert is posted before it has to wait. */
const attempts = 3
const defaultTimeoutMs = 10_000
const defaultAgainAfterMs = 1000

const isLoopback = (hostname: string) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)

/**
 * Reads the address of a webhook. It must be https, or http on this machine.
 * @param secret key of the signature
 * @throws USAGE; the message does not hold the address
 */
export function parseWebhook(address: string, secret?: string): Webhook {
  const refuse = (why: string) => new CameoError('USAGE', `the address of the alert webhook ${why}`)
  if (!URL.canParse(address)) throw refuse('is not a URL')
  const url = new URL(address)
  const { protocol, hostname, host, username, password } = url
  if (username !== '' || password !== '')
    throw refuse('holds a user name or a password: put a token into its path')
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    throw refuse(`must begin with https://; only to this machine may it be http:// (its host is ${host})`)
  url.hash = ''
  return { url: url.href, host, ...(secret === undefined || secret === '' ? {} : { secret }) }
}

/** Why an alert was not taken. */
export class PostError extends Error {
  /** Others may succeed: only this alert was refused. */
  readonly isOfAlert: boolean
  readonly isTransient: boolean

  constructor(message: string, { isTransient = false, isOfAlert = false } = {}) {
    super(message)
    this.isTransient = isTransient
    this.isOfAlert = isOfAlert
  }
}

/** The same for each attempt to post an alert: a receiver can leave out what it has already. */
const alertId = ({ clipId, name }: Alert): string =>
  createHash('sha256')
    .update(JSON.stringify([clipId, name]))
    .digest('hex')
    .slice(0, 32)

/** What is sent: a name, a clip and times. No folder, no score, no picture and no vector. */
const bodyOf = (alert: Alert): string => {
  const { name, path, clipId, ranges, at } = alert
  const times = ranges.map(({ startS, endS }) => ({ startS, endS }))
  return JSON.stringify({ v: 1, id: alertId(alert), name, clip: basename(path), clipId, ranges: times, at })
}

/** `sha256=` and the HMAC-SHA-256 of the body, hex. */
const signatureOf = (body: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

/**
 * Posts an alert; tries again after failures that may pass. Follows no redirect.
 * @throws PostError; the signal's reason if it stops
 */
export async function postAlert(webhook: Webhook, alert: Alert, signal: AbortSignal): Promise<void> {
  const body = bodyOf(alert)
  await pRetry(() => postOnce(webhook, body, signal), {
    ...{ retries: attempts - 1, minTimeout: webhook.againAfterMs ?? defaultAgainAfterMs, factor: 2, signal },
    shouldRetry: ({ error }) => error instanceof PostError && error.isTransient,
  })
}

async function postOnce(
  { url, host, secret, timeoutMs = defaultTimeoutMs }: Webhook,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController()
  const onAbort = () => stop.abort(signal.reason)
  const timer = setTimeout(() => stop.abort(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
  signal.addEventListener('abort', onAbort)
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', body, redirect: 'manual', signal: stop.signal },
      headers: {
        ...{ 'content-type': 'application/json', 'user-agent': 'cameo' },
        ...(secret === undefined ? {} : { 'x-cameo-signature': signatureOf(body, secret) }),
      },
    })
    await response.body?.cancel()
    checkStatus(host, response.status)
  } catch (error) {
    if (error instanceof PostError) throw error
    if (signal.aborted) throw signal.reason
    const cause: unknown = stop.signal.aborted ? stop.signal.reason : error instanceof Error ? (error.cause ?? error) : error // prettier-ignore
    throw new PostError(`${host} cannot be reached: ${messageOf(cause)}`, { isTransient: true })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** Answers that concern the one alert: it is malformed to the receiver, or too large. */
const ofAlert: ReadonlySet<number> = new Set([400, 409, 413, 422])
/** Answers after which the same may succeed, besides those of a server in trouble. */
const transient: ReadonlySet<number> = new Set([408, 425, 429])

function checkStatus(host: string, status: number): void {
  if (status >= 200 && status < 300) return
  if (status >= 300 && status < 400)
    throw new PostError(`${host} redirects (status ${status}), and redirects are not followed`)
  throw new PostError(`${host} answers with status ${status}`, {
    isTransient: status >= 500 || transient.has(status),
    isOfAlert: ofAlert.has(status),
  })
}
