/** A film's plan as ffmpeg's arguments. */
import { framesPerS, type Film, type Join, type Shot, type Take } from './plan.js'

export interface FrameSize {
  readonly widthPx: number
  readonly heightPx: number
}

/** Inputs and filter graph. The mapped stream holds the film's pictures. */
export function filmArguments({ shots, backdropColour }: Film, size: FrameSize): string[] {
  const inputs = shots.flatMap(({ takes }) => takes.flatMap(({ input }) => input))
  const graph: string[] = []
  let firstInput = 0
  let joined = 'v0'
  for (const [number, shot] of shots.entries()) {
    graph.push(...shotFilters(shot, { number, firstInput, size, backdropColour }))
    firstInput += shot.takes.length
    if (number === 0) continue
    graph.push(`[${joined}][v${number}]${joinFilter(shot)},settb=1/${framesPerS}[j${number}]`)
    joined = `j${number}`
  }
  return [...inputs, '-filter_complex', graph.join(';'), '-map', `[${joined}]`]
}

const transitions: Readonly<Record<Exclude<Join, 'cut'>, string>> = {
  dissolve: 'fade',
  fadeblack: 'fadeblack',
  wipeleft: 'wipeleft',
}

const joinFilter = ({ join, overS, startS }: Shot) =>
  join === 'cut'
    ? 'concat=n=2:v=1:a=0'
    : `xfade=transition=${transitions[join]}:duration=${overS}:offset=${startS.toFixed(3)}`

interface ShotPlace {
  /** Number of the shot, and of the input of its first take. */
  readonly number: number
  readonly firstInput: number
  readonly size: FrameSize
  readonly backdropColour: string
}

/** The filters that produce [v<number>]. */
function shotFilters({ place, takes, lengthS }: Shot, at: ShotPlace): string[] {
  const { number, firstInput, size, backdropColour } = at
  const [take, other] = takes
  const filters = (of: Take, input: number, fit: string, out: string) => {
    const motion = of.motion === undefined ? '' : `${of.motion},`
    const even = `fps=${framesPerS},setsar=1,format=yuv420p,settb=1/${framesPerS}`
    const cut = `tpad=stop_mode=clone:stop_duration=5,trim=duration=${lengthS},setpts=PTS-STARTPTS`
    return `[${input}:v]${motion}${fit},${even},${cut}[${out}]`
  }
  const full = (of: Take, input: number) => (of.isWide ? covering(size) : beforeItself(size, input))
  const alone = (fit: string) => [filters(take, firstInput, fit, `v${number}`)]
  const withOther = (fit: string, otherFit: string, both: string) =>
    other === undefined
      ? alone(full(take, firstInput))
      : [
          filters(take, firstInput, fit, `a${number}`),
          filters(other, firstInput + 1, otherFit, `b${number}`),
          `[a${number}][b${number}]${both},settb=1/${framesPerS}[v${number}]`,
        ]
  switch (place) {
    case 'full':
      return alone(full(take, firstInput))
    case 'boxed':
      return alone(padded(size, 'black'))
    case 'backdrop':
      return alone(padded(size, backdropColour))
    case 'split':
      return withOther(halfOf(size), halfOf(size), 'hstack')
    case 'inset':
      return withOther(full(take, firstInput), quarterOf(size), 'overlay=W-w-12:H-h-12')
  }
}

const covering = ({ widthPx, heightPx }: FrameSize) =>
  `scale=${widthPx}:${heightPx}:force_original_aspect_ratio=increase,crop=${widthPx}:${heightPx}`

const within = ({ widthPx, heightPx }: FrameSize) =>
  `scale=${widthPx}:${heightPx}:force_original_aspect_ratio=decrease`

const padded = (size: FrameSize, colour: string) =>
  `${within(size)},pad=${size.widthPx}:${size.heightPx}:(ow-iw)/2:(oh-ih)/2:${colour}`

/** In front of a blurred copy of itself, so that no face is cut off. */
const beforeItself = (size: FrameSize, input: number) =>
  `split[x${input}][y${input}];[x${input}]${covering(size)},boxblur=24[z${input}];` +
  `[y${input}]${within(size)}[w${input}];[z${input}][w${input}]overlay=(W-w)/2:(H-h)/2`

/** Heads are above the middle, so more is cut off at the bottom. */
const halfOf = ({ widthPx, heightPx }: FrameSize) =>
  `scale=${widthPx / 2}:${heightPx}:force_original_aspect_ratio=increase,` +
  `crop=${widthPx / 2}:${heightPx}:(iw-ow)/2:(ih-oh)*0.25`

const quarterOf = ({ widthPx, heightPx }: FrameSize) =>
  within({ widthPx: Math.round(widthPx / 4) * 2, heightPx: Math.round(heightPx / 4) * 2 })
