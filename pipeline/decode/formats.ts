/**
 * Containers ffmpeg may open, by its demuxers' names: self-contained ones only. A playlist or a script
 * (hls, dash, concat, imf, sdp, avisynth, …) named `.mp4` would make ffmpeg open other files, and
 * `-protocol_whitelist` alone does not stop that; still images (`*_pipe`, image2) are photos, not clips.
 * ffmpeg recognises the format from the file's bytes first and compares with this list before it reads on.
 */
export const videoContainers = [
  'mov', // with its other names mp4, m4a, 3gp, 3g2, mj2
  'matroska', // and webm
  'mpegts',
  'mpeg',
  'mpegvideo',
  'h264',
  'hevc',
  'm4v',
  'h261',
  'h263',
  'vc1',
  'av1',
  'obu',
  'ivf',
  'avi',
  'flv',
  'live_flv',
  'asf',
  'ogg',
  'mxf',
  'nut',
  'rm',
  'dv',
  'dhav', // Dahua's surveillance recorders
  'gxf',
  'nsv',
  'wtv',
  'swf',
  'mjpeg',
  'yuv4mpegpipe',
] as const

/** Audio files by ffmpeg's names, so that a song is refused as a clip without video and not as "no video file". */
const audioContainers = new Set([
  ...['aac', 'ac3', 'adts', 'aiff', 'amr', 'ape', 'au', 'caf', 'dsf', 'dts', 'eac3', 'flac', 'loas', 'mp3'],
  ...['mpc', 'mpc8', 'mlp', 'tta', 'truehd', 'voc', 'w64', 'wav', 'wsaud', 'wv', 'xwma'],
])

export function isAudioContainer(demuxer: string): boolean {
  return audioContainers.has(demuxer)
}

/**
 * Brands of still images in an MP4-like file (HEIF, AVIF): ffmpeg's mov demuxer opens some as one-frame videos.
 * `avis`, `hevc` and `msf1` are image sequences, that is, videos.
 */
const stillImageBrands = new Set(['avif', 'heic', 'heix', 'heim', 'heis', 'mif1', 'miaf'])

export function isStillImageBrand(brand: string): boolean {
  return stillImageBrands.has(brand)
}

/**
 * Containers in which sampling by segments was shown to equal sampling in one pass (test/integration): they have
 * an index or regular timestamps to seek by. The others are decoded in one pass.
 */
const cuttableContainers = new Set(['mov', 'matroska', 'mpegts', 'avi'])

export function isCuttableContainer(container: string): boolean {
  return container.split(',').some((name) => cuttableContainers.has(name))
}

/**
 * Containers of which ffmpeg states when the clip ends on their own clock, not how long it is: the two differ where that
 * clock does not begin at 0 (test/integration). For mpegts and flv it states the length.
 */
const containersThatStateEnd = new Set(['matroska', 'mov', 'nut'])

export function statesEnd(container: string): boolean {
  return container.split(',').some((name) => containersThatStateEnd.has(name))
}

/**
 * Codecs whose decoders give the same key frames with `-skip_frame nokey` as without (test/integration). ffmpeg's
 * H.264 decoder does not: with open GOPs it gives three frames, in the wrong order, and then none; MPEG-4 in AVI and
 * MPEG-2 in program streams lose the frames' times.
 */
const skippingCodecs = new Set(['hevc', 'vp8', 'vp9'])

/** From here on decoding everything costs more than starting ffmpeg a second time. */
const worthSkippingS = 30

export function maySkipNonKey(codec: string, durationS: number | undefined): boolean {
  return skippingCodecs.has(codec) && durationS !== undefined && durationS >= worthSkippingS
}
