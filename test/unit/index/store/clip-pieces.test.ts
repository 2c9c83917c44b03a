import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClipRows } from '../../../../index/store/clip-rows.js'
import { countContent } from '../../../../index/store/counts.js'
import { findDamage } from '../../../../index/store/damage.js'
import { RunRows } from '../../../../index/store/run-rows.js'
import { SegmentRows } from '../../../../index/store/segment-rows.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { trackEmbeddingsReader } from '../../../../index/store/stored-faces.js'
import { TrackRows } from '../../../../index/store/track-rows.js'
import { damageRows } from '../../../support/damage-rows.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'
import { segmentOutput } from '../../../support/segment-output.js'

const clipId = clipIdOf('b')
const key = { clipId, recipe: 'r', embedder: 'e', spaceId: 1 }
const facts = { sizeBytes: 9, durationS: 20, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' }
const failure = { code: 'CLIP_STUCK', message: 'it got stuck' }

/** A planned clip with two segments, and a stored clip. */
function plannedClip() {
  const { database } = filledArchive(['a'])
  const clips = new ClipRows(database)
  const runs = new RunRows(database)
  clips.put(clipId, facts)
  runs.add(key, 2, true)
  return { database, clips, runs, segments: new SegmentRows(database), tracks: new TrackRows(database) }
}

const clipIds = (database: Database) =>
  database.prepare<[], string>('SELECT clip_id FROM clips ORDER BY clip_id').pluck().all()

describe('the row of a clip', () => {
  it('gets the new length and video facts when it is written again, but keeps its size', () => {
    const { database, clips } = plannedClip()
    clips.put(clipId, { ...facts, sizeBytes: 10, durationS: undefined, heightPx: 96, leftOut: ['a stream'] })
    assert.equal(clips.durationOf(clipId), undefined)
    assert.deepEqual(clips.leftOutOf(clipId), ['a stream'])
    const row = database.prepare('SELECT size_bytes, height_px FROM clips WHERE clip_id = ?').get(clipId)
    assert.deepEqual(row, { size_bytes: 9, height_px: 96 })
  })

  it('does not exist for an unknown clip: no length, and no omitted content', () => {
    const { clips } = plannedClip()
    assert.deepEqual([clips.durationOf('unknown'), clips.leftOutOf('unknown')], [undefined, []])
  })

  it('is damaged if its run is damaged', () => {
    const { database, clips } = plannedClip()
    assert.equal(clips.isDamaged(clipId), false)
    damageRows(database, `UPDATE runs SET segments = 2 WHERE clip_id = '${clipId}'`)
    assert.equal(clips.isDamaged(clipId), true)
    assert.equal(clips.isDamaged(clipIdOf('a')), false)
  })

  it('stays if the clip has a run, and is deleted otherwise', () => {
    const { database, clips, runs } = plannedClip()
    clips.deleteWithoutRun(clipId)
    assert.deepEqual(clipIds(database), [clipIdOf('a'), clipId])
    runs.delete(key)
    clips.deleteWithoutRun(clipId)
    assert.deepEqual(clipIds(database), [clipIdOf('a')])
  })

  it('is deleted if no file has the content', () => {
    const { database, clips } = plannedClip()
    clips.deleteWithoutPath()
    assert.deepEqual(clipIds(database), [clipIdOf('a')])
  })

  it('is deleted with its runs and its damage mark', () => {
    const { database, clips, runs } = plannedClip()
    database.prepare("INSERT INTO damaged_clips (clip_id, at, detail) VALUES (?, '', '')").run(clipId)
    clips.deleteWithRuns(clipId)
    assert.deepEqual([runs.get(key), clips.isDamaged(clipId)], [undefined, false])
    assert.deepEqual(clipIds(database), [clipIdOf('a')])
  })
})

describe('the row of a run', () => {
  it('keeps its planned number of segments', () => {
    const { runs } = plannedClip()
    runs.add(key, 5, false)
    assert.deepEqual(runs.get(key), { segments: 2, cuttable: true, state: 'working', truncated: false })
  })

  it('is complete with the last segment, and partial if one failed', () => {
    const { runs, segments } = plannedClip()
    segments.putDone(key, { ...segmentOutput(0, 0), truncated: true })
    assert.equal(runs.complete(key), false)
    segments.putFailed(key, { index: 1, startS: 10, endS: 20 }, failure)
    assert.equal(runs.complete(key), true)
    assert.deepEqual(runs.get(key), { segments: 2, cuttable: true, state: 'partial', truncated: true })
    assert.equal(runs.counts().partial, 1)
    runs.reopen(key)
    assert.equal(runs.get(key)?.state, 'working')
  })

  it('is deleted for another recipe, and runs of other clips stay', () => {
    const { runs } = plannedClip()
    const other = { ...key, recipe: 'before' }
    runs.add(other, 1, true)
    runs.deleteOthers(key)
    assert.equal(runs.get(other), undefined)
    assert.notEqual(runs.get({ clipId: clipIdOf('a'), recipe: 'r' }), undefined)
  })
})

describe('the rows of segments', () => {
  it('give the totals of examined, found and lost content', () => {
    const { segments } = plannedClip()
    segments.putDone(key, { ...segmentOutput(1, 0), gapsS: [[10, 11]] })
    segments.putDone(key, { ...segmentOutput(0, 0), gapsS: [[2, 2.5]] })
    const progress = segments.progressOf(key)
    assert.deepEqual(progress, { stored: new Set([0, 1]), frames: 80, faces: 24, lostS: 1.5 })
    assert.deepEqual(segments.gapsOf(key), [[2, 2.5], [10, 11]]) // prettier-ignore
  })

  it('count failed segments as stored, but not as done', () => {
    const { segments } = plannedClip()
    segments.putDone(key, segmentOutput(0, 0))
    segments.putFailed(key, { index: 1, startS: 10, endS: Infinity }, failure)
    assert.deepEqual([segments.stored(key), segments.countDone(key)], [[0, 1], 1])
    assert.deepEqual([segments.isDone(key, 0), segments.isDone(key, 1)], [true, false])
  })

  it('give the reason of the first failure, until the segment is retried', () => {
    const { segments } = plannedClip()
    segments.putFailed(key, { index: 1, startS: 10, endS: 20 }, { code: 'CLIP_GONE', message: 'later' })
    segments.putFailed(key, { index: 0, startS: 0, endS: 10 }, failure)
    assert.deepEqual(segments.firstFailure(key), failure)
    assert.equal(segments.deleteFailed(key), true)
    assert.equal(segments.deleteFailed(key), false)
    assert.equal(segments.firstFailure(key), undefined)
  })

  it('store the number of dependent rows, so that a lost row is detected', () => {
    const { database, runs, segments, tracks } = plannedClip()
    tracks.addSegment(key, segmentOutput(0, 2))
    segments.putDone(key, segmentOutput(0, 2))
    segments.putDone(key, segmentOutput(1, 0))
    runs.complete(key)
    assert.deepEqual(findDamage(database), [])
    database.prepare('DELETE FROM thumbnails WHERE track_id = 2').run()
    assert.deepEqual(findDamage(database), [{ clipId, what: 'missing rows' }])
  })
})

describe('the rows of tracks', () => {
  it('hold every embedding of a face', () => {
    const { database, tracks } = plannedClip()
    const output = segmentOutput(0, 1)
    const further = [{ embedder: 'further', norm: 1, float16: Uint16Array.of(7) }]
    const [track] = output.tracks
    assert.ok(track !== undefined)
    const faces = track.faces.map((face) => ({ ...face, extraEmbeddings: further }))
    tracks.addSegment(key, { ...output, tracks: [{ ...track, faces }] })
    assert.deepEqual(
      trackEmbeddingsReader(database)(2).map(({ embedder, float16 }) => [embedder, float16]),
      [
        ['e', track.faces[0]?.embedding.float16],
        ['further', Uint16Array.of(7)],
      ],
    )
  })

  it('hold boxes to a hundredth of a pixel', () => {
    const { database, tracks } = plannedClip()
    const output = segmentOutput(0, 1)
    const [track] = output.tracks
    assert.ok(track !== undefined)
    const faces = track.faces.map((face) => ({ ...face, boxXyxyPx: [0.123, 0, 9.999, 10] as const }))
    tracks.addSegment(key, { ...output, tracks: [{ ...track, faces }] })
    const box = database.prepare('SELECT box FROM faces WHERE track_id = 2').pluck().get()
    assert.equal(box, '[0.12,0,10,10]')
  })

  it('of one segment are deleted with their dependent rows, and those of the other stay', () => {
    const { database, tracks } = plannedClip()
    const before = countContent(database)
    tracks.addSegment(key, segmentOutput(0, 2))
    tracks.addSegment(key, segmentOutput(1, 1))
    tracks.deleteSegment(key, 0)
    assert.equal(tracks.count(key), 1)
    assert.equal(countContent(database).faces, before.faces + 1)
  })

  it('can be without faces and descriptors', () => {
    const { database, tracks } = plannedClip()
    const [track] = segmentOutput(0, 1).tracks
    assert.ok(track !== undefined)
    assert.equal(tracks.addBare(key, { segment: 0, provider: 'cpu' }, track), 2)
    assert.deepEqual(trackEmbeddingsReader(database)(2), [])
  })
})
