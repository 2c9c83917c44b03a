import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { contextFeaturesOf } from '../../index/store/context.js'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { tinyContext, writeJson, writeTinyContext, writeTwinEmbedder } from '../support/encoders.js'
import { ffmpeg, makeFaceClip } from '../support/faces.js'
import { frameGrey, numberedFrames } from './make-video.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const plain = join(dir, 'plain')
const archive = join(dir, 'archive')

let embedderFile = ''
let contextFile = ''

const ingest = (into: string, ...args: readonly string[]) =>
  cameo(['ingest', folder, '--archive', into, '--segment', '3', ...args])

const withEncoders = () => ['--embedder', embedderFile, '--context', contextFile]

interface Counts {
  readonly faces: number
  readonly embeddings: number
  readonly contexts: number
}

function countsOf(of: string): Counts | undefined {
  const opened = openArchive(of)
  const { database } = opened
  try {
    return database
      .prepare<[], Counts>(
        `SELECT (SELECT count(*) FROM faces) AS faces, (SELECT count(*) FROM embeddings) AS embeddings,
           (SELECT count(*) FROM context_features) AS contexts`,
      )
      .get()
  } finally {
    opened.close()
  }
}

/** The tiny encoder's output for a frame of `numberedFrames`: one sixteenth is white. Length 1. */
function greyVector(n: number): readonly [number, number] {
  const level = (15 * frameGrey(n) + 255) / 16 / 255
  const length = Math.hypot(level, 1 - level)
  return [level / length, (1 - level) / length]
}

