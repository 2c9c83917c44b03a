import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  parseBox,
  parseGaps,
  parseLeftOut,
  parseSpans,
  readSpans,
} from '../../../../index/store/clip-columns.js'
import {
  readCoverageRows,
  readPathRows,
  segmentRowsReader,
  sumClips,
} from '../../../../index/store/coverage-rows.js'
import { embeddingsBy, facesOfRecipe, trackEmbeddingsReader } from '../../../../index/store/stored-faces.js'
import {
  bestThumbnailReader,
  finishedClips,
  readDescribedSpans,
  spansOfRecipe,
} from '../../../../index/store/stored-tracks.js'
import { damageRows } from '../../../support/damage-rows.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'

const [a, b] = [clipIdOf('a'), clipIdOf('b')]

describe('stored faces', () => {
  it('are read by clip and track, the best of each track first', () => {
    const { database } = filledArchive(['b', 'a'])
    database.prepare('UPDATE faces SET quality = 0.75 WHERE face_id = 2').run()
    assert.deepEqual(
      [...facesOfRecipe(database, 'r')].map(({ clipId, trackId, faceId }) => [clipId, trackId, faceId]),
      [[a, 2, 3], [a, 2, 4], [b, 1, 2], [b, 1, 1]],
    ) // prettier-ignore
    assert.deepEqual([...facesOfRecipe(database, 'r')][0]?.boxXyxyPx, [0, 0, 10, 10])
    assert.deepEqual([...facesOfRecipe(database, 'another')], [])
  })

  it('have their embeddings, of one embedder or of one track', () => {
    const { database } = filledArchive(['a', 'b'])
    const all = new Map([...embeddingsBy(database, 'e')].map(({ faceId, float16 }) => [faceId, float16]))
    assert.deepEqual([...all.keys()].sort(), [1, 2, 3, 4])
    assert.deepEqual(
      trackEmbeddingsReader(database)(2),
      [3, 4].map((faceId) => ({ faceId, quality: 0.5, embedder: 'e', float16: all.get(faceId) })),
    )
    assert.deepEqual([...embeddingsBy(database, 'another')], [])
  })
})

describe('stored tracks', () => {
  it('have their spans, and the quality of their best face', () => {
    const { database } = filledArchive(['a'])
    database.prepare('UPDATE faces SET quality = 0.75 WHERE face_id = 2').run()
    assert.deepEqual(spansOfRecipe(database, 'r'), [{ clipId: a, spansS: [[0, 3]] }])
    const [track] = readDescribedSpans(database)
    assert.deepEqual([track?.clipId, track?.quality, track?.spansS], [a, 0.75, [[0, 3]]])
    assert.equal(track?.descriptor.length, 128)
  })

  it('of unfinished clips are not listed as finished', () => {
    const { database } = filledArchive(['b', 'a'])
    assert.deepEqual(finishedClips(database, 'r'), [a, b])
    database.prepare("UPDATE runs SET state = 'working' WHERE clip_id = ?").run(a)
    assert.deepEqual(finishedClips(database, 'r'), [b])
  })

  it('give the thumbnail of a clip, unless it is damaged', () => {
    const { database } = filledArchive(['a', 'b'])
    damageRows(database, "UPDATE thumbnails SET jpeg = x'00' WHERE track_id = 2")
    const thumbnailOf = bestThumbnailReader(database)
    assert.equal(thumbnailOf(a)?.length, 512)
    assert.deepEqual([thumbnailOf(b), thumbnailOf('unknown')], [undefined, undefined])
  })
})

