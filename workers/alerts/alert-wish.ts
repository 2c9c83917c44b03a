import type { Alert } from '../../index/store/alerts.js'
import type { Webhook } from './webhook.js'

/** The people whose appearance in new clips an ingest reports. */
export interface AlertWish {
  /** Names that are enrolled, or that will be; or all that are. */
  readonly names: readonly string[] | 'all'
  /**
   * Called once for each clip and name, also if the ingest is repeated. After a crash it may be called a second time for
   * the last of them.
   */
  readonly onAlert: (alert: Alert) => void
  /** Where alerts are posted to. Default: nowhere. */
  readonly webhook?: Webhook | undefined
}
