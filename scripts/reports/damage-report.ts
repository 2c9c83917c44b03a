import type { Archive } from '../../index/archive/open-archive.js'
import type { Damage } from '../../index/store/damage.js'
import { counted, note } from '../cli/output.js'
import type { DamagedThing } from '../../index/archive/damaged-things.js'
import { describeDamaged, noteDamage } from '../../index/archive/damaged-things.js'

/** Number of listed items; more are counted. */
const listed = 10

/** Stores what was left out of an answer for the next ingest, and reports it. */
export function tellDamage(archive: Archive, damage: readonly Damage[]): DamagedThing[] {
  const things = noteDamage(archive, damage, note)
  tellDamaged(archive, things)
  return things
}

/** Reports what was left out of an answer. */
export function tellDamaged({ dir }: Pick<Archive, 'dir'>, things: readonly DamagedThing[]): void {
  if (things.length === 0) return
  const more = things.length > listed ? `\n  … and ${things.length - listed} more` : ''
  note(
    `cameo: ${counted(things.length, 'thing')} in the archive ${dir} ${things.length === 1 ? 'is' : 'are'} damaged and left out here, in whole or in part: run "cameo ingest --repair --archive ${dir}" [ARCHIVE_DAMAGED]\n` +
      things
        .slice(0, listed)
        .map((thing) => `  ${describeDamaged(thing)}`)
        .join('\n') +
      more,
  )
}
