import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { createGroupCommit } from '../../../../index/store/group-commit.js'
import { temporaryDir } from '../../../support/cameo.js'
import { segmentOutput } from '../../../support/segment-output.js'

const facts = { sizeBytes: 9, durationS: 20, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' }

function archiveWithSpace(): { archive: Archive; spaceId: number } {
  const archive = openArchive(temporaryDir(), { create: true })
  const spaceId = Number(
    archive.database
      .prepare("INSERT INTO spaces (digest, dimension, description, active) VALUES ('s', 2, '{}', 1)")
      .run().lastInsertRowid,
  )
  return { archive, spaceId }
}

const count = ({ database }: Archive, table: string) =>
  database.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get()

describe('the clip store', () => {
  it('a run is done when the planned number of segments is stored, in any order', () => {
    const { archive, spaceId } = archiveWithSpace()
    const key = { clipId: 'c', recipe: 'r', embedder: 'e', spaceId }
    archive.clips.plan(key, facts, 2, true)
    assert.equal(archive.clips.storeSegment(key, segmentOutput(1, 1)), 'working')
    assert.equal(archive.clips.counts().clips, 0)
    assert.equal(archive.clips.storeSegment(key, segmentOutput(0, 2)), 'done')
    assert.deepEqual([archive.clips.counts().clips, archive.clips.counts().tracks], [1, 3])
    archive.close()
  })

  it('gaps and omitted content are stored with the clip', () => {
    const { archive, spaceId } = archiveWithSpace()
    const key = { clipId: 'c', recipe: 'r', embedder: 'e', spaceId }
    archive.clips.plan(key, { ...facts, leftOut: ['stream 1 was not looked at'] }, 2, true)
    archive.clips.storeSegment(key, { ...segmentOutput(0, 1), gapsS: [[2, 3.5]] })
    archive.clips.storeSegment(key, { ...segmentOutput(1, 1), gapsS: [[10, 11], [14, 14.25]] }) // prettier-ignore
    const run = archive.clips.run(key)
    assert.deepEqual([run?.lostS, run?.leftOut], [2.75, ['stream 1 was not looked at']])
    assert.deepEqual(archive.clips.gapsOf(key), [[2, 3.5], [10, 11], [14, 14.25]]) // prettier-ignore
    archive.clips.storeSegment(key, segmentOutput(1, 1))
    assert.equal(archive.clips.run(key)?.lostS, 1.5)
    archive.close()
  })

  it('storing a segment again replaces all of its rows, and labels are never reused', () => {
    const { archive, spaceId } = archiveWithSpace()
    const key = { clipId: 'c', recipe: 'r', embedder: 'e', spaceId }
    archive.clips.plan(key, facts, 1, true)
    archive.clips.storeSegment(key, segmentOutput(0, 3))
    archive.clips.storeSegment(key, segmentOutput(0, 1))
    for (const table of ['tracks', 'faces', 'embeddings', 'thumbnails', 'descriptors'])
      assert.equal(count(archive, table), 1, table)
    const label = archive.database.prepare<[], number>('SELECT label FROM descriptors').pluck().get()
    assert.equal(label, 4)
    // Three added, three erased, one added.
    assert.equal(count(archive, 'descriptor_changes'), 7)
    archive.close()
  })

  it('a failed segment makes the clip partial, and can be retried', () => {
    const { archive, spaceId } = archiveWithSpace()
    const key = { clipId: 'c', recipe: 'r', embedder: 'e', spaceId }
    archive.clips.plan(key, facts, 2, true)
    archive.clips.storeSegment(key, segmentOutput(0, 1))
    const segment = { index: 1, startS: 10, endS: Infinity }
    assert.equal(archive.clips.giveUpSegment(key, segment, { code: 'CLIP_STUCK', message: 'm' }), 'partial')
    archive.clips.retryGivenUp(key)
    assert.deepEqual([...(archive.clips.run(key)?.stored ?? [])], [0])
    assert.equal(archive.clips.storeSegment(key, segmentOutput(1, 1)), 'done')
    archive.close()
  })

  it('the rows of an earlier recipe are deleted when the new run is complete, not before', () => {
    const { archive, spaceId } = archiveWithSpace()
    const old = { clipId: 'c', recipe: 'old', embedder: 'e', spaceId }
    const fresh = { ...old, recipe: 'new' }
    archive.clips.plan(old, facts, 1, true)
    archive.clips.storeSegment(old, segmentOutput(0, 2))
    archive.clips.plan(fresh, facts, 2, true)
    archive.clips.storeSegment(fresh, segmentOutput(0, 1))
    assert.equal(count(archive, 'tracks'), 3)
    archive.clips.storeSegment(fresh, segmentOutput(1, 1))
    assert.equal(count(archive, 'tracks'), 2)
    assert.equal(archive.clips.run(old), undefined)
    archive.close()
  })

  it('grouped writes become durable together, and are reported only then', () => {
    const { archive, spaceId } = archiveWithSpace()
    const commits = createGroupCommit(archive.database, (error) => {
      throw error
    })
    const other = openArchive(archive.dir)
    const key = { clipId: 'c', recipe: 'r', embedder: 'e', spaceId }
    let told = false
    commits.begin()
    archive.clips.plan(key, facts, 1, true)
    archive.clips.storeSegment(key, segmentOutput(0, 1))
    commits.whenDurable(() => (told = true))
    assert.deepEqual([other.clips.counts().clips, told], [0, false])
    commits.flush()
    assert.deepEqual([other.clips.counts().clips, told], [1, true])
    commits.begin()
    archive.clips.plan({ ...key, clipId: 'd' }, facts, 1, true)
    commits.abandon()
    assert.equal(archive.clips.run({ ...key, clipId: 'd' }), undefined)
    other.close()
    archive.close()
  })
})

describe('a group of writes', () => {
  const withoutRun =
    "PRAGMA defer_foreign_keys = ON; INSERT INTO segments VALUES ('no such clip', 'r', 0, 0, 1, 'done', 1, 1, 0, NULL, NULL, NULL, 0)"
  for (const [when, spoil] of [
    ['its commit fails', withoutRun],
    ['SQLite takes it back', 'ROLLBACK'],
  ] as const)
    it(`is never reported as durable when ${when}, even after later writes`, () => {
      const { archive } = archiveWithSpace()
      const commits = createGroupCommit(archive.database, () => undefined)
      const told: string[] = []
      commits.begin()
      archive.database.exec(spoil)
      commits.whenDurable(() => told.push('first'))
      assert.throws(() => commits.flush())
      assert.throws(() => commits.begin(), /rolled back/)
      commits.whenDurable(() => told.push('second'))
      commits.flush()
      assert.deepEqual([told, archive.database.inTransaction], [[], false])
      archive.close()
    })
})
