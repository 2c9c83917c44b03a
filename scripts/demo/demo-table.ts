import { boxArea, intersectionArea, type BoxXyxyPx } from '../../pipeline/data/geometry.js'
import { faces, photos, type DemoFace, type FaceName, type PhotoName } from './demo-photos.js'

export const clipSize = { widthPx: 854, heightPx: 480 } as const
export const clipFps = 20

/** What the camera shows: as much of the photo as fits, or the area around some faces. */
type View = 'wide' | { readonly faces: readonly [FaceName, ...FaceName[]]; readonly air: number }

/** A camera move over one photo. */
export interface Shot {
  readonly photo: PhotoName
  readonly from: View
  readonly to: View
  readonly seconds: number
}

export type Condition = 'plain' | 'dim' | 'blurred' | 'grainy' | 'grey' | 'mirrored' | 'coarse' | 'flicker'

export interface DemoClip {
  /** File name without its extension. It describes the clip. */
  readonly name: string
  readonly condition: Condition
  /** Joined by hard cuts. */
  readonly shots: readonly Shot[]
}

/** The woman to search for. She is in two photos, in different light: also `bar middle`. */
export const wanted = 'costumes right' satisfies FaceName

const shot = (photo: PhotoName, from: View, to: View, seconds: number): Shot => ({ photo, from, to, seconds })

/** One or several faces, with room around them. */
const on = (...names: [FaceName, ...FaceName[]]): View => ({ faces: names, air: 2.2 })
/** As `on`, but closer, so that a neighbour stays out of the picture. */
const near = (...names: [FaceName, ...FaceName[]]): View => ({ faces: names, air: 1.5 })
const close = (...names: [FaceName, ...FaceName[]]): View => ({ faces: names, air: 1.25 })

export const demoClips: readonly DemoClip[] = [
  {
    name: 'bar-pan-plain',
    condition: 'plain',
    shots: [shot('bar', near('bar left'), on('bar right'), 5)],
  },
  {
    name: 'bar-zoom-in-dim',
    condition: 'dim',
    shots: [shot('bar', 'wide', on('bar middle', 'bar right'), 3.5)],
  },
  {
    name: 'bar-left-only-grainy',
    condition: 'grainy',
    shots: [shot('bar', close('bar left'), near('bar left'), 3.5)],
  },
  {
    name: 'costumes-zoom-out-plain',
    condition: 'plain',
    shots: [shot('costumes', on('costumes right'), 'wide', 3.5)],
  },
  {
    name: 'costumes-pan-blurred',
    condition: 'blurred',
    shots: [shot('costumes', on('costumes left'), on('costumes right'), 5)],
  },
  {
    name: 'costumes-left-and-middle-grey',
    condition: 'grey',
    shots: [shot('costumes', on('costumes left'), near('costumes left', 'costumes middle'), 3.5)],
  },
  {
    name: 'cuts-bar-stairs-window-flicker',
    condition: 'flicker',
    shots: [
      shot('bar', 'wide', 'wide', 1.5),
      shot('stairs', 'wide', 'wide', 1.5),
      shot('window', 'wide', 'wide', 1.5),
    ],
  },
  {
    name: 'cuts-sofa-party-costumes-mirrored',
    condition: 'mirrored',
    shots: [
      shot('sofa', 'wide', 'wide', 1.5),
      shot('party', 'wide', 'wide', 1.5),
      shot('costumes', 'wide', 'wide', 1.5),
    ],
  },
  {
    name: 'cuts-party-stairs-sofa-grey',
    condition: 'grey',
    shots: [
      shot('party', 'wide', 'wide', 1.5),
      shot('stairs', 'wide', 'wide', 1.5),
      shot('sofa', 'wide', 'wide', 1.5),
    ],
  },
  {
    name: 'sofa-pan-plain',
    condition: 'plain',
    shots: [shot('sofa', on('sofa left'), on('sofa right'), 5)],
  },
  {
    name: 'party-pan-dim',
    condition: 'dim',
    shots: [shot('party', on('party fourth'), on('party first'), 5)],
  },
  {
    name: 'stairs-zoom-in-grainy',
    condition: 'grainy',
    shots: [shot('stairs', 'wide', on('stairs middle', 'stairs top', 'stairs left'), 3.5)],
  },
  {
    name: 'window-pan-blurred',
    condition: 'blurred',
    shots: [shot('window', on('window first'), on('window fourth'), 5)],
  },
  {
    name: 'window-zoom-out-coarse',
    condition: 'coarse',
    shots: [shot('window', on('window second', 'window third'), 'wide', 3.5)],
  },
]

