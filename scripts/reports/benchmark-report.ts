import { note, oneLine } from '../cli/output.js'
import type { Unusable } from '../../index/evaluate/protocols/embed-benchmark.js'

/** Number of unusable pictures that are listed by name; `--json` lists all. */
const listed = 20

export function tellUnusable(unusable: readonly Unusable[]): void {
  if (unusable.length === 0) return
  note(`${unusable.length} had no usable face:`)
  for (const { message, code } of unusable.slice(0, listed)) note(`  ${oneLine(message)} [${code}]`)
  if (unusable.length > listed) note(`  … and ${unusable.length - listed} more (all with --json)`)
}

export const percent = (rate: number) => (Number.isNaN(rate) ? '–' : `${(rate * 100).toFixed(2)} %`)

/** JSON has no NaN and no infinity. */
export const orNull = (value: number) => (Number.isFinite(value) ? value : null)
