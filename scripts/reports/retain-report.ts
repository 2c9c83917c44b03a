import { describeDamaged } from '../../index/archive/damaged-things.js'
import type { AgedEntry, RetentionPlan } from '../../index/retention/plan-retention.js'
import type { RetainReport } from '../../workers/archive/retain.js'
import { adviceMessageOf } from '../cli/advice.js'
import { counted, note, oneLine, print } from '../cli/output.js'

/** A plan that has many clips is cut off; `--dry-run` lists all. */
const listedClips = 20

/** What is asked before anything is erased. */
export function questionOf({ what, before, entries }: RetentionPlan): string {
  const lines = entries.slice(0, listedClips).map((entry) => `  ${lineOf(what, entry)}`)
  const rest = entries.length - listedClips
  const more = rest > 0 ? [`  … and ${rest} more: --dry-run lists them all`] : []
  return [`of ${dayOf(before)} or earlier:`, ...lines, ...more, `forget ${sumOf(what, entries)}?`].join('\n')
}

/** The `--json` object. */
export function retainedJson({ status, what, before, clips, damaged, pending, receipt }: RetainReport) {
  return {
    ...{ status, what, before: before.toISOString() },
    clips: clips.map(({ date, ...clip }) => ({ ...clip, date: date.toISOString() })),
    ...{ tracks: tracksIn(clips), damaged, receipt: receipt ?? null },
    ...(pending === undefined
      ? {}
      : { code: pending.code, message: adviceMessageOf(pending), retriable: pending.retriable }),
  }
}

/** Errors and damage go to standard error; the rest is left out if it is to be quiet. */
export function printRetained(report: RetainReport, { isQuiet }: { readonly isQuiet: boolean }): void {
  const { status, what, before, clips, damaged, pending } = report
  if (!isQuiet) {
    for (const clip of clips) print(lineOf(what, clip))
    const of = `of ${dayOf(before)} or earlier`
    if (status === 'declined') print('nothing was forgotten')
    else if (clips.length === 0) print(`nothing is ${of}`)
    else if (status === 'planned') print(`${sumOf(what, clips)} ${of} would be forgotten`)
    else
      print(
        `${sumOf(what, clips)} ${of} forgotten${status === 'interrupted' ? '; stopped before the rest' : ''}`,
      )
  }
  for (const thing of damaged)
    note(`left alone, since it is damaged: ${describeDamaged(thing)} [ARCHIVE_DAMAGED]`)
  if (pending !== undefined) note(`cameo: ${adviceMessageOf(pending)} [${pending.code}]`)
}

function lineOf(what: RetentionPlan['what'], { clipId, paths, date, tracks, names }: AgedEntry): string {
  const [path = `clip ${clipId.slice(0, 12)}`, ...others] = paths
  const copies = others.length === 0 ? '' : ` (and ${others.map(oneLine).join(', ')})`
  const gone = what === 'clips' ? counted(tracks, 'track') : counted(tracks, 'unnamed track')
  const faces = names.map((name) => `, faces of "${oneLine(name)}"`).join('')
  return `${dayOf(date)}  ${oneLine(path)}${copies}: ${gone}${faces}`
}

const sumOf = (what: RetentionPlan['what'], clips: readonly AgedEntry[]) =>
  what === 'clips'
    ? `${counted(clips.length, 'clip')}, ${counted(tracksIn(clips), 'track')}`
    : `${counted(tracksIn(clips), 'unnamed track')} in ${counted(clips.length, 'clip')}`

const tracksIn = (clips: readonly AgedEntry[]) => clips.reduce((sum, { tracks }) => sum + tracks, 0)

const two = (value: number) => String(value).padStart(2, '0')

/** In local time. */
const dayOf = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