describe('ingest: further embedders and context encoders', () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'face.mp4'), 'costumes right', { seconds: 4, then: ['sofa left'] })
    // 5 s: two segments, represented by the frames 0, 25, 50 and 75, 100.
    await ffmpeg(...numberedFrames({ seconds: 5 }), '-c:v', 'libx264', '-qp', '4', join(folder, 'grey.mp4'))
    embedderFile = writeTwinEmbedder(dir)
    contextFile = writeTinyContext(dir)
    for (const [into, args] of [
      [plain, []],
      [archive, withEncoders()],
    ] as const) {
      const run = await ingest(into, ...args, '--threads', '2')
      assert.equal(run.code, 0, run.stderr)
    }
  })

  it('the further embeddings belong to the same faces as the pack’s own', () => {
    const opened = openArchive(archive)
    const { database, recipe } = opened
    const digest = recipe?.features?.[0]?.digest ?? ''
    assert.notEqual(digest, recipe?.embedderDigest)
    const pairs = database
      .prepare<[string, string], { own: Buffer; other: Buffer | null; ownNorm: number; otherNorm: number }>(
        `SELECT own.vector AS own, other.vector AS other, own.norm AS ownNorm, other.norm AS otherNorm
         FROM faces JOIN embeddings own ON own.face_id = faces.face_id AND own.embedder = ?
         LEFT JOIN embeddings other ON other.face_id = faces.face_id AND other.embedder = ?`,
      )
      .all(recipe?.embedderDigest ?? '', digest)
    opened.close()
    assert.ok(pairs.length >= 8)
    for (const { own, other, ownNorm, otherNorm } of pairs) {
      assert.deepEqual(other, own)
      assert.equal(otherNorm, ownNorm)
    }
  })

  it('everything else is the same as without them', () => {
    const rest = (of: string) => {
      const opened = openArchive(of)
      const { database, recipe } = opened
      const other = recipe?.features?.[0]?.digest ?? ''
      const dump = [
        ...database
          .prepare('SELECT segment, frames, faces, truncated FROM segments ORDER BY clip_id, segment')
          .all(),
        ...database
          .prepare('SELECT spans, samples, quality FROM tracks ORDER BY clip_id, segment, number')
          .all(),
        ...database
          .prepare(
            'SELECT box, landmarks, quality, norm, vector FROM faces JOIN embeddings USING (face_id) WHERE embedder <> ? ORDER BY face_id',
          )
          .all(other),
        ...database.prepare('SELECT vector FROM descriptors ORDER BY label').all(),
      ]
      opened.close()
      return dump.map((row) => JSON.stringify(row)).sort()
    }
    assert.deepEqual(rest(archive), rest(plain))
    const counts = countsOf(plain)
    assert.ok(counts !== undefined && counts.faces > 0)
    assert.deepEqual(counts, { faces: counts.faces, embeddings: counts.faces, contexts: 0 })
  })

  it('a clip without a face has the context computed from the known greys of its frames', () => {
    const opened = openArchive(archive)
    const feature = opened.recipe?.features?.[1]
    const ids = new Map(
      opened.database
        .prepare<[], { path: string; clipId: string }>(
          'SELECT relative_path AS path, clip_id AS clipId FROM paths',
        )
        .all()
        .map(({ path, clipId }) => [clipId, path]),
    )
    const contexts = [...contextFeaturesOf(opened.database, feature?.digest ?? '')].map((row) => ({
      ...row,
      path: ids.get(row.clipId),
    }))
    opened.close()
    const { kind, name, dimension } = tinyContext
    assert.deepEqual([feature?.kind, feature?.name, feature?.dimension], [kind, name, dimension])
    const grey = contexts.filter(({ path }) => path === 'grey.mp4')
    assert.deepEqual(
      grey.map(({ segment, frames }) => [segment, frames]),
      [
        [0, 3],
        [1, 2],
      ],
    )
    for (const [index, numbers] of [
      [0, [0, 25, 50]],
      [1, [75, 100]],
    ] as const) {
      const vectors = numbers.map(greyVector)
      const stored = decodeFloat16(grey[index]?.vector ?? new Uint16Array(0))
      for (const axis of [0, 1] as const) {
        const mean = vectors.reduce((sum, vector) => sum + vector[axis], 0) / vectors.length
        assert.ok(Math.abs((stored[axis] ?? NaN) - mean) < 0.01, `${index}: ${stored.join()} for ${mean}`)
      }
    }
    // The frames differ, so that another choice of frames would be noticed.
    assert.ok(Math.abs(greyVector(0)[0] - greyVector(25)[0]) > 0.1)
    assert.deepEqual(
      contexts.filter(({ path }) => path === 'face.mp4').map(({ segment, frames }) => [segment, frames]),
      [
        [0, 3],
        [1, 1],
      ],
    )
  })

  it('gives the same rows with one thread; the archive remembers its encoders', async () => {
    const one = join(dir, 'one')
    const first = await ingest(one, ...withEncoders(), '--threads', '1')
    assert.equal(first.code, 0, first.stderr)
    assert.deepEqual(dumpArchive(one), dumpArchive(archive))
    const again = await ingest(one, '--threads', '1', '--json')
    assert.equal(again.code, 0, again.stderr)
    assert.equal(again.stdout.match(/"status":"unchanged"/g)?.length, 2)
    const status = await cameo(['status', '--archive', one])
    assert.match(
      status.stdout,
      /embedder twin \(512 values, [0-9a-f]{12}\)\n +context encoder tiny \(2 values/,
    )
    const json = JSON.parse((await cameo(['status', '--archive', one, '--json'])).stdout) as {
      recipe: { features: { name: string; source: string }[] }
    }
    assert.deepEqual(
      json.recipe.features.map(({ name, source }) => [name, source]),
      [
        ['twin', embedderFile],
        ['tiny', contextFile],
      ],
    )
  })

  it('search answers as before', async () => {
    const clip = join(folder, 'face.mp4')
    const answers: unknown[] = []
    for (const of of [plain, archive]) {
      const run = await cameo(['search', '--clip', clip, '--archive', of, '--json', '--min-score', '0.1'])
      assert.equal(run.code, 0, run.stderr)
      answers.push(
        (JSON.parse(run.stdout) as { results: { clipId: string; score: number }[] }).results.map(
          ({ clipId, score }) => [clipId, score],
        ),
      )
    }
    assert.deepEqual(answers[1], answers[0])
  })

  it('other encoders are another recipe: refused with the names of both, accepted with --reprocess', async () => {
    const run = await ingest(plain, ...withEncoders())
    assert.equal(run.code, 2)
    assert.match(run.stderr, /context encoder tiny \(2 values/)
    assert.match(run.stderr, /ARCHIVE_OTHER_RECIPE/)
    assert.equal(countsOf(plain)?.contexts, 0)
    const anew = await ingest(plain, ...withEncoders(), '--reprocess')
    assert.equal(anew.code, 0, anew.stderr)
    const dump = (of: string) => dumpArchive(of).filter((line) => !line.startsWith('spaces '))
    assert.deepEqual(dump(plain), dump(archive))
  })

  it('a file that does not match its model ends the command before anything is written', async () => {
    const wrong = join(dir, 'wrong')
    const bad = writeJson(join(dir, 'bad.json'), { ...tinyContext, dimension: 3 })
    // One thread that fails ends the others, which still load their models.
    const run = await ingest(wrong, '--context', bad, '--threads', '4')
    assert.equal(run.code, 2)
    assert.match(
      run.stderr,
      /bad\.json does not fit its model .*tiny\.onnx: it states 3 values, but the model returns 2/,
    )
    const opened = openArchive(wrong)
    assert.equal(opened.recipe, undefined)
    opened.close()
    const swapped = await ingest(wrong, '--embedder', contextFile)
    assert.equal(swapped.code, 2)
    assert.match(swapped.stderr, /give it with --context/)
  })

  it('forgetting a clip erases its vectors', async () => {
    for (const name of ['face.mp4', 'grey.mp4']) {
      const run = await cameo(['forget', '--clip', join(folder, name), '--archive', archive])
      assert.equal(run.code, 0, run.stderr)
    }
    assert.deepEqual(countsOf(archive), { faces: 0, embeddings: 0, contexts: 0 })
    rmSync(archive, { recursive: true })
  })
})
