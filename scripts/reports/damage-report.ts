import type { Archive } from '../../index/archive/open-archive.js'
import { detailsOf, markDamaged, type Damage } from '../../index/store/damage.js'
import { adviceMessageOf } from '../cli/advice.js'
import { counted, note, oneLine } from '../cli/output.js'

/** Something damaged as it is told, in JSON, too: a clip, a name, or a table whose row is nobody's. */
export interface DamagedThing {
  readonly clipId?: string
  /** Where the clip lies; null where that is damaged, too. */
  readonly path?: string | null
  readonly name?: string
  readonly what: string
}

/** More than these are counted, not listed. */
const listed = 10

/** What is damaged, a clip or a name once. */
export function damagedThings({ files }: Pick<Archive, 'files'>, damage: readonly Damage[]): DamagedThing[] {
  const clips = [...detailsOf(damage)].map(([clipId, what]) => ({
    ...{ clipId, path: files.pathsOf(clipId)[0] ?? null, what },
  }))
  const others = damage.filter(({ clipId }) => clipId === undefined)
  const named = new Map(others.map(({ name, what }) => [`${name ?? ''}\n${what}`, { name, what }]))
  return [
    ...clips,
    ...[...named.values()].map(({ name, what }) => ({ ...(name === undefined ? {} : { name }), what })),
  ]
}

/** One thing on a line. */
export function describeDamaged({ clipId, path, name, what }: DamagedThing): string {
  if (clipId !== undefined)
    return `${path === undefined || path === null ? 'a clip' : oneLine(path)} (clip ${clipId.slice(0, 12)}): ${what}`
  return name === undefined ? `a row of ${what}` : `the name "${oneLine(name)}": ${what}`
}

/** Tells what was left out of an answer, and notes the clips for the next ingest. */
export function tellDamage(archive: Archive, damage: readonly Damage[]): DamagedThing[] {
  if (damage.length === 0) return []
  try {
    markDamaged(archive.database, damage)
  } catch (error) {
    // The answer stands, and the next one finds the same.
    note(`the damage could not be noted: ${adviceMessageOf(error)}`)
  }
  const things = damagedThings(archive, damage)
  const more = things.length > listed ? `\n  … and ${things.length - listed} more` : ''
  note(
    `cameo: ${counted(things.length, 'thing')} in the archive ${archive.dir} ${things.length === 1 ? 'is' : 'are'} damaged and left out here, in whole or in part: run "cameo ingest --repair --archive ${archive.dir}" [ARCHIVE_DAMAGED]\n` +
      things
        .slice(0, listed)
        .map((thing) => `  ${describeDamaged(thing)}`)
        .join('\n') +
      more,
  )
  return things
}
