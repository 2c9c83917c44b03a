import { openFrames } from '../decode/frames.js'
import type { DecodeHandle } from '../decode/decode-request.js'
import { neededScale } from '../detect/passes.js'
import type { Stages } from '../stages/load-pipeline.js'
import type { Way } from './resume-segment.js'

export interface ClipDecoderOptions {
  /** Absolute. */
  readonly path: string
  /** ffmpeg starts at once, but its frames are processed only after this promise resolves. */
  readonly turn?: Promise<void>
  readonly signal?: AbortSignal
}

/** Runs ffmpeg on one clip: one run at a time, each with its own range and seek. */
export class ClipDecoder {
  readonly #options: ClipDecoderOptions
  readonly #stages: Pick<Stages, 'settings' | 'detector'>
  #run: { readonly way: Way; readonly decoding: DecodeHandle } | undefined

  constructor(options: ClipDecoderOptions, stages: Pick<Stages, 'settings' | 'detector'>) {
    this.#options = options
    this.#stages = stages
  }

  /** The current run, and how it decodes. */
  get run(): { readonly way: Way; readonly decoding: DecodeHandle } | undefined {
    return this.#run
  }

  /** Stops the previous run, starts ffmpeg, and waits for this clip's turn. */
  async open(way: Way): Promise<DecodeHandle> {
    await this.close()
    const { path, signal, turn } = this.#options
    const { settings, detector } = this.#stages
    const decoding = openFrames({
      ...{ path, sampling: settings.sampling, ...way },
      detection: {
        canvasWidthPx: detector.canvasWidthPx,
        canvasHeightPx: detector.canvasHeightPx,
        neededScale: neededScale(detector, settings.minFacePx),
      },
      ...(signal === undefined ? {} : { signal }),
    })
    this.#run = { way, decoding }
    await turn
    return decoding
  }

  async close(): Promise<void> {
    await this.#run?.decoding.close()
  }
}
