/** What is filmed or kept today: films, broadcasts, streams of one codec, recorders of cameras, animated pictures. */
const commonContainers = [
  'mov matroska mpegts mpeg avi flv live_flv kux asf asf_o ogg nut rm ivr nsv swf wtv ty',
  'mxf gxf lxf dv dnxhd r3d cine simbiosis_imx lmlm4 pva nuv ser',
  'mpegvideo h261 h263 h264 hevc vvc evc m4v vc1 vc1test av1 obu ivf dirac cavsvideo avs2 avs3 ipu',
  'mjpeg mjpeg_2000 mpjpeg ingenient smjpeg yuv4mpegpipe',
  'dhav ifv iv8 luodat lvf mxg nc msnwctcp sdr2',
  'gif apng iff',
].flatMap((names) => names.split(' '))

/** Animations, consoles and films inside games. */
const legacyContainers = [
  'filmstrip flic anm cdxl dfa mm mv rpl cdg mtv pmp psxstr thp xmv mods moflex mgsts usm vivo vividas',
  '4xm argo_brp avs bethsoftvid bfi bink bmv c93 dsicin dxa ea film_cpk gdv hnm idcin ipmovie jv mvi paf rl2 roq sga',
  'siff smk smush tiertexseq tmv vmd wc3movie wsvqa yop',
].flatMap((names) => names.split(' '))

/**
 * Containers ffmpeg may open, by its demuxers' names: all that hold moving pictures and stand by themselves. A playlist or a
 * script (hls, dash, concat, imf, sdp, avisynth, …) named `.mp4` would make ffmpeg open other files, and so would what
 * goes on in files beside it (mlv, vobsub, image2); `-protocol_whitelist` alone does not stop that. Still images (`*_pipe`,
 * ico, fits, …) are photos, not clips; text drawn as video (tty, bin, …) is neither; raw pixels lack their size. ffmpeg
 * recognises the format from the file's bytes first and compares with this list before it reads on.
 */
export const videoContainers: readonly string[] = [...commonContainers, ...legacyContainers]

/** Of these, ffmpeg's demuxers may say "Input/output error" where the file simply ends. */
export function mayEndInIoError(container: string | undefined): boolean {
  return container !== undefined && legacyContainers.includes(container)
}

/** Audio files by ffmpeg's names, so that a song is refused as a clip without video and not as "no video file". */
const audioContainers = new Set([
  ...['aac', 'ac3', 'adts', 'aiff', 'amr', 'ape', 'au', 'caf', 'dsf', 'dts', 'eac3', 'flac', 'loas', 'mp3'],
  ...['mpc', 'mpc8', 'mlp', 'tta', 'truehd', 'voc', 'w64', 'wav', 'wsaud', 'wv', 'xwma'],
])

export function isAudioContainer(demuxer: string): boolean {
  return audioContainers.has(demuxer)
}

/** Brands of still images in an MP4-like file (HEIF, AVIF): ffmpeg's mov demuxer opens some as one-frame videos. */
const stillImageBrands = new Set(['avif', 'heic', 'heix', 'heim', 'heis', 'mif1', 'miaf'])

/** Brands of image sequences in such a file, that is, of videos; it may hold a still image beside (ISO/IEC 23008-12, annex B; AV1-ISOBMFF). */
const sequenceBrands = new Set(['avis', 'hevc', 'hevx', 'hevm', 'hevs', 'msf1'])

/** @param brands the major one first */
export function isStillImage(brands: readonly string[]): boolean {
  const [major] = brands
  return (
    major !== undefined && stillImageBrands.has(major) && !brands.some((brand) => sequenceBrands.has(brand))
  )
}

/**
 * Containers in which sampling by segments was shown to equal sampling in one pass (test/integration): they have
 * an index or regular timestamps to seek by. The others are decoded in one pass.
 */
const cuttableContainers = new Set(['mov', 'matroska', 'mpegts', 'avi'])

export function isCuttableContainer(container: string): boolean {
  return container.split(',').some((name) => cuttableContainers.has(name))
}

/** Containers whose clock may jump; where ffmpeg reads them from the beginning it mends that, after a seek it does not. */
const mendedContainers = new Set(['mpegts'])

export function hasMendedClock(container: string): boolean {
  return mendedContainers.has(container)
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
 * ffmpeg 5.1 gives the frames of raw MPEG one frame late, from the first one or after a gap among the first few; 7.0 gives
 * them right. (In a telecined film a frame follows after 1.5.)
 */
const isLate = 'eq(N,0)*between(PTS*TB*FRAME_RATE,0.5,1.5)+lte(N,8)*gte((PTS-PREV_INPTS)*TB*FRAME_RATE,1.9)'

/**
 * The times of frames, as setpts takes them, in raw streams whose demuxers give wrong ones: those of MPEG may be one frame late,
 * those of Dirac follow each other by a tick.
 */
const retimings: Readonly<Record<string, string>> = {
  mpegvideo: `st(0,max(ld(0),${isLate}));max(0,PTS-ld(0)/(FRAME_RATE*TB))`,
  dirac: 'N/(FRAME_RATE*TB)',
}

export function retimingOf(container: string | undefined): string | undefined {
  return container === undefined ? undefined : retimings[container]
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
