import type { MediaFacts } from '../../../pipeline/decode/media-facts.js'

/** How a browser gets to see a file. */
export type Playing =
  | { readonly kind: 'direct'; readonly mime: string }
  /** @param copiesVideo the video is put into another container; else it is encoded again. @param reason a sentence */
  | { readonly kind: 'stream'; readonly copiesVideo: boolean; readonly reason: string }

interface Playable {
  readonly mime: string
  readonly video: readonly string[]
  readonly audio: readonly string[]
}

/** What today's browsers play, by container; names as ffmpeg has them. */
const playable: Readonly<Partial<Record<MediaFacts['container'], Playable>>> = {
  mp4: { mime: 'video/mp4', video: ['h264', 'vp9', 'av1'], audio: ['aac', 'mp3', 'opus'] },
  webm: { mime: 'video/webm', video: ['vp8', 'vp9', 'av1'], audio: ['opus', 'vorbis'] },
  // Theora is played by hardly any browser any more.
  ogg: { mime: 'video/ogg', video: ['vp8'], audio: ['opus', 'vorbis'] },
}

/** 8 bits, and half of the colours each way: others are not decoded by browsers, or only in some codecs. */
const usualPixels = ['yuv420p', 'yuvj420p']
const widePixels: Readonly<Record<string, readonly string[]>> = { vp9: ['yuv420p10le'], av1: ['yuv420p10le'] }

/** Containers whose packets have times that MP4 can take over, and in which ffmpeg goes to a key frame. */
const copied: readonly MediaFacts['container'][] = ['mp4', 'quicktime', 'matroska', 'flv']

/** Decides how a browser gets to see a file. */
export function playingOf({ container, videoCodec, pixelFormat, audioCodec }: MediaFacts): Playing {
  const known = playable[container]
  const pixels = [...usualPixels, ...(widePixels[videoCodec] ?? [])]
  const hasPixels = pixelFormat !== undefined && pixels.includes(pixelFormat)
  const hasVideo = known?.video.includes(videoCodec) === true && hasPixels
  const hasAudio = audioCodec === undefined || known?.audio.includes(audioCodec) === true
  if (known !== undefined && hasVideo && hasAudio) return { kind: 'direct', mime: known.mime }
  const copiesVideo = videoCodec === 'h264' && hasPixels && copied.includes(container)
  return {
    kind: 'stream',
    copiesVideo,
    reason: reasonOf({ container, videoCodec, pixelFormat, audioCodec }, hasVideo),
  }
}

function reasonOf(facts: Omit<MediaFacts, 'durationS'>, hasVideo: boolean): string {
  const { container, videoCodec, pixelFormat = 'unknown', audioCodec = 'none' } = facts
  if (playable[container] === undefined)
    return `browsers do not play this kind of file (${container}, ${videoCodec})`
  return hasVideo
    ? `browsers do not play the sound of this file (${audioCodec})`
    : `browsers do not play the video of this file (${videoCodec}, ${pixelFormat})`
}
