import { basename } from 'node:path'
import { segmentSpans } from '../../../../pipeline/segments/segment-spans.js'
import type { SegmentOutput, SegmentSpan } from '../../../../pipeline/segments/segment.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { sha256OfFile } from '../../../../pipeline/common/digest.js'
import type { PartHandlers, SegmentThread } from '../../../../workers/threads/segment-handle.js'
import type { SegmentRequest } from '../../../../workers/threads/thread-messages.js'

export const segmentLengthS = 600

/** What a thread does with one request for a clip. */
export type Script = (
  request: SegmentRequest,
  handlers: PartHandlers,
  aborted: Promise<never>,
) => Promise<void>

/** A thread that hashes real files, and handles each clip as its script says. */
export class ScriptedThread implements SegmentThread {
  readonly hashed: string[] = []
  readonly requests: { readonly name: string; readonly request: SegmentRequest }[] = []
  readonly #scripts: Readonly<Record<string, Script>>
  #abort: () => void = () => undefined
  readonly #aborted = new Promise<never>((_, reject) => {
    this.#abort = () => reject(new CameoError('INTERRUPTED', 'stopped'))
  })

  /** @param scripts by file name; other files are clips of one segment */
  constructor(scripts: Readonly<Record<string, Script>> = {}) {
    this.#scripts = scripts
    this.#aborted.catch(() => undefined)
  }

  ready(): Promise<'cpu'> {
    return Promise.resolve('cpu')
  }

  hash(path: string): Promise<string> {
    this.hashed.push(basename(path))
    return sha256OfFile(path)
  }

  async process(path: string, request: SegmentRequest, handlers: PartHandlers): Promise<void> {
    const name = basename(path)
    this.requests.push({ name, request })
    await (this.#scripts[name] ?? clipOf(1))(request, handlers, this.#aborted)
  }

  abort(): void {
    this.#abort()
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }
}

/** A clip that can be cut. Each requested segment comes at once. */
export function clipOf(segments: number): Script {
  return (request, handlers) => {
    for (const segment of planned(segments, request, handlers)) handlers.onSegment(outputOf(segment))
    return Promise.resolve()
  }
}

/** Plans a clip that can be cut, unless it is planned already. Returns the segments of this request. */
export function planned(
  count: number,
  request: SegmentRequest,
  handlers: PartHandlers,
): readonly SegmentSpan[] {
  if (request.kind === 'segments') return request.segments
  const segments = segmentSpans(count, segmentLengthS)
  const info = {
    ...{ widthPx: 640, heightPx: 360, sourceWidthPx: 640, sourceHeightPx: 360, codec: 'h264' },
    ...{ durationS: count * segmentLengthS, durationEstimated: false, cuttable: true, frameRate: 25 },
    container: 'mov',
  }
  handlers.onPlan({ info, segments, taken: 1 })
  return segments.slice(0, 1)
}

/** A segment without any person. */
export function outputOf(segment: SegmentSpan): SegmentOutput {
  return { segment, tracks: [], frames: 1, faces: 0, truncated: false, provider: 'cpu' }
}
