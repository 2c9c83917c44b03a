import { basename, isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { EditHit } from './hits.js'
import { framesOf, type EditSource } from './sources.js'

/** An OpenTimelineIO timeline as JSON: the hits one after the other on one video track, each at the rate of its clip. */
export function otioOf(
  hits: readonly EditHit[],
  sources: ReadonlyMap<string, EditSource>,
  title: string,
): string {
  const children = hits.flatMap((hit) => {
    const source = sources.get(hit.clipId)
    return source === undefined ? [] : [clipOf(hit, source)]
  })
  const track = { ...item('Track.1', 'hits'), kind: 'Video', source_range: null, children, markers: [], effects: [] } // prettier-ignore
  const tracks = { ...item('Stack.1', 'tracks'), source_range: null, children: [track], markers: [], effects: [] } // prettier-ignore
  return `${JSON.stringify({ ...item('Timeline.1', title), global_start_time: null, tracks }, undefined, 2)}\n`
}

const item = (schema: string, name: string, metadata: object = {}) => ({
  ...{ OTIO_SCHEMA: schema, metadata, name },
})

function clipOf(hit: EditHit, source: EditSource) {
  const { clipId, path, durationS, startS, endS, score, probability, person, number } = hit
  const { rate, startFrame, isAssumed } = source
  const { first, end } = framesOf(hit, rate)
  const range = (from: number, frames: number) => ({
    OTIO_SCHEMA: 'TimeRange.1',
    start_time: { OTIO_SCHEMA: 'RationalTime.1', rate: rate.fps, value: startFrame + from },
    duration: { OTIO_SCHEMA: 'RationalTime.1', rate: rate.fps, value: frames },
  })
  const frames = durationS === undefined ? undefined : framesOf({ startS: 0, endS: durationS, durationS }, rate).end // prettier-ignore
  const cameo = {
    ...{ hit: number, person, clipId, startS, endS, score: score ?? null, probability: probability ?? null },
    ...(isAssumed ? { assumedRate: true } : {}),
  }
  return {
    ...item('Clip.1', basename(path), { cameo }),
    ...{ source_range: range(first, end - first), markers: [], effects: [] },
    media_reference: {
      ...item('ExternalReference.1', basename(path)),
      target_url: isAbsolute(path) ? pathToFileURL(path).href : path,
      available_range: frames === undefined ? null : range(0, frames),
    },
  }
}
