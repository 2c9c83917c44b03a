import { parseName } from '../../index/identities/identities.js'
import type { AlertWish } from '../alerts/alert-wish.js'
import { parseWebhook } from '../alerts/webhook.js'
import type { AlertOptions } from './requests.js'

/** @throws USAGE if a name is empty or the webhook's address cannot be used */
export function alertWishOf(options: AlertOptions | undefined): AlertWish | undefined {
  if (options === undefined) return undefined
  const { names, onAlert, webhook } = options
  return {
    names: names === 'all' ? names : names.map(parseName),
    onAlert,
    webhook: webhook === undefined ? undefined : parseWebhook(webhook.url, webhook.secret),
  }
}
