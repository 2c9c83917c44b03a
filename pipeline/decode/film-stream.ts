import { displaySize } from './image-sizes.js'
import type { StreamInfo } from './stream-info.js'

/** What the packets of a video stream say about it. */
export interface StreamExtent {
  readonly pictures: number
  /** End of its last picture on the clip's clock. */
  readonly lengthS: number
}

export interface FilmChoice {
  readonly stream: number
  /** A sentence for each further video stream. */
  readonly leftOut: readonly string[]
}

/**
 * A stream with less than this share of another's pixels is a preview of it: a quarter of the width and of the height.
 */
const previewArea = 1 / 16

/** A stream with less than this share of another's length is a preview or a trailer. */
const previewLength = 1 / 10

/** Streams of nearly the same extent count as equal: the first of them is chosen. */
const alike = 1.1

/** Streams that may be the film, by number: no covers, and no codec that ffmpeg does not know. */
export function filmCandidates(streams: readonly StreamInfo[]): StreamInfo[] {
  return streams
    .filter(
      ({ type, isCover, codec }) => type === 'Video' && !isCover && codec !== 'none' && codec !== 'unknown',
    )
    .sort((a, b) => a.index - b.index)
}

/** The stream that is decoded: the chosen one if there was a choice. */
export function filmOf(streams: readonly StreamInfo[], chosen: number | undefined): StreamInfo | undefined {
  const candidates = filmCandidates(streams)
  return chosen === undefined ? candidates[0] : candidates.find(({ index }) => index === chosen)
}

/**
 * Chooses the film among several video streams: the stream that is flagged as default, unless it is a still image or a
 * preview of another; otherwise the stream with the most pixels and seconds.
 * @param extents of the candidates, by stream number
 */
export function chooseFilm(
  candidates: readonly StreamInfo[],
  extents: ReadonlyMap<number, StreamExtent>,
): FilmChoice | undefined {
  const streams = candidates.map((stream) => {
    const { width, height } = displaySize(stream.size ?? { width: 1, height: 1 }, stream.sampleAspectRatio)
    const { pictures, lengthS } = extents.get(stream.index) ?? { pictures: 0, lengthS: 0 }
    return { ...{ stream, area: width * height, pictures, lengthS }, extent: width * height * lengthS }
  })
  const moving = orAll(streams, ({ pictures }) => pictures > 1)
  const largest = Math.max(...moving.map(({ area }) => area))
  const longest = Math.max(...moving.map(({ lengthS }) => lengthS))
  const full = orAll(
    moving,
    ({ area, lengthS }) => area >= largest * previewArea && lengthS >= longest * previewLength,
  )
  const preferred = orAll(full, ({ stream }) => stream.isDefault)
  const [first, ...others] = preferred
  if (first === undefined) return undefined
  const film = others.reduce(
    (best, other) => (other.extent > best.extent * alike ? other : best),
    first,
  ).stream
  return {
    stream: film.index,
    leftOut: streams
      .filter(({ stream }) => stream !== film)
      .map(
        ({ stream, pictures }) =>
          `video ${named(stream)}${pictures === 1 ? ', one picture,' : ''} was not processed: ${named(film)} was chosen as the film`,
      ),
  }
}

function orAll<T>(items: readonly T[], isRight: (item: T) => boolean): readonly T[] {
  const right = items.filter(isRight)
  return right.length > 0 ? right : items
}

function named({ index, codec, size }: StreamInfo): string {
  return `stream ${index} (${codec}${size === undefined ? '' : `, ${size.width}×${size.height}`})`
}
