import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { isVisible } from '../archive/in-scope.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import type { FilledArchive } from '../archive/open-archive.js'
import type { Verdict } from '../store/corrections.js'
import type { Damage } from '../store/damage.js'
import { PeopleRows } from '../store/people-rows.js'
import { facesOfIdentity } from '../store/reference-faces.js'
import { picturesOf } from '../store/reference-pictures.js'
import { describeName, type NameDescription } from './describe-name.js'
import { enrolledFaces } from './enrolled-faces.js'
import { agreementOf, bySource } from './enrolment-agreement.js'
import { identityIdOf, knownName, referencesOf } from './identities.js'
import { readCorrections, type Correction } from './verdicts.js'
import { FaceSources } from './visible-faces.js'

/** A face that a name rests on. */
export interface ShownFace {
  /** The number by which the face can be forgotten. */
  readonly number: number
  readonly source: string
  readonly quality: number
  /** Mean cosine similarity to the faces of the other files. Undefined if there are none. */
  readonly similarity: number | undefined
  /** It matches fewer than half of the other files, so it may show somebody else. */
  readonly isOdd: boolean
  /** JPEG. Undefined if no picture was kept. */
  readonly pictureJpeg: Uint8Array | undefined
}

/** What a person said about a clip. */
export interface ShownCorrection {
  readonly clipId: string
  /** Undefined if the archive knows of no file of the clip. */
  readonly path: string | undefined
  readonly verdict: Verdict
  /** ISO 8601. */
  readonly at: string
  /** When the face is seen. */
  readonly ranges: readonly { readonly startS: number; readonly endS: number }[]
  /** False if the archive does not have this track now: the correction has no effect until it does. */
  readonly isFound: boolean
}

/** A name, and what it rests on. */
export interface ShownName extends NameDescription {
  readonly name: string
  /** The people without names who were given this name. */
  readonly people: readonly number[]
  /** As embedded by the archive's models. */
  readonly faces: readonly ShownFace[]
  /** Faces that only other models have embedded. */
  readonly otherFaces: {
    readonly count: number
    /** How many of them have a picture, from which the archive's models can embed them. */
    readonly withPicture: number
  }
  /** The archive's models know no face of the name, and no picture can change that. */
  readonly needsPhotos: boolean
  readonly corrections: readonly ShownCorrection[]
  /** Cosine similarity from which two faces count as one person's. */
  readonly threshold: number
  readonly damaged: readonly DamagedThing[]
}

/**
 * Shows what a name rests on. Also for a name that the archive's models know no face of. Where only a part of the archive may be
 * seen, faces and corrections of other clips are left out: see `FaceSources`.
 * @throws NAME_UNKNOWN
 */
export function showName(
  { archive, recipe }: FilledArchive,
  given: string,
  notify: Caller['notify'],
): ShownName {
  const { database } = archive
  const name = knownName(database, given)
  const identityId = identityIdOf(database, name)
  const damage: Damage[] = []
  const onDamage = (found: Damage) => void damage.push(found)
  const sources = new FaceSources(archive)
  const all = enrolledFaces(database, name, recipe.embedderDigest)
  const own = all.filter(({ source }) => sources.shown(source) !== undefined)
  // Throws if faces are lost.
  if (all.length > 0) referencesOf(database, name, recipe.embedderDigest, [], onDamage)
  const pack = findPack(recipe.packName)
  const threshold = thresholdOfModels(pack)
  const agreement = new Map(
    agreementOf(bySource(own), pack.embedder.dimension, threshold).map((each) => [each.source, each]),
  )
  const pictures = picturesOf(database, identityId)
  const faces = own.map(({ number, source, quality, pictureId }) => ({
    ...{ number, source: sources.shown(source) ?? '', quality },
    similarity: agreement.get(source)?.similarity,
    isOdd: agreement.get(source)?.disagrees === true,
    pictureJpeg: pictureId === null ? undefined : pictures.get(pictureId)?.jpeg,
  }))
  const otherFaces = countOthers(
    facesOfIdentity(database, identityId).filter(({ source }) => sources.shown(source) !== undefined),
    recipe.embedderDigest,
  )
  const corrections = readCorrections(database, name, onDamage)
    .filter(({ clipId }) => isVisible(archive, clipId))
    .map((each) => ({ ...shownCorrection(each), path: archive.files.pathsOf(each.clipId)[0] }))
  const people = new PeopleRows(database)
  return {
    ...{ name, faces, otherFaces, corrections, threshold },
    ...describeName(database, name),
    people: people
      .withIdentity(identityId)
      .map(({ personId }) => personId)
      .filter((personId) => people.membersOf(personId).some(({ clipId }) => isVisible(archive, clipId))),
    needsPhotos: all.length === 0 && otherFaces.withPicture === 0,
    damaged: noteDamage(archive, damage, notify),
  }
}

const shownCorrection = ({ clipId, verdict, at, place, tracks: [track] }: Correction) => ({
  ...{ clipId, verdict, at, isFound: track !== undefined },
  ranges: (track?.spansS ?? place.spansS).map(([startS, endS]) => ({ startS, endS })),
})

/** Of faces with pictures, each counts once. Of others, the embedder with the most of them says how many there are. */
function countOthers(
  rows: readonly { readonly embedder: string; readonly pictureId: number | null; readonly source: string }[],
  own: string,
): ShownName['otherFaces'] {
  const known = rows.filter(({ embedder }) => embedder === own)
  const pictures = new Set(known.map(({ pictureId }) => pictureId))
  const sources = new Set(known.map(({ source }) => source))
  const others = rows.filter(({ pictureId, source }) =>
    pictureId === null ? !sources.has(source) : !pictures.has(pictureId),
  )
  const withPicture = new Set(others.flatMap(({ pictureId }) => pictureId ?? [])).size
  const without = new Map<string, number>()
  for (const { embedder, pictureId } of others)
    if (pictureId === null) without.set(embedder, (without.get(embedder) ?? 0) + 1)
  return { count: withPicture + Math.max(0, ...without.values()), withPicture }
}
