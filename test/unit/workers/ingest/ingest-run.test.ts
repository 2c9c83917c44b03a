import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { CameoError, type ErrorCode } from '../../../../pipeline/common/errors.js'
import { findClips } from '../../../../workers/ingest/find-clips.js'
import type { ClipResult } from '../../../../workers/ingest/ingest-events.js'
import { IngestRun } from '../../../../workers/ingest/ingest-run.js'
import type { SegmentThread } from '../../../../workers/threads/segment-handle.js'
import { temporaryDir } from '../../../support/cameo.js'
import { clipOf, outputOf, planned, ScriptedThread, segmentLengthS, type Script } from './scripted-thread.js'

const opened: Archive[] = []
after(() => opened.forEach((archive) => archive.close()))

/** A real archive, and a folder with one file per name. The file holds the name's text. */
class Scene {
  readonly folder: string
  readonly archive: Archive

  constructor(files: Readonly<Record<string, string>>) {
    const dir = temporaryDir()
    this.folder = join(dir, 'clips')
    mkdirSync(this.folder)
    for (const [name, text] of Object.entries(files)) writeFileSync(this.path(name), text)
    this.archive = openArchive(join(dir, 'archive'), { create: true })
    this.archive.database.exec(
      "INSERT INTO spaces (space_id, digest, dimension, description, active) VALUES (1, 'd', 512, '{}', 1)",
    )
    opened.push(this.archive)
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  async ingest(threads: readonly SegmentThread[], options: IngestOptions = {}) {
    const results: ClipResult[] = []
    const resumed: string[] = []
    const met = await new IngestRun({
      archive: this.archive,
      ...{ recipe: 'recipe', embedder: 'embedder', spaceId: 1, segmentLengthS, threads },
      files: findClips([this.folder]),
      isForgotten: options.isForgotten ?? (() => false),
      events: {
        onFound: () => undefined,
        onAllFound: () => undefined,
        onMeasured: () => undefined,
        onResumed: (path, startS, endS) => resumed.push(`${basename(path)} ${startS}-${endS}`),
        onFrames: () => undefined,
        onSegment: () => options.onSegment?.(),
        onResult(result) {
          results.push(result)
          options.onResult?.(result)
        },
      },
      signal: options.signal ?? new AbortController().signal,
    }).run()
    const told = results.map(({ path, status, code }) => [basename(path), status, ...(code ? [code] : [])])
    return { results, resumed, met, told }
  }

  run(result: ClipResult | undefined) {
    return this.archive.clips.run({ clipId: result?.clipId ?? '', recipe: 'recipe' })
  }

  stored(): number[] {
    return this.archive.database
      .prepare('SELECT segment FROM segments ORDER BY segment')
      .all()
      .map((row) => (row as { segment: number }).segment)
  }
}

interface IngestOptions {
  readonly isForgotten?: (clipId: string) => boolean
  readonly onSegment?: () => void
  readonly onResult?: (result: ClipResult) => void
  readonly signal?: AbortSignal
}

function failing(code: ErrorCode, retriable = false): Script {
  return () => Promise.reject(new CameoError(code, 'as scripted', { retriable }))
}

const requestsOf = ({ requests }: ScriptedThread) =>
  requests.map(({ name, request }) =>
    request.kind === 'open'
      ? `${name} open`
      : `${name} ${request.segments.map(({ index }) => index).join()} ${request.seek}`,
  )

describe('IngestRun: work', () => {
  it('shares a single long clip between its threads', { timeout: 20_000 }, async () => {
    const scene = new Scene({ 'film.mp4': 'a film' })
    const doneBy = new Map<number, number>()
    let meet: () => void = () => undefined
    const bothAtWork = new Promise<void>((resolve) => (meet = resolve))
    // The thread that opens the clip does the first segment, and waits there until another thread has the
    // second.
    const thread = (number: number) =>
      new ScriptedThread({
        'film.mp4': async (request, handlers) => {
          const segments = planned(2, request, handlers)
          if (request.kind === 'segments') meet()
          await bothAtWork
          for (const segment of segments) {
            doneBy.set(segment.index, number)
            handlers.onSegment(outputOf(segment))
          }
        },
      })
    const { told } = await scene.ingest([thread(0), thread(1)])
    assert.deepEqual([doneBy.get(0), doneBy.get(1)], [0, 1])
    assert.deepEqual(told, [['film.mp4', 'done']])
  })

  it('finishes a long clip before it opens clips after the next one', { timeout: 20_000 }, async () => {
    const scene = new Scene({ 'a.mp4': 'a', 'b.mp4': 'b', 'c.mp4': 'c' })
    const thread = new ScriptedThread({ 'a.mp4': clipOf(4) })
    const { told } = await scene.ingest([thread])
    const names = requestsOf(thread)
    assert.ok(names.indexOf('a.mp4 3 fast') < names.indexOf('c.mp4 open'), names.join())
    assert.deepEqual(told.map(([name]) => name).sort(), ['a.mp4', 'b.mp4', 'c.mp4'])
  })

  it('does not repeat the work of an earlier run', async () => {
    const scene = new Scene({ 'a.mp4': 'a', 'b.mp4': 'b' })
    await scene.ingest([new ScriptedThread()])
    const thread = new ScriptedThread()
    const { told } = await scene.ingest([thread])
    assert.deepEqual(told, [
      ['a.mp4', 'unchanged'],
      ['b.mp4', 'unchanged'],
    ])
    assert.deepEqual([thread.hashed, thread.requests], [[], []])
  })

  it('processes a content once, and reports its other files as duplicates', async () => {
    const scene = new Scene({ 'a.mp4': 'same', 'b.mp4': 'same', 'c.mp4': 'other' })
    const thread = new ScriptedThread()
    const { results, met } = await scene.ingest([thread])
    const statuses = new Map(results.map(({ path, status }) => [basename(path), status]))
    assert.equal(statuses.get('c.mp4'), 'done')
    assert.deepEqual([statuses.get('a.mp4'), statuses.get('b.mp4')].sort(), ['done', 'duplicate'])
    assert.equal(thread.requests.length, 2)
    assert.equal(met.clipIds.size, 2)
  })

  it('leaves a forgotten clip alone', async () => {
    const scene = new Scene({ 'a.mp4': 'a' })
    const thread = new ScriptedThread()
    const { told } = await scene.ingest([thread], { isForgotten: () => true })
    assert.deepEqual(told, [['a.mp4', 'forgotten']])
    assert.deepEqual(thread.requests, [])
  })
})

describe('IngestRun: results', () => {
  it('are reported when another connection to the archive can see them', async () => {
    const scene = new Scene({ 'a.mp4': 'a', 'b.mp4': 'b' })
    const other = openArchive(scene.archive.dir)
    const seen: unknown[] = []
    await scene.ingest([new ScriptedThread()], {
      onResult: ({ clipId = '' }) => seen.push(other.clips.run({ clipId, recipe: 'recipe' })?.state),
    })
    other.close()
    assert.deepEqual(seen, ['done', 'done'])
  })

  it('come in the order in which the clips end, not in which they start', { timeout: 20_000 }, async () => {
    const scene = new Scene({ 'a.mp4': 'a', 'b.mp4': 'b' })
    let endB: () => void = () => undefined
    const isBDone = new Promise<void>((resolve) => (endB = resolve))
    const scripts: Record<string, Script> = {
      'a.mp4': (...given) => isBDone.then(() => clipOf(1)(...given)),
      'b.mp4': (...given) => clipOf(1)(...given).then(endB),
    }
    const { told } = await scene.ingest([new ScriptedThread(scripts), new ScriptedThread(scripts)])
    assert.deepEqual(told, [
      ['b.mp4', 'done'],
      ['a.mp4', 'done'],
    ])
  })
})

describe('IngestRun: clips that fail', () => {
  it('do not stop the others, and the archive stores the reason', async () => {
    const scene = new Scene({ 'a.mp4': 'a', 'b.mp4': 'b', 'empty.mp4': '' })
    const thread = new ScriptedThread({ 'a.mp4': failing('CLIP_DECODE_FAILED') })
    const { told, met } = await scene.ingest([thread])
    assert.deepEqual(told.sort(), [
      ['a.mp4', 'failed', 'CLIP_DECODE_FAILED'],
      ['b.mp4', 'done'],
      ['empty.mp4', 'failed', 'CLIP_EMPTY'],
    ])
    assert.deepEqual(
      scene.archive.files.failures().map(({ path, code }) => [basename(path), code]),
      [
        ['a.mp4', 'CLIP_DECODE_FAILED'],
        ['empty.mp4', 'CLIP_EMPTY'],
      ],
    )
    assert.deepEqual([...met.withoutClip], [scene.path('empty.mp4')])
  })

  it('are tried three times if a retry may help, else once', async () => {
    const scene = new Scene({ 'final.mp4': 'final', 'transient.mp4': 'transient' })
    const thread = new ScriptedThread({
      'final.mp4': failing('CLIP_DECODE_FAILED'),
      'transient.mp4': failing('WORKER_DIED', true),
    })
    await scene.ingest([thread])
    assert.deepEqual(requestsOf(thread).sort(), [
      'final.mp4 open',
      'transient.mp4 open',
      'transient.mp4 open',
      'transient.mp4 open',
    ])
  })

  it('decodes a segment from the start if seeking fails', async () => {
    const scene = new Scene({ 'film.mp4': 'film' })
    const thread = new ScriptedThread({
      'film.mp4': (request, handlers, aborted) =>
        request.kind === 'segments' && request.seek === 'fast'
          ? failing('CLIP_NOT_SEEKABLE', true)(request, handlers, aborted)
          : clipOf(2)(request, handlers, aborted),
    })
    const { told } = await scene.ingest([thread])
    assert.deepEqual(told, [['film.mp4', 'done']])
    assert.deepEqual(requestsOf(thread), ['film.mp4 open', 'film.mp4 1 fast', 'film.mp4 1 fromStart'])
  })

  it('are partial if only one segment fails; the next run processes only that segment', async () => {
    const scene = new Scene({ 'film.mp4': 'film' })
    const broken: Script = (request, handlers, aborted) =>
      request.kind === 'segments'
        ? failing('CLIP_DECODE_FAILED')(request, handlers, aborted)
        : clipOf(2)(request, handlers, aborted)
    const first = await scene.ingest([new ScriptedThread({ 'film.mp4': broken })])
    assert.deepEqual(first.told, [['film.mp4', 'partial', 'CLIP_DECODE_FAILED']])
    const thread = new ScriptedThread()
    const { told, resumed } = await scene.ingest([thread])
    assert.deepEqual(told, [['film.mp4', 'done']])
    assert.deepEqual(requestsOf(thread), ['film.mp4 1 fast'])
    assert.deepEqual(resumed, ['film.mp4 0-600'])
  })

  it('reports a clip that changes while it is processed, and stores nothing of it', async () => {
    const scene = new Scene({ 'growing.mp4': 'begin', 'z.mp4': 'z' })
    const grows: Script = (request, handlers, aborted) => {
      planned(1, request, handlers)
      appendFileSync(scene.path('growing.mp4'), 'more')
      return clipOf(1)(request, handlers, aborted)
    }
    const thread = new ScriptedThread({ 'growing.mp4': grows })
    const { told, results } = await scene.ingest([thread])
    assert.deepEqual(told.sort(), [
      ['growing.mp4', 'failed', 'CLIP_CHANGED'],
      ['z.mp4', 'done'],
    ])
    assert.equal(scene.run(results.find(({ code }) => code === 'CLIP_CHANGED')), undefined)
    assert.deepEqual(requestsOf(thread).filter((request) => request.startsWith('growing')).length, 1)
  })

  it('processes a copy instead of a clip that changes', async () => {
    const scene = new Scene({ 'a.mp4': 'same', 'b.mp4': 'same' })
    let isFirst = true
    const changes =
      (name: string): Script =>
      (request, handlers, aborted) => {
        if (isFirst) appendFileSync(scene.path(name), 'more')
        isFirst = false
        return clipOf(1)(request, handlers, aborted)
      }
    const thread = new ScriptedThread({ 'a.mp4': changes('a.mp4'), 'b.mp4': changes('b.mp4') })
    const { told } = await scene.ingest([thread])
    assert.deepEqual(told.map(([, ...status]) => status).sort(), [['done'], ['failed', 'CLIP_CHANGED']])
  })
})

describe('IngestRun: a run that is stopped', () => {
  it('keeps whole segments and the checkpoint of the running segment, and the next run continues', async () => {
    const scene = new Scene({ 'film.mp4': 'film', 'z.mp4': 'z' })
    const stop = new AbortController()
    const state = Uint8Array.of(1, 2, 3)
    const thread = new ScriptedThread({
      'film.mp4': async (request, handlers, aborted) => {
        if (request.kind === 'open') return clipOf(3)(request, handlers, aborted)
        if (request.segments[0]?.index === 1) {
          handlers.onCheckpoint?.({ segment: 1, timeS: 700, state, parts: [] })
          stop.abort()
        }
        await aborted
      },
      'z.mp4': (_request, _handlers, aborted) => aborted,
    })
    const first = await scene.ingest([thread], { signal: stop.signal })
    assert.deepEqual(first.told, [])
    assert.deepEqual(scene.stored(), [0])

    const next = new ScriptedThread({ 'film.mp4': clipOf(3) })
    const { told, resumed } = await scene.ingest([next])
    assert.deepEqual(told.map(([name, status]) => `${name} ${status}`).sort(), [
      'film.mp4 done',
      'z.mp4 done',
    ])
    assert.deepEqual(resumed, ['film.mp4 0-600'])
    assert.deepEqual(
      requestsOf(next)
        .filter((request) => request.startsWith('film'))
        .sort(),
      ['film.mp4 1 fast', 'film.mp4 2 fast'],
    )
    const resumes = next.requests
      .filter(({ name }) => name === 'film.mp4')
      .map(({ request }) => request.resume?.state)
    assert.deepEqual(resumes, [Buffer.from(state), undefined])
  })

  it('ends at once after an error that no clip caused, and reports nothing that is not durable', async () => {
    const scene = new Scene({ 'a.mp4': 'a', 'b.mp4': 'b' })
    const error = new Error('the reader of results is gone')
    const told: ClipResult[] = []
    const thread = new ScriptedThread({ 'b.mp4': (_request, _handlers, aborted) => aborted })
    await assert.rejects(
      scene.ingest([thread], {
        onSegment: () => {
          throw error
        },
        onResult: (result) => told.push(result),
      }),
      error,
    )
    assert.deepEqual(told, [])
    assert.deepEqual(scene.stored(), [])
    assert.equal(scene.archive.database.inTransaction, false)
  })
})
