import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { segmentSpans } from '../../../../pipeline/segments/process-clip.js'
import { findClips } from '../../../../workers/ingest/find-clips.js'
import { ingestClips, type ClipResult } from '../../../../workers/ingest/ingest.js'
import type { SegmentWorker } from '../../../../workers/threads/segment-handle.js'
import { temporaryDir } from '../../../support/cameo.js'

/** A clip of two segments; the worker that opens it does the first, and waits there until another has the second. */
function createFilmWorkers() {
  const done = new Map<number, number>()
  let meet: () => void = () => undefined
  const bothAtWork = new Promise<void>((resolve) => (meet = resolve))
  const worker = (number: number): SegmentWorker => ({
    ready: () => Promise.resolve('cpu'),
    hash: () => Promise.resolve('f'.repeat(64)),
    async process(_path, wish, handlers) {
      const segments = wish.kind === 'open' ? segmentSpans(2, 600) : wish.segments
      if (wish.kind === 'open') {
        const info = {
          ...{ widthPx: 640, heightPx: 360, sourceWidthPx: 640, sourceHeightPx: 360, codec: 'h264' },
          ...{ durationS: 1200, durationEstimated: false, cuttable: true, frameRate: 25, container: 'mov' },
        }
        handlers.onPlan({ info, segments, taken: 1 })
      } else meet()
      await bothAtWork
      for (const segment of segments.slice(0, 1)) {
        done.set(segment.index, number)
        handlers.onSegment({ segment, tracks: [], frames: 1, faces: 0, truncated: false, provider: 'cpu' })
      }
    },
    abort: () => undefined,
    stop: () => Promise.resolve(),
  })
  return { workers: [worker(0), worker(1)], done }
}

describe('ingestClips', () => {
  it('shares a single long clip between its workers', { timeout: 20_000 }, async () => {
    const dir = temporaryDir()
    const film = join(dir, 'film.mp4')
    writeFileSync(film, 'a film')
    const archive = openArchive(join(dir, 'archive'), { create: true })
    archive.database.exec(
      "INSERT INTO spaces (space_id, digest, dimension, description, active) VALUES (1, 'd', 512, '{}', 1)",
    )
    const { workers, done } = createFilmWorkers()
    const results: ClipResult[] = []
    await ingestClips({
      archive,
      ...{ recipe: 'recipe', embedder: 'embedder', spaceId: 1, segmentLengthS: 600, workers },
      files: findClips([film]),
      isForgotten: () => false,
      events: {
        onFound: () => undefined,
        onAllFound: () => undefined,
        onMeasured: () => undefined,
        onResumed: () => undefined,
        onFrames: () => undefined,
        onSegment: () => undefined,
        onResult: (result) => results.push(result),
      },
      signal: new AbortController().signal,
    })
    archive.close()
    assert.deepEqual([done.get(0), done.get(1)], [0, 1])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['done'],
    )
  })
})
