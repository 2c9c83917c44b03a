import { leastJumpS, type MpegClock } from './clock.js'
import { videoContainers } from './formats.js'
import type { DetectionRule, FrameSizes, SizePx } from './image-sizes.js'
import { maxSourceAreaPx, sharesFullImage, sizeExpressions } from './image-sizes.js'
import type { Sampling, TimeRange } from './sampling.js'
import { selectExpressions } from './sampling.js'

/**
 * Names of the showinfo filters in ffmpeg's log: every decoded frame, to look for damage; frames that passed the first
 * selection; frames that are output.
 */
export const decodedFilter = 'showinfo@decoded'
export const seenFilter = 'showinfo@seen'
export const shownFilter = 'showinfo@shown'

/** Image sizes either follow the source by expressions (ffmpeg starts before the source is known) or are given. */
export type GraphSizes =
  | { readonly kind: 'fromSource'; readonly rule: DetectionRule }
  /** `source`: the displayed size that `sizes` were computed from. */
  | { readonly kind: 'fixed'; readonly sizes: FrameSizes; readonly source: SizePx }

export interface DecodePlan {
  readonly sampling: Sampling
  readonly range: TimeRange
  /** Where to start reading; undefined means the clip's beginning. */
  readonly seekToS: number | undefined
  /** Let the decoder skip everything except key frames: see `maySkipNonKey`. */
  readonly skipNonKey: boolean
  readonly sizes: GraphSizes
  /** The setpts expression that corrects the frames' times if the container's are wrong: see `retimingOf`. */
  readonly retiming?: string | undefined
  /** The demuxer, if ffmpeg would choose a wrong one: see `demuxerFor`. */
  readonly demuxer?: string | undefined
  /** The film among several video streams: see `chooseFilm`. */
  readonly stream?: number | undefined
  /**
   * How all frames are turned, if the film's key frames state a rotation and its container does not. Degrees,
   * counter-clockwise.
   */
  readonly turnDegrees?: number | undefined
  /** Of an MPEG stream. If the clock is steady, its steps ahead over damage are trusted. */
  readonly clock?: MpegClock | undefined
  /** Every decoded frame is logged, so that missing frames can be found: see `DamageLog`. */
  readonly logsAllFrames?: boolean | undefined
}

/**
 * A path as ffmpeg opens it. Without the prefix, ffmpeg would read `a:b.mp4` as a protocol and `-x.mp4` as an option.
 */
export function inputUrl(path: string): string {
  return `file:${path}`
}

/** Options that every ffmpeg run on a clip has: no other files, no keyboard, every log line with its level. */
export const commonInputOptions = (demuxer: string | undefined): readonly string[] => [
  ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info'],
  ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', videoContainers.join(',')],
  ...(demuxer === undefined ? [] : ['-f', demuxer]),
]

export function inputOptions(plan: DecodePlan): string[] {
  const options = [...commonInputOptions(plan.demuxer)]
  // One thread: clips and segments are decoded in parallel, and frame threads would each hold frames.
  options.push('-threads', '1', '-filter_complex_threads', '1')
  // However damaged a clip is, decode the parts that are not damaged.
  options.push('-max_error_rate', '1')
  // The decoder refuses larger frames before it allocates memory. The slack is for padding to whole blocks.
  options.push('-max_pixels', String(maxSourceAreaPx + 8192 * 256))
  if (plan.skipNonKey) options.push('-skip_frame', 'nokey')
  // Otherwise ffmpeg would turn only the key frames and rebuild its filters for each, which loses frames.
  if (plan.turnDegrees !== undefined) options.push('-noautorotate', '-reinit_filter', '0')
  if (plan.clock?.isSteady === true)
    options.push('-dts_delta_threshold', String(Math.max(leastJumpS, plan.clock.spanS)))
  // -copyts keeps the file's clock for any seek. Without a seek, ffmpeg also repairs jumps of that clock.
  if (plan.seekToS !== undefined) {
    options.push('-copyts', '-start_at_zero', '-noaccurate_seek', '-ss', plan.seekToS.toFixed(6))
  }
  return options
}

