/**
 * A safeguard behind the tracker. Motion and looks can follow a face across a cut between two views of one backdrop, or
 * through a dissolve, into another person's face. So once per second each track's face is compared with its earlier
 * faces by its embedding. If it no longer looks like before, its stretch ends and a new stretch begins. Whether two
 * stretches show one person is decided later, when both are complete.
 */
import type { RgbImage } from '../data/image.js'
import { correlation, normalisePatch } from '../track/appearance.js'
import {
  alignedPicture,
  byQuality,
  embedded,
  isWorthTaking,
  newStretch,
  newWindow,
  type Candidate,
  type Look,
  type Picture,
  type Stretch,
  type Window,
} from './stretch.js'
import { pooledVector, spreadBest, unitVector, type TrackFace } from './track-face.js'
import { dotProduct } from '../data/vector-math.js'

export interface FollowedState {
  readonly stretch: Stretch
  /** Compared already, but a change that the next comparison shows may lie in it. */
  readonly before: Window
  /** Not compared yet. */
  readonly window: Window
  /** Patch of the last face, normalised. */
  readonly patch?: Float32Array | undefined
}

export interface FollowOptions {
  /** K: at least this many faces of a stretch are embedded, if it has them. */
  readonly facesPerTrack: number
  readonly keepsCrops: boolean
  /** Null if the embedding shows that this is not a face. */
  readonly embed: (candidate: Candidate) => Promise<TrackFace | null>
}

/** Time between two comparisons of a face with itself, s. */
const windowS = 1
const timeToleranceS = 1e-6

/**
 * From one sampled frame to the next, patches of one face correlate by 0.94 (median; 1 % below 0.44), patches of two
 * faces by 0.26 (5 % above 0.61). If the patch correlates less than this with the previous one or with the window's
 * first one, as in a dissolve, the window ends. So no window contains much of two people.
 */
const leastCorrelation = 0.6

/**
 * A face with a lower similarity to its stretch may belong to another person. A value that is too high costs a few
 * embeddings, because stretches of one person are joined again.
 */
const leastSimilarity = 0.5

/** Largest number of embedded faces that a long stretch keeps, spread over its time. */
const mostFaces = 64

/** A track that is still in view. */
export class FollowedFace {
  readonly #options: FollowOptions
  #stretch: Stretch
  #before: Window
  #window: Window
  #patch: Float32Array | undefined

  /** @param from the state of a track with the same options, to continue it */
  constructor(options: FollowOptions, from?: FollowedState) {
    this.#options = options
    this.#stretch = from?.stretch ?? newStretch()
    this.#before = from?.before ?? newWindow()
    this.#window = from?.window ?? newWindow()
    this.#patch = from?.patch
  }

