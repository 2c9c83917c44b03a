import type { GroundTruth } from './map.js'

/** The part of a numbered clip's name before its number: `IQIYI_VID_VAL_0000001.mp4` → `IQIYI_VID_VAL_`. */
function seriesOf(name: string): string | undefined {
  return /^(?:.*\/)?([^/]*\D)\d+\.[^./]+$/.exec(name)?.[1]
}

/** The series that all of the names belong to, if there is one. */
export function commonSeries(names: Iterable<string>): string | undefined {
  let common: string | undefined
  for (const name of names) {
    const series = seriesOf(name)
    if (series === undefined || (common !== undefined && series !== common)) return undefined
    common = series
  }
  return common
}

/** Finds clips by the names that ground truth gives them: a file name, with or without folders before it. */
export interface ClipNames {
  /** Clips whose path ends so; several where files in different folders share a name. */
  find(name: string): readonly number[]
  /** Clips of a series. */
  inSeries(series: string): readonly number[]
}

/** @param paths of each clip: all its files, or its one name */
export function indexClipNames(paths: readonly (readonly string[])[]): ClipNames {
  const byFile = new Map<string, { readonly path: string; readonly clip: number }[]>()
  for (const [clip, own] of paths.entries())
    for (const path of own) {
      const file = path.slice(path.lastIndexOf('/') + 1)
      const known = byFile.get(file) ?? []
      known.push({ path, clip })
      byFile.set(file, known)
    }
  return {
    find(name) {
      const file = name.slice(name.lastIndexOf('/') + 1)
      const found = byFile.get(file) ?? []
      const fitting =
        name === file ? found : found.filter(({ path }) => path === name || path.endsWith(`/${name}`))
      return [...new Set(fitting.map(({ clip }) => clip))]
    },
    inSeries: (series) =>
      [...paths.keys()].filter((clip) => (paths[clip] ?? []).some((path) => seriesOf(path) === series)),
  }
}

export interface ResolvedGroundTruth {
  /** Clips of each identity, by number; identities all of whose clips are unknown have none. */
  readonly clips: ReadonlyMap<string, readonly number[]>
  /** What the ground truth calls each of its clips; several names where copies of one file are named. */
  readonly namesOf: ReadonlyMap<number, readonly string[]>
  /** Names that no clip has. */
  readonly unknown: readonly string[]
}

export function resolveGroundTruth(groundTruth: GroundTruth, names: ClipNames): ResolvedGroundTruth {
  const unknown = new Set<string>()
  const clips = new Map<string, number[]>()
  const namesOf = new Map<number, string[]>()
  for (const [identity, own] of groundTruth) {
    const found = new Set<number>()
    for (const name of own) {
      const known = names.find(name)
      if (known.length === 0) unknown.add(name)
      for (const clip of known) {
        found.add(clip)
        const called = namesOf.get(clip) ?? []
        if (!called.includes(name)) called.push(name)
        namesOf.set(clip, called)
      }
    }
    clips.set(identity, [...found])
  }
  return { clips, namesOf, unknown: [...unknown] }
}
