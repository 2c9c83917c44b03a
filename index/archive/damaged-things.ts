import { messageOf } from '../../pipeline/common/errors.js'
import type { Archive } from './open-archive.js'
import { detailsOf, markDamaged, type Damage } from '../store/damage.js'
import { oneLine } from '../../pipeline/common/visible-text.js'

/** Something damaged as it is told, in JSON, too: a clip, a name, or a table whose row is nobody's. */
export interface DamagedThing {
  readonly clipId?: string
  /** Where the clip lies; null where that is damaged, too. */
  readonly path?: string | null
  readonly name?: string
  readonly what: string
}

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

/**
 * What was left out of an answer because it is damaged. Its clips are noted for the next ingest.
 * @param notify told where they cannot be
 */
export function noteDamage(
  archive: Archive,
  damage: readonly Damage[],
  notify: (notice: string) => void,
): DamagedThing[] {
  if (damage.length === 0) return []
  try {
    markDamaged(archive.database, damage)
  } catch (error) {
    // The answer stands, and the next one finds the same.
    notify(`the damage could not be noted: ${messageOf(error)}`)
  }
  return damagedThings(archive, damage)
}
