import { messageOf } from '../../pipeline/common/errors.js'
import { isVisible } from './in-scope.js'
import type { Archive } from './open-archive.js'
import { detailsOf, markDamaged, type Damage } from '../store/damage.js'
import { oneLine } from '../../pipeline/common/visible-text.js'

/**
 * A damaged thing as reported in text and JSON: a clip, a name, or a table with a damaged row that belongs to
 * neither.
 */
export interface DamagedThing {
  readonly clipId?: string
  /** Path of the clip. Null if the path is damaged too. */
  readonly path?: string | null
  readonly name?: string
  readonly what: string
}

/** Lists what is damaged, each clip or name once. */
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

/** Describes one thing on one line. */
export function describeDamaged({ clipId, path, name, what }: DamagedThing): string {
  if (clipId !== undefined)
    return `${path === undefined || path === null ? 'a clip' : oneLine(path)} (clip ${clipId.slice(0, 12)}): ${what}`
  return name === undefined ? `a row of ${what}` : `the name "${oneLine(name)}": ${what}`
}

/**
 * Lists what an answer skipped because it is damaged. Marks the damaged clips for the next ingest. Where only a part of the
 * archive may be seen, only damage of its clips is listed: a name or a row of a table may belong to another part.
 * @param notify called if they cannot be marked
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
    // The answer is still valid, and the next one finds the same damage.
    notify(`the damage could not be recorded: ${messageOf(error)}`)
  }
  const { visible } = archive
  return damagedThings(
    archive,
    visible === undefined
      ? damage
      : damage.filter(({ clipId }) => clipId !== undefined && isVisible(archive, clipId)),
  )
}
