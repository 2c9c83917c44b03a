import { csvCell } from '../evaluate/report/csv.js'
import type { EditHit } from './hits.js'
import { time } from './subtitles.js'

const columns = ['hit', 'person', 'file', 'start', 'end', 'start_s', 'end_s', 'score', 'probability', 'weak', 'clip_id'] // prettier-ignore

/** A table of hits, for sheets. RFC 4180, UTF-8. */
export function csvOfHits(hits: readonly EditHit[]): string {
  const rows = hits.map((hit) => [
    ...[hit.number, hit.person, hit.path, time(hit.startS, '.'), time(hit.endS, '.')],
    ...[seconds(hit.startS), seconds(hit.endS), hit.score?.toFixed(4) ?? ''],
    ...[hit.probability?.toFixed(6) ?? '', hit.isWeak ? 'yes' : 'no', hit.clipId],
  ])
  return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')
}

const seconds = (value: number) => Number(value.toFixed(3))