  /**
   * Adds the track's face of a later frame.
   * @param appearance 16×16 grey values of the face's box
   * @param picture makes a picture of the face
   * @returns a stretch, if this face shows that it has ended
   */
  async add(
    candidate: Candidate,
    appearance: Float32Array,
    picture: () => RgbImage,
  ): Promise<Stretch | undefined> {
    const patch = normalisePatch(appearance)
    const startS = this.#window.looks[0]?.timeS ?? candidate.timeS
    const isFull = candidate.timeS - startS >= windowS - timeToleranceS
    const ended = isFull || this.#isJump(patch) ? await this.#compare() : undefined
    this.#patch = patch ?? this.#patch
    this.#window.patch ??= patch
    this.#window.looks.push({ ...candidate })
    const { timeS, sample } = candidate
    if (isWorthTaking(sample.quality, this.#window.picture))
      this.#window.picture = { timeS, quality: sample.quality, image: picture() }
    return ended
  }

  /** The stretches that the track ends with. Nothing can be added afterwards. */
  async finish(): Promise<Stretch[]> {
    const ended = await this.#compare()
    this.#keep(this.#before.looks, this.#before.picture)
    const stretches = ended === undefined ? [this.#stretch] : [ended, this.#stretch]
    for (const stretch of stretches) await this.#embedBest(stretch)
    return stretches
  }

  /** Store the state before the next frame, which changes it. */
  snapshot(): FollowedState {
    return { stretch: this.#stretch, before: this.#before, window: this.#window, patch: this.#patch }
  }

  #isJump(patch: Float32Array | undefined): boolean {
    return (
      patch !== undefined &&
      [this.#patch, this.#window.patch].some(
        (earlier) => earlier !== undefined && correlation(earlier, patch) < leastCorrelation,
      )
    )
  }

  /** Compares the best face of the last window with the earlier faces; then a new window begins. */
  async #compare(): Promise<Stretch | undefined> {
    const best = await this.#bestOf(this.#window)
    const known = [
      ...this.#stretch.faces.map(({ face }) => face),
      ...this.#before.looks.flatMap(({ face }) => face ?? []),
    ]
    const isAlike =
      best === undefined ||
      known.length === 0 ||
      dotProduct(unitVector(best), pooledVector(known)) >= leastSimilarity
    const ended = isAlike ? undefined : await this.#part(known, best)
    if (isAlike) {
      this.#keep(this.#before.looks, this.#before.picture)
      this.#before = this.#window
    }
    this.#window = newWindow()
    return ended
  }

  /** Embeds every face of both windows, and ends the stretch where the change between them is most likely. */
  async #part(known: readonly TrackFace[], other: TrackFace): Promise<Stretch> {
    const looks = [...this.#before.looks, ...this.#window.looks]
    for (const look of looks) await this.#embed(look)
    const [before, after] = [pooledVector(known), unitVector(other)]
    const faces = looks.flatMap(({ face }) => face ?? [])
    const change = likeliestChange(
      faces.map((face) => dotProduct(unitVector(face), before) - dotProduct(unitVector(face), after)),
    )
    const changeS = Math.min(faces[change]?.timeS ?? Infinity, other.timeS)
    const pictureOf = (isWanted: (timeS: number) => boolean) =>
      [this.#window.picture, this.#before.picture].find((one) => one !== undefined && isWanted(one.timeS))
    this.#keep(
      looks.filter(({ timeS }) => timeS < changeS),
      pictureOf((timeS) => timeS < changeS),
    )
    const ended = this.#stretch
    await this.#embedBest(ended)
    this.#stretch = newStretch()
    this.#before = {
      looks: looks.filter(({ timeS }) => timeS >= changeS),
      picture: pictureOf((timeS) => timeS >= changeS),
    }
    return ended
  }

  /** The best face of a window that really is a face; at most two are tried. */
  async #bestOf({ looks }: Window): Promise<TrackFace | undefined> {
    for (const look of [...looks].sort(byQuality).slice(0, 2)) {
      await this.#embed(look)
      if (look.face !== null) return look.face
    }
    return undefined
  }

  async #embed(look: Look): Promise<void> {
    if (look.face === undefined) look.face = await this.#options.embed(look)
  }

  /** Adds to the stretch the faces that can no longer belong to another person. */
  #keep(looks: readonly Look[], picture: Picture | undefined): void {
    const stretch = this.#stretch
    const { keepsCrops, facesPerTrack } = this.#options
    for (const { face, ...candidate } of looks) {
      stretch.timesS.push(candidate.timeS)
      if (face === undefined) stretch.candidates.push(candidate)
      else if (face !== null) stretch.faces.push(embedded(face, candidate, keepsCrops))
    }
    // The sort is stable: of equal faces, the earlier one stays in front.
    stretch.candidates.sort(byQuality).splice(facesPerTrack)
    if (stretch.faces.length > mostFaces)
      stretch.faces = spreadBest(stretch.faces, mostFaces / 2, ({ face }) => face.quality)
    const own = picture ?? (stretch.picture === undefined ? alignedPicture(looks) : undefined)
    if (own !== undefined && isWorthTaking(own.quality, stretch.picture)) stretch.picture = own
  }

  /** Embeds more faces of an ended stretch, until there are K. */
  async #embedBest(stretch: Stretch): Promise<void> {
    const { facesPerTrack, keepsCrops, embed } = this.#options
    for (const candidate of stretch.candidates.splice(0, Math.max(0, facesPerTrack - stretch.faces.length))) {
      const face = await embed(candidate)
      if (face !== null) stretch.faces.push(embedded(face, candidate, keepsCrops))
    }
    stretch.faces.sort((a, b) => a.face.timeS - b.face.timeS)
  }
}

/**
 * Finds where a series of faces changes from one person to another: the index of the later person's first face.
 * @param balances one per face, in order of time: its similarity to the earlier person minus its similarity to the
 * later one
 */
export function likeliestChange(balances: readonly number[]): number {
  let [best, bestSum, sum] = [0, 0, 0]
  for (const [index, balance] of balances.entries()) {
    sum += balance
    if (sum > bestSum) [best, bestSum] = [index + 1, sum]
  }
  return best
}
