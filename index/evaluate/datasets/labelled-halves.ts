import { counted, pluralOf } from '../../../pipeline/common/counted.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { resolveGroundTruth, type ResolvedGroundTruth } from './clip-names.js'
import type { GroundTruth } from '../data/rankings.js'
import type { ClipNames } from '../data/clip-names.js'

/** One half of the data with its labels: the clips of each identity. */
export interface LabelledHalf {
  /** For each identity of the ground truth: its clips in the features. */
  readonly clips: ReadonlyMap<string, readonly number[]>
  readonly namesOf: ReadonlyMap<number, readonly string[]>
  /** The clips to search for, without the gallery clips. */
  readonly groundTruth: GroundTruth
}

/** Ground truth as read from lists. */
export interface Labels {
  /** Example clips of each identity. Without clips if the identity is known by other means. */
  readonly gallery: GroundTruth
  /** Clips on which heads were trained, if heads compute the scores. */
  readonly trainedOn?: GroundTruth | undefined
  readonly val?: GroundTruth | undefined
  readonly test?: GroundTruth | undefined
}

export interface ResolvedLabels {
  /** Clips of the gallery by identity. */
  readonly galleryClips: readonly (readonly number[])[]
  /**
   * Clips by which identities are known: gallery clips, or clips on which heads were trained. They are never searched
   * for.
   */
  readonly seen: ReadonlySet<number>
  readonly val: LabelledHalf | undefined
  readonly test: LabelledHalf | undefined
  /** Names in the lists without a clip. */
  readonly unknown: readonly string[]
  readonly warnings: readonly string[]
}

/** Number of names in a message. */
const shown = 5

const examples = (names: readonly string[]) =>
  `${names.slice(0, shown).join(', ')}${names.length > shown ? ', …' : ''}`

/**
 * Finds the clips that lists name. Clips by which an identity is known would find themselves, so they are not
 * searched for.
 * @throws GROUND_TRUTH_INVALID if a list names no existing clip, if no clip is left to search for, or if none of the
 * searched identities is known
 */
export function resolveLabels(labels: Labels, names: ClipNames): ResolvedLabels {
  const warnings: string[] = []
  const unknown: string[] = []
  const resolve = (groundTruth: GroundTruth, what: string, lost: string): ResolvedGroundTruth => {
    const resolved = resolveGroundTruth(groundTruth, names)
    unknown.push(...resolved.unknown)
    warnings.push(...describeUnknown(resolved, names, what, lost))
    return resolved
  }
  const gallery = resolve(labels.gallery, 'gallery', 'count for nothing')
  const trained = resolve(labels.trainedOn ?? new Map<string, never>(), 'gallery', 'count for nothing')
  const seen = new Set([...gallery.clips.values(), ...trained.clips.values()].flat())
  const halfOf = (groundTruth: GroundTruth | undefined, what: string): LabelledHalf | undefined => {
    if (groundTruth === undefined) return undefined
    const resolved = resolve(groundTruth, what, 'count as never found')
    return withoutSeen(groundTruth, resolved, seen, what, warnings)
  }
  const [val, test] = [halfOf(labels.val, 'val'), halfOf(labels.test, 'ground truth')]
  warnings.push(...describeStrangeIdentities(labels.gallery, (test ?? val)?.groundTruth))
  const galleryClips = [...labels.gallery.keys()].map((identity) => gallery.clips.get(identity) ?? [])
  return { galleryClips, seen, val, test, unknown, warnings }
}

/** Warnings about unknown names. @throws GROUND_TRUTH_INVALID if no clip exists */
function describeUnknown(
  { named, unknown, otherFolder }: ResolvedGroundTruth,
  names: ClipNames,
  what: string,
  lost: string,
): string[] {
  const found = named - unknown.length
  if (found === 0 && named > 0)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `none of the ${counted(named, 'clip')} that the ${what} names is there: it names ${examples(unknown)}; there are ${names.examples.join(', ')}${names.examples.length > 2 ? ', …' : ''}`,
    )
  const warnings: string[] = []
  if (otherFolder !== undefined)
    warnings.push(
      `no clip is in the folder ${otherFolder} of the ${what}: clips were found by the rest of their names`,
    )
  if (unknown.length > 0)
    warnings.push(
      (2 * found < named
        ? `only ${found} of the ${counted(named, 'clip')} of the ${what} ${pluralOf(found, 'is', 'are')} there: does it belong to these clips? `
        : '') +
        `${counted(unknown.length, 'clip')} of the ${what} ${pluralOf(unknown.length, 'is', 'are')} not there (${examples(unknown)}); ` +
        pluralOf(unknown.length, lost.replace(/^count/, 'it counts'), lost.replace(/^count/, 'they count')),
    )
  return warnings
}

function withoutSeen(
  groundTruth: GroundTruth,
  { clips, namesOf }: ResolvedGroundTruth,
  seen: ReadonlySet<number>,
  what: string,
  warnings: string[],
): LabelledHalf {
  const others = new Set([...namesOf].flatMap(([clip, names]) => (seen.has(clip) ? [] : names)))
  const own = new Set([...namesOf].flatMap(([clip, names]) => (seen.has(clip) ? names : [])))
  const gone = [...own].filter((name) => !others.has(name))
  if (gone.length === 0) return { groundTruth, clips, namesOf }
  const isGone = new Set(gone)
  const left = [...groundTruth]
    .map(([identity, names]) => [identity, new Set([...names].filter((name) => !isGone.has(name)))] as const)
    .filter(([, names]) => names.size > 0)
  if (left.length === 0)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `all clips of the ${what} are in the gallery: no clip is left to search for; use a gallery with other clips`,
    )
  const identities = groundTruth.size - left.length
  warnings.push(
    `${counted(gone.length, 'clip')} of the ${what} ${pluralOf(gone.length, 'is', 'are')} also in the gallery and not searched for (${examples(gone)})` +
      (identities === 0
        ? ''
        : `; ${counted(identities, 'identity', 'identities')} without another clip ${pluralOf(identities, 'is', 'are')} not scored`),
  )
  return {
    groundTruth: new Map(left),
    clips: new Map(
      left.map(([identity]) => [identity, (clips.get(identity) ?? []).filter((clip) => !seen.has(clip))]),
    ),
    namesOf: new Map([...namesOf].filter(([clip]) => !seen.has(clip))),
  }
}

/** Warnings about identities that are not in the gallery. @throws GROUND_TRUTH_INVALID if no identity is known */
function describeStrangeIdentities(gallery: GroundTruth, wanted: GroundTruth | undefined): string[] {
  const identities = [...(wanted?.keys() ?? [])]
  const missing = identities.filter((identity) => !gallery.has(identity))
  if (missing.length === 0) return []
  if (missing.length === identities.length)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `none of the ${counted(missing.length, 'identity', 'identities')} of the ground truth is in the gallery: it names ${examples(missing)}; the gallery has ${examples([...gallery.keys()])}`,
    )
  return [
    `${counted(missing.length, 'identity', 'identities')} of the ground truth ${pluralOf(missing.length, 'is', 'are')} not in the gallery (${examples(missing)}); each scores 0`,
  ]
}
