import { describeDisagreeing, measureText, type Disagreeing } from '../../index/identities/check-enrolment.js'
import { note, oneLine } from '../cli/output.js'

/** Lists the files that mostly do not match the other files of a name. */
export function tellDisagreeing(name: string, disagreeing: readonly Disagreeing[], threshold: number): void {
  if (disagreeing.length === 0) return
  note(`these may not show "${oneLine(name)}" (${measureText(threshold)}):`)
  for (const each of disagreeing) note(`  ${describeDisagreeing(each)}; --face ${each.faces.join(', ')}`)
  note('to take a face out again: cameo forget --name NAME --face NUMBER')
}