export const frameCount = ({ seconds }: Shot): number => Math.round(seconds * clipFps)

/** The part of the photo that a view shows. It has the clip's aspect ratio and lies inside the photo. */
export function viewBox(photo: PhotoName, view: View): BoxXyxyPx {
  const { widthPx, heightPx } = photos[photo]
  const aspect = clipSize.widthPx / clipSize.heightPx
  const names = view === 'wide' ? facesOf(photo) : view.faces
  const around = unionOf(names.map((name) => faces[name].boxXyxyPx))
  const width =
    view === 'wide' ? widthPx : Math.max(around[2] - around[0], (around[3] - around[1]) * aspect) * view.air
  const shownWidth = Math.min(width, widthPx, heightPx * aspect)
  const shownHeight = shownWidth / aspect
  const left = clamp((around[0] + around[2] - shownWidth) / 2, widthPx - shownWidth)
  const top = clamp((around[1] + around[3] - shownHeight) / 2, heightPx - shownHeight)
  return [left, top, left + shownWidth, top + shownHeight]
}

const clamp = (value: number, high: number) => Math.max(0, Math.min(high, value))

function unionOf(boxes: readonly BoxXyxyPx[]): BoxXyxyPx {
  const edge = (of: (...values: number[]) => number, side: 0 | 1 | 2 | 3) =>
    of(...boxes.map((box) => box[side]))
  return [edge(Math.min, 0), edge(Math.min, 1), edge(Math.max, 2), edge(Math.max, 3)]
}

export const faceNames = Object.keys(faces) as FaceName[]

const facesOf = (photo: PhotoName) => faceNames.filter((name) => faces[name].photo === photo)

export function personOf(name: FaceName): string {
  const face: DemoFace = faces[name]
  return face.sameAs ?? name
}

/** Progress of a camera move, 0..1, at a share of its time. It starts and ends slowly. */
export const eased = (share: number): number => share * share * (3 - 2 * share)

export interface Appearance {
  /** Times at which most of the person's face is in the picture, large enough to be found. */
  readonly rangesS: readonly (readonly [startS: number, endS: number])[]
  /** True if at least a part of the person's face is in the picture at some time. */
  readonly glimpsed: boolean
}

/** Cameo's default --min-face. */
const smallestFacePx = 40

/** A face with a quarter outside the picture still shows its eyes, nose and mouth, or nearly all of them. */
const shownShare = 0.75

/**
 * Where a clip shows a person. It follows only from the camera moves and the places of the faces in the
 * photos, so it can be used to check Cameo's answers.
 */
export function appearanceOf(person: string, { shots }: DemoClip): Appearance {
  const rangesS: [number, number][] = []
  let glimpsed = false
  let startS = 0
  for (const { photo, from, to, ...rest } of shots) {
    const count = frameCount({ photo, from, to, ...rest })
    const own = facesOf(photo).filter((name) => personOf(name) === person)
    const first = viewBox(photo, from)
    const last = viewBox(photo, to)
    for (let frame = 0; frame < count; frame++) {
      const view = between(first, last, eased(frame / (count - 1)))
      const scale = clipSize.widthPx / (view[2] - view[0])
      const timeS = startS + frame / clipFps
      for (const name of own) {
        const box: BoxXyxyPx = faces[name].boxXyxyPx
        const seen = intersectionArea(box, view) / boxArea(box)
        glimpsed ||= seen > 0
        if (seen >= shownShare && (box[3] - box[1]) * scale >= smallestFacePx) extend(rangesS, timeS)
      }
    }
    startS += count / clipFps
  }
  return { rangesS, glimpsed }
}

function between(a: BoxXyxyPx, b: BoxXyxyPx, share: number): BoxXyxyPx {
  const mix = (side: 0 | 1 | 2 | 3) => a[side] + (b[side] - a[side]) * share
  return [mix(0), mix(1), mix(2), mix(3)]
}

/** Adds one frame to the ranges. Consecutive frames form one range. */
function extend(rangesS: [number, number][], timeS: number): void {
  const last = rangesS.at(-1)
  if (last !== undefined && timeS < last[1] + 0.5 / clipFps) last[1] = timeS + 1 / clipFps
  else rangesS.push([timeS, timeS + 1 / clipFps])
}
