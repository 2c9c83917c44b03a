import { CameoError } from '../../../pipeline/common/errors.js'
import { plainName } from '../formats/list-columns.js'
import type { GroundTruth } from '../data/rankings.js'
import type { ClipNames } from '../data/clip-names.js'

/** The file name without folders. */
const fileOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)

/** The folder of a path, or "". */
const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** `IQIYI_A.mp4` → `IQIYI_A`. */
const stemOf = (file: string) => file.replace(/(?<=.)\.[^./]{1,5}$/, '')

/** The part of a numbered clip's name before its number: `IQIYI_VID_VAL_0000001.mp4` → `IQIYI_VID_VAL_`. */
function seriesOf(name: string): string | undefined {
  return /^(.*\D)\d+$/.exec(stemOf(fileOf(plainName(name))))?.[1]
}

/** The series to which all names belong. Undefined if there is none. */
export function commonSeries(names: Iterable<string>): string | undefined {
  let common: string | undefined
  for (const name of names) {
    const series = seriesOf(name)
    if (series === undefined || (common !== undefined && series !== common)) return undefined
    common = series
  }
  return common
}

interface NamedFile {
  readonly folder: string
  readonly file: string
  readonly clip: number
}

/** Number of example names in messages. */
const shownExamples = 3

/** @param paths for each clip: the paths of all its files, or its only name */
export function indexClipNames(paths: readonly (readonly string[])[]): ClipNames {
  const byFile = new Map<string, NamedFile[]>()
  const byStem = new Map<string, NamedFile[]>()
  for (const [clip, own] of paths.entries())
    for (const path of own.map(plainName)) {
      const named = { folder: folderOf(path), file: fileOf(path), clip }
      push(byFile, named.file, named)
      push(byStem, stemOf(named.file), named)
    }

  /** Finds a file if its extension differs in case, or if one of the two names has no extension. */
  function filesOf(file: string): readonly NamedFile[] {
    const stem = stemOf(file)
    const lower = file.toLowerCase()
    const sameStem = byStem.get(stem) ?? []
    const otherCapitals = sameStem.filter((named) => named.file.toLowerCase() === lower)
    if (otherCapitals.length > 0) return otherCapitals
    return byFile.get(stem) ?? byStem.get(file) ?? []
  }

  function lookUp(name: string): { readonly clips: readonly number[]; readonly rivals: readonly string[] } {
    const plain = plainName(name)
    const folder = folderOf(plain)
    const fitting = (byFile.get(fileOf(plain)) ?? filesOf(fileOf(plain))).filter(
      (named) => folder === '' || named.folder === folder || named.folder.endsWith(`/${folder}`),
    )
    const clips = [...new Set(fitting.map(({ clip }) => clip))]
    const files = [...new Set(fitting.map(({ file }) => file))]
    // Copies of one clip are one result, even if their names differ.
    return files.length > 1 && clips.length > 1 ? { clips: [], rivals: files } : { clips, rivals: [] }
  }

  return {
    find: (name) => lookUp(name).clips,
    rivals: (name) => lookUp(name).rivals,
    hasFile: (name) => byFile.has(fileOf(plainName(name))),
    inSeries: (series) =>
      [...paths.keys()].filter((clip) => (paths[clip] ?? []).some((path) => seriesOf(path) === series)),
    examples: [...byFile.keys()].slice(0, shownExamples),
  }
}

function push(files: Map<string, NamedFile[]>, key: string, named: NamedFile): void {
  const known = files.get(key)
  if (known === undefined) files.set(key, [named])
  else known.push(named)
}

export interface ResolvedGroundTruth {
  /** Clips of each identity, by number. Empty if all clips of the identity are unknown. */
  readonly clips: ReadonlyMap<string, readonly number[]>
  /** Names of each clip in the ground truth. Several if the ground truth names copies of one file. */
  readonly namesOf: ReadonlyMap<number, readonly string[]>
  /** Number of clip names. */
  readonly named: number
  /** Names without a clip. */
  readonly unknown: readonly string[]
  /** The common folder of all names, if the clips are in another folder and were found by the rest of their names. */
  readonly otherFolder: string | undefined
}

/** @throws GROUND_TRUTH_INVALID if a name without its extension matches several files */
export function resolveGroundTruth(groundTruth: GroundTruth, names: ClipNames): ResolvedGroundTruth {
  const otherFolder = folderElsewhere(groundTruth, names)
  const strip = otherFolder === undefined ? 0 : otherFolder.length + 1
  const unknown = new Set<string>()
  const named = new Set<string>()
  const clips = new Map<string, number[]>()
  const namesOf = new Map<number, string[]>()
  for (const [identity, own] of groundTruth) {
    const found = new Set<number>()
    for (const name of own) {
      named.add(name)
      const known = names.find(name.slice(strip))
      if (known.length === 0) unknown.add(name)
      if (known.length === 0) refuseRivals(name, names.rivals(name.slice(strip)))
      for (const clip of known) {
        found.add(clip)
        const called = namesOf.get(clip) ?? []
        if (!called.includes(name)) called.push(name)
        namesOf.set(clip, called)
      }
    }
    clips.set(identity, [...found])
  }
  return { clips, namesOf, named: named.size, unknown: [...unknown], otherFolder }
}

function refuseRivals(name: string, rivals: readonly string[]): void {
  if (rivals.length > 0)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `the ground truth names "${name}", which matches ${rivals.slice(0, shownExamples).join(' and ')}: write names with their extension`,
    )
}

/**
 * The folder with which all names of a ground truth begin, if no clip is in it, for example because the list was
 * written on another machine. Undefined if the names match unchanged, or have no common folder.
 */
function folderElsewhere(groundTruth: GroundTruth, names: ClipNames): string | undefined {
  let common: string[] | undefined
  for (const own of groundTruth.values())
    for (const name of own) {
      const folders = name.split('/').slice(0, -1)
      const agreed = common === undefined ? folders.length : agreeing(common, folders)
      if (agreed === 0) return undefined
      common = folders.slice(0, agreed)
    }
  if (common === undefined) return undefined
  for (const own of groundTruth.values())
    for (const name of own) if (names.find(name).length > 0) return undefined
  return common.join('/')
}

function agreeing(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((folder, at) => folder !== b[at])
  return differs < 0 ? a.length : differs
}
