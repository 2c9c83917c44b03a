import type { Alert } from '../../index/store/alerts.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import { oneLine, print, printJson } from '../cli/output.js'

/** One line for an alert, or one JSON object. */
export function tellAlert(alert: Alert, json: boolean): void {
  const { name, path, clipId, score, ranges, at } = alert
  if (json) {
    printJson({ alert: name, path, clipId, score, ranges, at })
    return
  }
  const times = ranges.map(({ startS, endS }) => `${formatTime(startS)}–${formatTime(endS)}`).join(', ')
  print(`${oneLine(name)} appears in ${oneLine(path)} at ${times} (${score.toFixed(3)})`)
}