describe('the data for coverage', () => {
  it('includes runs; those of other recipes are searched while they have descriptors', () => {
    const { database } = filledArchive(['a'])
    const [own] = readCoverageRows(database, 'r', 'all')
    assert.deepEqual(own, {
      ...{ clipId: a, durationS: 20, leftOut: [], recipe: 'r', segments: 1, state: 'done' },
      ...{ truncated: false, hasGaps: false, hasTracks: true, hasErased: false, isSearched: true },
    })
    assert.equal(readCoverageRows(database, 'another', 'all')[0]?.isSearched, true)
    database.prepare('UPDATE spaces SET active = 0').run()
    assert.equal(readCoverageRows(database, 'another', 'all')[0]?.isSearched, false)
  })

  it('can be limited to incomplete runs, or to one clip', () => {
    const { database } = filledArchive(['a', 'b'])
    assert.deepEqual(readCoverageRows(database, 'r', 'unseen'), [])
    database.prepare('UPDATE runs SET truncated = 1 WHERE clip_id = ?').run(b)
    assert.deepEqual(
      readCoverageRows(database, 'r', 'unseen').map(({ clipId }) => clipId),
      [b],
    )
    assert.deepEqual(
      readCoverageRows(database, 'r', { clipId: a }).map(({ clipId }) => clipId),
      [a],
    )
  })

  it('includes segments, with the end of the last face for a truncated file', () => {
    const { database } = filledArchive(['a'])
    const segmentsOf = segmentRowsReader(database)
    const whole = {
      ...{ index: 0, startS: 0, endS: 20, state: 'done', frames: 40, truncated: false, gapsS: [] },
      ...{ code: undefined, message: undefined, lastFaceS: undefined },
    }
    assert.deepEqual(segmentsOf(a, 'r'), [whole])
    database.exec("UPDATE segments SET truncated = 1, end_s = NULL, gaps = '[[1, 2]]'")
    const cut = { ...whole, truncated: true, endS: undefined, gapsS: [[1, 2]], lastFaceS: 3 }
    assert.deepEqual(segmentsOf(a, 'r'), [cut])
    assert.deepEqual(segmentsOf(a, 'another'), [])
  })

  it('includes files, and whether a clip with their content is stored', () => {
    const { database, files } = filledArchive(['a'])
    const { rootId } = files.rootFor('/films')
    files.recordFailed(
      rootId,
      'bad.mp4',
      { device: '', inode: '', sizeBytes: 0, mtimeNs: '' },
      { code: 'CLIP_EMPTY', message: 'empty' },
    )
    const bad = {
      ...{ path: '/films/bad.mp4', clipId: undefined, code: 'CLIP_EMPTY', message: 'empty' },
      isWithoutClip: true,
    }
    assert.deepEqual(readPathRows(database, 'withoutClip'), [bad])
    assert.equal(readPathRows(database, 'all').length, 3)
  })

  it('excludes damaged rows', () => {
    const { database } = filledArchive(['a', 'b'])
    damageRows(
      database,
      `UPDATE clips SET duration_s = 7 WHERE clip_id = '${a}'; UPDATE paths SET size_bytes = 1`,
    )
    assert.deepEqual(sumClips(database), { clips: 1, durationS: 20 })
    assert.deepEqual(
      readCoverageRows(database, 'r', 'all').map(({ clipId }) => clipId),
      [b],
    )
    assert.deepEqual(readPathRows(database, 'all'), [])
  })
})

describe('a column of JSON', () => {
  it('is read as Cameo writes it', () => {
    assert.deepEqual(parseSpans('[[0, 1.5], [3, 4]]'), [[0, 1.5], [3, 4]]) // prettier-ignore
    assert.deepEqual(parseGaps('[]'), [])
    assert.deepEqual([parseLeftOut(null), parseLeftOut('["a stream"]')], [[], ['a stream']])
    assert.deepEqual(parseBox('[0, 1, 2, 3]'), [0, 1, 2, 3])
  })

  it('is refused if it is anything else', () => {
    const damaged = { code: 'ARCHIVE_DAMAGED', message: /repair the archive/ }
    assert.throws(() => parseSpans('[[0]]'), damaged)
    assert.throws(() => parseBox('[0, 1, 2]'), damaged)
    assert.throws(() => parseLeftOut('[1]'), damaged)
    assert.throws(() => parseGaps('{'), damaged)
    assert.deepEqual([readSpans('[[0, 1]]'), readSpans('[[0]]'), readSpans('[[0')], [[[0, 1]], undefined, undefined]) // prettier-ignore
  })
})
