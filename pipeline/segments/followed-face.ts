/**
 * A guard behind the tracker. Motion and looks follow a face across a cut between two views of one backdrop, or through a
 * dissolve, into another person's face. So each track's face is compared with itself, by its embedding, once a second. Where
 * it is no longer like before, its stretch ends, and what follows is another stretch. Whether two stretches are of one person
 * is decided later, when all of both is known.
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
  /** Compared, but a change that the next comparison shows may lie in it. */
  readonly before: Window
  /** Not yet compared. */
  readonly window: Window
  /** Of the last face, normalised. */
  readonly patch?: Float32Array | undefined
}

export interface FollowOptions {
  /** K: of a stretch at least so many faces are embedded, where it has them. */
  readonly facesPerTrack: number
  readonly keepsCrops: boolean
  /** Null where the embedding says that this is no face. */
  readonly embed: (candidate: Candidate) => Promise<TrackFace | null>
}

/** A face is compared with itself this often, s. */
const windowS = 1
const timeToleranceS = 1e-6

/**
 * From one sampled frame to the next the patches of one face correlate by 0.94 (median; 1 % below 0.44), those of two by 0.26
 * (5 % above 0.61). Where a face is less than this like the one before or the window's first, which is how a dissolve shows, the
 * window ends: so no window holds much of two people.
 */
const leastCorrelation = 0.6

/**
 * A face that is less like its stretch than this may be another person's. Too high a value costs a few embeddings, for
 * stretches of one person are joined again.
 */
const leastSimilarity = 0.5

/** Of a long stretch so many embedded faces are kept at the most, spread over its time. */
const mostFaces = 64

/** A track in sight. */
export class FollowedFace {
  readonly #options: FollowOptions
  #stretch: Stretch
  #before: Window
  #window: Window
  #patch: Float32Array | undefined

  /** @param from of a track with the same options, which is gone on with */
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
   * @param picture takes its picture
   * @returns a stretch that this shows to be over
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

  /** The stretches that the track ends with. Nothing can be added any more. */
  async finish(): Promise<Stretch[]> {
    const ended = await this.#compare()
    this.#keep(this.#before.looks, this.#before.picture)
    const stretches = ended === undefined ? [this.#stretch] : [ended, this.#stretch]
    for (const stretch of stretches) await this.#embedBest(stretch)
    return stretches
  }

  /** To be written down before the next frame, which changes it. */
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

  /** Holds the best face of the last window against what was before; a new window then begins. */
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

  /** Looks at every face of both windows, and ends the stretch where the change between them is likeliest. */
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

  /** The best face of a window that is one; two are tried. */
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

  /** Adds to the stretch what cannot be another person's any more. */
  #keep(looks: readonly Look[], picture: Picture | undefined): void {
    const stretch = this.#stretch
    const { keepsCrops, facesPerTrack } = this.#options
    for (const { face, ...candidate } of looks) {
      stretch.timesS.push(candidate.timeS)
      if (face === undefined) stretch.candidates.push(candidate)
      else if (face !== null) stretch.faces.push(embedded(face, candidate, keepsCrops))
    }
    // Stable: of equal faces the earlier stays in front.
    stretch.candidates.sort(byQuality).splice(facesPerTrack)
    if (stretch.faces.length > mostFaces)
      stretch.faces = spreadBest(stretch.faces, mostFaces / 2, ({ face }) => face.quality)
    const own = picture ?? (stretch.picture === undefined ? alignedPicture(looks) : undefined)
    if (own !== undefined && isWorthTaking(own.quality, stretch.picture)) stretch.picture = own
  }

  /** Embeds further faces of a stretch that is over, until there are K. */
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
 * Where a row of faces changes from one person to another: the index of the first face that is the later one's.
 * @param balances of each face, in order of time: its likeness to the earlier person less that to the later one
 */
export function likeliestChange(balances: readonly number[]): number {
  let [best, bestSum, sum] = [0, 0, 0]
  for (const [index, balance] of balances.entries()) {
    sum += balance
    if (sum > bestSum) [best, bestSum] = [index + 1, sum]
  }
  return best
}
