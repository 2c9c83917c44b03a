import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { acrossNoGap, adjacencyOf, joinRanges } from '../../../../index/search/join-ranges.js'
import { chooseVectorEngine } from '../../../../index/archive/choose-engine.js'
import { openArchiveIndex } from '../../../../index/archive/open-archive-index.js'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { searchClips } from '../../../../index/search/search-clips.js'
import { createDescriptorStore } from '../../../../index/store/descriptors.js'
import { temporaryDir } from '../../../support/cameo.js'
import { averagePrecision } from '../../../support/map.js'
import { RemoteStandIn } from '../../../support/remote-stand-in.js'
import { storeClips } from '../../../support/stored-clips.js'
import type { MatchedRange } from '../../../../index/search/clip-match.js'

const range = (startS: number, endS: number, score = 0.5, trackId = 1): MatchedRange => ({
  startS,
  endS,
  score,
  trackId,
})

const everyQuarter = adjacencyOf({ kind: 'fps', fps: 4 }, () => [])

describe('ranges of a match', () => {
  it('joins adjacent ranges, with the id of the best track', () => {
    const joined = joinRanges(
      [range(600, 640, 0.7, 2), range(570, 599.75, 0.6, 1), range(700, 710)],
      everyQuarter,
    )
    assert.deepEqual(joined, [range(570, 640, 0.7, 2), range(700, 710)])
  })

  it('ignores a range within another one', () => {
    assert.deepEqual(joinRanges([range(0, 50, 0.4), range(10, 20, 0.9, 3)], everyQuarter), [
      range(0, 50, 0.9, 3),
    ])
  })

  it('keeps ranges separate that are more than a second apart', () => {
    assert.equal(joinRanges([range(0, 1), range(2.01, 3)], everyQuarter).length, 2)
    assert.equal(joinRanges([range(0, 1), range(2, 3)], everyQuarter).length, 1)
  })

  it('keeps ranges separate on both sides of a stretch that could not be decoded', () => {
    const aroundGap = acrossNoGap(everyQuarter, [[1.25, 1.75]])
    assert.equal(joinRanges([range(0, 1), range(1.75, 3)], aroundGap).length, 2)
    assert.equal(joinRanges([range(2, 2.5), range(3, 4)], aroundGap).length, 1)
  })

  it('joins the next frame but not the one after it, if frames are farther apart than a second', () => {
    const every5s = adjacencyOf({ kind: 'fps', fps: 0.2 }, () => [])
    assert.deepEqual(joinRanges([range(0, 595), range(600, 1195)], every5s), [range(0, 1195)])
    assert.equal(joinRanges([range(0, 590), range(600, 1195)], every5s).length, 2)
  })

  it('uses the average distance of key frames, and allows more at the border of a segment', () => {
    const segments = [0, 600, 1200].map((startS) => ({ startS, endS: startS + 600, frames: 150 }))
    const every4s = adjacencyOf({ kind: 'keyframes' }, () => segments)
    assert.deepEqual(joinRanges([range(0, 300), range(304, 598)], every4s), [range(0, 598)])
    assert.equal(joinRanges([range(0, 300), range(308, 598)], every4s).length, 2)
    assert.deepEqual(joinRanges([range(0, 596), range(606, 1190)], every4s), [range(0, 1190)])
    assert.equal(joinRanges([range(0, 580), range(606, 1190)], every4s).length, 2)
    assert.equal(
      joinRanges(
        [range(0, 1), range(2.5, 3)],
        adjacencyOf({ kind: 'keyframes' }, () => []),
      ).length,
      2,
    )
  })
})

describe('a search through an engine elsewhere', () => {
  it('omits a clip that is forgotten during the search', async () => {
    const dir = temporaryDir()
    storeClips(dir, 6).close()
    const server = new RemoteStandIn({ latencyMs: 2 })
    const archive = openArchive(dir, { engines: { elsewhere: server.factory } })
    await chooseVectorEngine(archive, 'elsewhere')
    const index = await openArchiveIndex(archive)
    const [label, query] = [
      1,
      createDescriptorStore(archive.database).liveAfter(1, -1, 1).descriptors[0]?.vector,
    ]
    assert.ok(query instanceof Float32Array)
    const search = () => searchClips(archive, index, query, { top: 9, minScore: 0.5 })
    const before = await search()
    assert.deepEqual(before.matches.map(({ clipId }) => clipId[0]), ['0', '3']) // prettier-ignore
    assert.equal(before.matches[0]?.ranges[0]?.trackId, label)

    let searches = 0
    server.onSearch = () => {
      if (++searches === 1) forgetClip(archive.database, '0'.repeat(64))
    }
    const after = await search()
    assert.equal(searches, 1)
    assert.deepEqual(after.matches, before.matches.slice(1))
    assert.deepEqual(after.damage, [])
    await index.close()
    archive.close()
  })

  it('looks up earlier hits again if something was erased between two rounds', async () => {
    const archive = storeClips(temporaryDir(), 6)
    const found = [1, 13].map((label) => ({ label, cosineSimilarity: 0.9 }))
    // 18 of 18 requested neighbours are returned, so a second round follows.
    const padding = Array.from({ length: 16 }, (_, i) => ({ label: 1000 + i, cosineSimilarity: 0.8 }))
    let rounds = 0
    const index = {
      size: 24,
      search() {
        if (++rounds === 2) forgetClip(archive.database, '0'.repeat(64))
        return Promise.resolve([[...found, ...padding]])
      },
    }
    const query = createDescriptorStore(archive.database).liveAfter(1, -1, 1).descriptors[0]?.vector
    assert.ok(query instanceof Float32Array)
    const { matches } = await searchClips(archive, index, query, { top: 9, minScore: 0.5 })
    assert.equal(rounds, 2)
    assert.deepEqual(matches.map(({ clipId }) => clipId[0]), ['3']) // prettier-ignore
    archive.close()
  })
})

describe('average precision', () => {
  it('equals a table computed by hand', () => {
    // Hits at ranks 1 and 3 of three positives: (1/1 + 2/3) / 3.
    const precision = averagePrecision(['a', 'x', 'b', 'y'], new Set(['a', 'b', 'c']))
    assert.ok(Math.abs(precision - (1 + 2 / 3) / 3) < 1e-12)
  })
})
