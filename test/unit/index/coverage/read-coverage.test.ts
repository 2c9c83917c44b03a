import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { coverageOfClip, isUnseen, readCoverage } from '../../../../index/coverage/read-coverage.js'
import {
  byFolder,
  markMissing,
  sumCoverage,
  summariseCoverage,
  within,
} from '../../../../index/coverage/sum-coverage.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { activateSpace, writeArchiveRecipe } from '../../../../index/store/meta.js'
import { settingsSchema } from '../../../../pipeline/recipe/recipe.js'
import { temporaryDir } from '../../../support/cameo.js'
import { bringBackTo } from '../../../support/old-archive.js'
import { segmentOutput } from '../../../support/segment-output.js'
import type { SegmentOutput } from '../../../../pipeline/segments/segment.js'

const settings = settingsSchema.parse({ segmentS: 10 })
const recipe = { ...{ digest: 'r', embedderDigest: 'e', spaceDigest: 's', packName: 'lite' }, settings }
const facts = { sizeBytes: 9, durationS: 40, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' }
const stamp = { device: '1', inode: '2', sizeBytes: 9, mtimeNs: '4' }

function emptyArchive() {
  const archive = openArchive(temporaryDir(), { create: true })
  writeArchiveRecipe(archive.database, recipe)
  const spaceId = activateSpace(archive.database, recipe, 2)
  const { rootId } = archive.files.rootFor('/films')
  return {
    archive,
    rootId,
    key: (clipId: string) => ({ ...{ clipId, recipe: 'r', embedder: 'e' }, spaceId }),
  }
}

/** One clip in every state, each of 40 s in 4 segments. */
function mixedArchive(): Archive {
  const { archive, rootId, key } = emptyArchive()
  const add = (clipId: string, outputs: readonly SegmentOutput[]) => {
    archive.files.record(rootId, `${clipId}.mp4`, { ...stamp, inode: clipId }, clipId)
    archive.clips.plan(key(clipId), facts, 4, true)
    for (const output of outputs) archive.clips.storeSegment(key(clipId), output)
  }
  const whole = [0, 1, 2, 3].map((index) => segmentOutput(index, 1))
  add('complete', whole)
  add(
    'sub/face-less',
    [0, 1, 2, 3].map((index) => segmentOutput(index, 0)),
  )
  add('unfinished', whole.slice(0, 1))
  add('partial', whole.slice(0, 3))
  const last = { index: 3, startS: 30, endS: Infinity }
  archive.clips.giveUpSegment(key('partial'), last, { code: 'CLIP_STUCK', message: 'it got stuck' })
  const cut = { ...segmentOutput(3, 0), frames: 4, truncated: true }
  add('truncated', [...whole.slice(0, 3), cut])
  add('damaged', whole)
  archive.database
    .prepare("UPDATE segments SET gaps = '[[12,17]]' WHERE clip_id = 'damaged' AND segment = 1")
    .run()
  add('left out', whole)
  archive.database
    .prepare(`UPDATE clips SET left_out = '["a second video stream"]' WHERE clip_id = 'left out'`)
    .run()
  add('forgotten', whole)
  forgetClip(archive.database, 'forgotten')
  archive.files.record(rootId, 'forgotten.mp4', stamp, 'forgotten')
  archive.files.recordFailed(rootId, 'failed.mp4', stamp, { code: 'CLIP_NO_VIDEO', message: 'no video' })
  archive.files.recordFound(rootId, 'not opened.mp4', 9)
  archive.files.record(rootId, 'not planned.mp4', stamp, 'hashed')
  return archive
}

const shown = (archive: Archive) =>
  readCoverage(archive).map(({ paths, states, lookedAtS, notLookedAtS }) => [
    ...[paths[0]?.replace('/films/', ''), states.join()],
    ...[lookedAtS, notLookedAtS],
  ])

describe('coverage of an archive', () => {
  it('reports for every clip and file what was not examined', () => {
    assert.deepEqual(shown(mixedArchive()), [
      ['complete.mp4', 'complete', 40, 0],
      ['damaged.mp4', 'damaged', 35, 5],
      ['failed.mp4', 'failed', 0, undefined],
      ['forgotten.mp4', 'forgotten', 0, 0],
      ['left out.mp4', 'left-out', 40, 0],
      ['not opened.mp4', 'unfinished', 0, undefined],
      ['not planned.mp4', 'unfinished', 0, undefined],
      ['partial.mp4', 'partial', 30, 10],
      ['sub/face-less.mp4', 'complete,face-less', 40, 0],
      ['truncated.mp4', 'truncated', 31, 9],
      ['unfinished.mp4', 'unfinished', 10, 30],
    ])
  })

  it('gives the same sum from the incomplete clips alone, without forgotten clips', () => {
    const archive = mixedArchive()
    const sum = sumCoverage(readCoverage(archive))
    assert.deepEqual(
      [sum.clips, sum.incomplete, sum.unknownLength, sum.hours * 3600, sum.notLookedAtHours * 3600],
      [10, 8, 3, 280, 54],
    )
    const { 'face-less': faceless, forgotten, ...states } = sum.states
    assert.deepEqual([faceless, forgotten], [1, 1])
    assert.deepEqual(summariseCoverage(archive), { ...sum, states })
  })

  it('of a folder contains the clips below it, grouped by folder', () => {
    const clips = readCoverage(mixedArchive())
    assert.deepEqual(
      [...byFolder(clips)].map(([folder, own]) => [folder, own.length]),
      [
        ['/films', 10],
        ['/films/sub', 1],
      ],
    )
    assert.deepEqual(
      within(clips, '/films/sub').map(({ clipId }) => clipId),
      ['sub/face-less'],
    )
    assert.deepEqual(within(clips, '/films/su'), [])
  })

  it('marks clips without an existing file', () => {
    const { archive, key } = emptyArchive()
    const folder = temporaryDir()
    mkdirSync(join(folder, 'there'))
    writeFileSync(join(folder, 'there/a.mp4'), 'a')
    const { rootId } = archive.files.rootFor(folder)
    for (const [clipId, path] of [
      ['a', 'gone.mp4'],
      ['a', 'there/a.mp4'],
      ['b', 'b.mp4'],
    ] as const) {
      archive.files.record(rootId, path, stamp, clipId)
      archive.clips.plan(key(clipId), facts, 1, true)
      archive.clips.storeSegment(key(clipId), segmentOutput(0, 1))
    }
    const states = new Map(markMissing(readCoverage(archive)).map((clip) => [clip.clipId, clip.states]))
    assert.deepEqual([states.get('a'), states.get('b')], [['complete'], ['complete', 'missing']])
  })

  it('of a clip that is processed again is that of its earlier run, unless the models have changed', () => {
    const { archive, key } = emptyArchive()
    archive.clips.plan(key('a'), facts, 1, true)
    archive.clips.storeSegment(key('a'), segmentOutput(0, 1))
    const anew = { ...recipe, digest: 'r2' }
    writeArchiveRecipe(archive.database, anew)
    archive.clips.plan({ ...key('a'), recipe: 'r2' }, facts, 1, true)
    assert.deepEqual(coverageOfClip(archive, 'a')?.states, ['complete'])
    activateSpace(archive.database, { ...anew, spaceDigest: 's2' }, 2)
    const other = coverageOfClip(archive, 'a')
    assert.deepEqual([other?.states, other?.notLookedAtS], [['unfinished'], 40])
    assert.equal(coverageOfClip(archive, 'nowhere'), undefined)
  })

  it('is read from an archive with the previous schema, which had no gaps', () => {
    const archive = mixedArchive()
    archive.close()
    bringBackTo(3, archive.dir)
    const migrated = openArchive(archive.dir)
    const clips = readCoverage(migrated)
    migrated.close()
    const unseen = clips.filter(isUnseen).map(({ paths }) => paths[0]?.replace('/films/', ''))
    const kept = ['failed', 'not opened', 'not planned', 'partial', 'truncated', 'unfinished']
    assert.deepEqual(
      unseen,
      kept.map((name) => `${name}.mp4`),
    )
  })
})
