/** Formats of films, broadcasts, single-codec streams, camera recorders and animated pictures that are in use today. */
const commonContainers = [
  'mov matroska mpegts mpeg avi flv live_flv kux asf asf_o ogg nut rm ivr nsv swf wtv ty',
  'mxf gxf lxf dv dnxhd r3d cine simbiosis_imx lmlm4 pva nuv ser',
  'mpegvideo h261 h263 h264 hevc vvc evc m4v vc1 vc1test av1 obu ivf dirac cavsvideo avs2 avs3 ipu',
  'mjpeg mjpeg_2000 mpjpeg ingenient smjpeg yuv4mpegpipe',
  'dhav ifv iv8 luodat lvf mxg nc msnwctcp sdr2',
  'gif apng iff',
].flatMap((names) => names.split(' '))

/** Formats of animations, consoles and films inside games. */
const legacyContainers = [
  'filmstrip flic anm cdxl dfa mm mv rpl cdg mtv pmp psxstr thp xmv mods moflex mgsts usm vivo vividas',
  '4xm argo_brp avs bethsoftvid bfi bink bmv c93 dsicin dxa ea film_cpk gdv hnm idcin ipmovie jv mvi paf rl2 roq sga',
  'siff smk smush tiertexseq tmv vmd wc3movie wsvqa yop',
].flatMap((names) => names.split(' '))

/**
 * Containers that ffmpeg may open, by the names of their demuxers: all that hold moving pictures and need no other
 * file. A playlist or a script (hls, dash, concat, imf, sdp, avisynth, …) named `.mp4` would make ffmpeg open other
 * files, and so would formats that continue in other files (mlv, vobsub, image2); `-protocol_whitelist` alone does not
 * stop that. Still images (`*_pipe`, ico, fits, …) are photos, not clips. Text drawn as video (tty, bin, …) is neither.
 * Raw pixels lack their size. ffmpeg recognises the format from the file's first bytes and compares it with this list
 * before it reads on.
 */
export const videoContainers: readonly string[] = [...commonContainers, ...legacyContainers]

/** For these containers, ffmpeg's demuxers may report "Input/output error" at the normal end of a file. */
export function mayEndInIoError(container: string | undefined): boolean {
  return container !== undefined && legacyContainers.includes(container)
}

/** ffmpeg's names of audio files: a song is refused as a clip without video, not as "not a video file". */
const audioContainers = new Set([
  ...['aac', 'ac3', 'adts', 'aiff', 'amr', 'ape', 'au', 'caf', 'dsf', 'dts', 'eac3', 'flac', 'loas', 'mp3'],
  ...['mpc', 'mpc8', 'mlp', 'tta', 'truehd', 'voc', 'w64', 'wav', 'wsaud', 'wv', 'xwma'],
])

export function isAudioContainer(demuxer: string): boolean {
  return audioContainers.has(demuxer)
}

/**
 * Brands of still images in an MP4-like file (HEIF, AVIF). ffmpeg's mov demuxer opens some of them as one-frame videos.
 */
const stillImageBrands = new Set(['avif', 'heic', 'heix', 'heim', 'heis', 'mif1', 'miaf'])

/**
 * Brands of image sequences in such a file, which are videos. The file may also hold a still image (ISO/IEC 23008-12,
 * annex B; AV1-ISOBMFF).
 */
const sequenceBrands = new Set(['avis', 'hevc', 'hevx', 'hevm', 'hevs', 'msf1'])

/** @param brands the major one first */
export function isStillImage(brands: readonly string[]): boolean {
  const [major] = brands
  return (
    major !== undefined && stillImageBrands.has(major) && !brands.some((brand) => sequenceBrands.has(brand))
  )
}

/**
 * Containers for which the tests show that sampling in segments equals sampling in one pass (test/integration): they
 * have an index or regular timestamps to seek by. Other containers are decoded in one pass.
 */
const cuttableContainers = new Set(['mov', 'matroska', 'mpegts', 'avi'])

export function isCuttableContainer(container: string): boolean {
  return container.split(',').some((name) => cuttableContainers.has(name))
}

/**
 * Containers with clocks that may jump. ffmpeg repairs the jumps if it reads from the beginning, but not after a seek.
 */
const mendedContainers = new Set(['mpegts'])

export function hasMendedClock(container: string): boolean {
  return mendedContainers.has(container)
}

/**
 * Containers for which ffmpeg states the time at which the clip ends on its own clock, not the clip's length. The two
 * differ if that clock does not begin at 0 (test/integration). For mpegts and flv, ffmpeg states the length.
 */
const containersThatStateEnd = new Set(['matroska', 'mov', 'nut'])

export function statesEnd(container: string): boolean {
  return container.split(',').some((name) => containersThatStateEnd.has(name))
}

/**
 * ffmpeg 5.1 returns the frames of raw MPEG one frame late, from the first frame on or after a gap among the first few;
 * 7.0 returns them correctly. (In a telecined film, a frame may follow after 1.5 frame times.)
 */
const isLate = 'eq(N,0)*between(PTS*TB*FRAME_RATE,0.5,1.5)+lte(N,8)*gte((PTS-PREV_INPTS)*TB*FRAME_RATE,1.9)'

/**
 * Corrected frame times, as setpts expressions, for raw streams with demuxers that return wrong times: MPEG frames may
 * be one frame late, and Dirac frames are one tick apart.
 */
const retimings: Readonly<Record<string, string>> = {
  mpegvideo: `st(0,max(ld(0),${isLate}));max(0,PTS-ld(0)/(FRAME_RATE*TB))`,
  dirac: 'N/(FRAME_RATE*TB)',
}

export function retimingOf(container: string | undefined): string | undefined {
  return container === undefined ? undefined : retimings[container]
}

/**
 * Codecs with decoders that return the same key frames with `-skip_frame nokey` as without it (test/integration).
 * ffmpeg's H.264 decoder does not: with open GOPs it returns three frames in the wrong order and then none. MPEG-4 in
 * AVI and MPEG-2 in program streams lose the frames' times.
 */
const skippingCodecs = new Set(['hevc', 'vp8', 'vp9'])

/** For clips of at least this length, decoding everything costs more than starting ffmpeg a second time. */
const worthSkippingS = 30

export function maySkipNonKey(codec: string, durationS: number | undefined): boolean {
  return skippingCodecs.has(codec) && durationS !== undefined && durationS >= worthSkippingS
}