/**
 * Passthrough writes every frame of the graph once; the default would repeat and drop frames to reach a constant rate.
 * The clip's own metadata is not copied to the output's dump, so that after the first frame no text of the clip can
 * look like a showinfo line.
 */
export const outputOptions: readonly string[] = [
  ...['-map', '[out]', '-an', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1'],
  ...['-fps_mode', 'passthrough', '-f', 'rawvideo'],
]

/**
 * The filter graph: it chooses frames first, so that only chosen frames cost pixel work, and then makes the two images
 * of a frame, the detection image below the full one, in one raw RGB frame:
 *
 *     full       W × H
 *     detection  w × h, at the left; the rest of its rows is padding
 */
export function filterGraph(plan: DecodePlan): string {
  const select = selectExpressions(plan.sampling, plan.range)
  const choose = [
    ...(plan.retiming === undefined ? [] : [`setpts='${plan.retiming}'`]),
    ...(plan.logsAllFrames === true ? [`${decodedFilter}=checksum=0`] : []),
    // Makes ffmpeg stop by itself; select decides the exact end.
    ...(plan.range.endS === Infinity ? [] : [`trim=end=${plan.range.endS + 1}`]),
    `select='${select.first}'`,
    ...(select.second === undefined ? [] : [`${seenFilter}=checksum=0`, `select='${select.second}'`]),
    // Spatial deinterlacing: a frame's pixels do not depend on other frames, and only chosen interlaced frames cost
    // time.
    ...(plan.turnDegrees === undefined ? ['estdif=mode=frame:deint=interlaced'] : turned(plan.turnDegrees)),
    `${shownFilter}=checksum=0`,
  ]
  const images =
    plan.sizes.kind === 'fromSource' ? imagesFromSource(plan.sizes.rule) : imagesOfFixedSize(plan.sizes.sizes)
  return `[0:${plan.stream ?? 'V:0'}]${choose.join(',')},${images}`
}

/** What ffmpeg itself does for a rotation that the container states. */
function turned(degrees: number): string[] {
  switch ((Math.round(degrees / 90) + 4) % 4) {
    case 1:
      return ['transpose=cclock']
    case 2:
      return ['hflip', 'vflip']
    case 3:
      return ['transpose=clock']
    default:
      return []
  }
}

/**
 * The detection image ends where the padded frame ends. If there is none, a single pixel stands for it and falls
 * outside.
 */
const detectionTop = 'main_h-if(gt(max(overlay_w,overlay_h),1),overlay_h,0)'

function imagesFromSource(rule: DetectionRule): string {
  const e = sizeExpressions(rule)
  return [
    'split[a][b]',
    `[a]scale=w='${e.fullWidth}':h='${e.fullHeight}':flags=bilinear,format=rgb24,pad=w=iw:h='ih+${e.rowsBelow}':x=0:y=0[full]`,
    `[b]scale=w='${e.detectionWidth}':h='${e.detectionHeight}':flags=bilinear,format=rgb24[detection]`,
    `[full][detection]overlay=x=0:y='${detectionTop}':format=rgb[out]`,
  ].join(';')
}

/** Frames of any later size are fitted into the sizes of the first frame; they keep their shape. */
function imagesOfFixedSize(sizes: FrameSizes): string {
  const { full, detection } = sizes
  if (sharesFullImage(sizes)) return `${fitInto(full, 0)}[out]`
  return [
    'split[a][b]',
    `[a]${fitInto(full, detection.height)}[full]`,
    `[b]${fitInto(detection, 0)}[detection]`,
    `[full][detection]overlay=x=0:y=${full.height}:format=rgb[out]`,
  ].join(';')
}

function fitInto({ width, height }: SizePx, rowsBelow: number): string {
  const scale = `min(${width}/(iw*sar),${height}/ih)`
  return [
    `scale=w='min(${width},max(1,round(iw*sar*${scale})))':h='min(${height},max(1,round(ih*${scale})))':flags=bilinear`,
    'format=rgb24',
    `pad=w=${width}:h=${height + rowsBelow}:x='(ow-iw)/2':y='(${height}-ih)/2'`,
  ].join(',')
}
