import assert from 'node:assert/strict'
import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { toFloat32 } from '../../index/store/blobs.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { writeUntrainedHead } from '../../scripts/bench/bench-head.js'
import { comparable, ingest, search } from '../support/answers.js'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { writeTwinEmbedder } from '../support/encoders.js'
import { faceNames, makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { onnxFile } from '../support/onnx.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const plain = join(dir, 'plain')
const identity = join(dir, 'identity.onnx')
const changing = join(dir, 'changing.onnx')
const { dimension } = findPack('lite').embedder

/** Clips, tracks and faces with everything but their descriptors. */
const rowsOf = (archive: string) => dumpArchive(archive).filter((line) => !line.startsWith('descriptor '))

/** Of the space that is searched, in the order of clips and tracks. */
function descriptorsOf(dir: string): Float32Array[] {
  const archive = openArchive(dir)
  try {
    return archive.database
      .prepare<[], { vector: Buffer }>(
        `SELECT vector FROM descriptors JOIN spaces USING (space_id) JOIN tracks USING (track_id)
         WHERE active = 1 ORDER BY clip_id, segment, number`,
      )
      .all()
      .map(({ vector }) => toFloat32(vector))
  } finally {
    archive.close()
  }
}

/** The largest difference of two values; infinite where the rows do not correspond. */
function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  if (a.length !== b.length || a.length === 0) return Infinity
  return Math.max(
    ...a.flatMap((row, i) =>
      row.length === b[i]?.length
        ? [...row].map((value, k) => Math.abs(value - (b[i]?.[k] ?? NaN)))
        : [Infinity],
    ),
  )
}

function embedderOf(archive: string): string {
  const opened = openArchive(archive)
  const digest = opened.recipe?.embedderDigest ?? ''
  opened.close()
  return digest
}

const copyOf = (archive: string, name: string): string => {
  const copy = join(dir, name)
  cpSync(archive, copy, { recursive: true })
  return copy
}

async function apply(archive: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const run = await cameo(['head', 'apply', ...args, '--archive', archive, '--json'])
  assert.equal(run.code, 0, run.stdout + run.stderr)
  return JSON.parse(run.stdout) as Record<string, unknown>
}

describe('head apply', () => {
  before(async () => {
    mkdirSync(folder)
    for (const name of faceNames.slice(0, 3))
      await makeFaceClip(join(folder, `${name}.mp4`), name, { seconds: 1 })
    assert.equal((await ingest([folder, '--archive', plain])).code, 0)
    const embedders = [{ digest: embedderOf(plain), name: 'lite', dimension }]
    writeUntrainedHead(identity, { embedders, classes: 3, width: 64, change: 0 })
    writeUntrainedHead(changing, { embedders, classes: 3, width: 64, change: 1 })
  })

  it('makes an archive equal to one that was ingested with the head, and later ingests continue', async () => {
    const ingested = join(dir, 'ingested')
    assert.equal((await ingest([folder, '--archive', ingested, '--head', changing])).code, 0)
    const applied = copyOf(plain, 'applied')
    const told = await apply(applied, changing)
    assert.deepEqual([told.status, told.described, told.tracks], ['done', 3, 3])
    assert.deepEqual(rowsOf(applied), rowsOf(ingested))
    assert.ok(distance(descriptorsOf(applied), descriptorsOf(ingested)) < 1e-6)
    assert.ok(distance(descriptorsOf(applied), descriptorsOf(plain)) > 0.01, 'the head changes something')

    const photo = await makeFacePhoto(join(dir, 'photo.jpg'), faceNames[0] ?? 'sofa left')
    const ask = async (archive: string) => {
      const answer = comparable(await search(['--image', photo, '--archive', archive, '--min-score', '-1']))
      const isMeasured = answer.expectedFalseMatches !== null
      assert.equal(isMeasured, archive === plain, 'the rate was measured without a head')
      const scores = answer.results.map(({ score }) => score)
      return { scores, rest: answer.results.map(({ clipId, ranges }) => [clipId, ranges.length]) }
    }
    const [own, other, without] = [await ask(applied), await ask(ingested), await ask(plain)]
    assert.deepEqual(own.rest, other.rest)
    assert.equal(own.scores.length, 3)
    own.scores.forEach((score, i) => assert.ok(Math.abs(score - (other.scores[i] ?? NaN)) < 1e-5))
    assert.ok(own.scores.some((score, i) => Math.abs(score - (without.scores[i] ?? NaN)) > 0.01))

    const again = await apply(applied, changing)
    assert.deepEqual([again.status, again.described], ['unchanged', 0])
    const more = await ingest([folder, '--archive', applied])
    assert.deepEqual(new Set(more.lines.map(({ status }) => status)), new Set(['unchanged']))
  })

  it('keeps the descriptors with a head that adds nothing; --none restores the archive bit by bit', async () => {
    const archive = copyOf(plain, 'and-back')
    await apply(archive, identity)
    assert.ok(distance(descriptorsOf(archive), descriptorsOf(plain)) < 1e-6)
    await apply(archive, changing)
    await apply(archive, '--none')
    assert.deepEqual(dumpArchive(archive), dumpArchive(plain))
    const opened = openArchive(archive)
    const count = opened.database.prepare<[], number>('SELECT count(*) FROM descriptors').pluck().get()
    assert.equal(count, descriptorsOf(plain).length, 'the old descriptors are erased')
    assert.equal(opened.recipe?.headFile, undefined)
    opened.close()
  })

  it('uses both embedders of a head with two, at ingest, afterwards, and in a search', async () => {
    // The same vector twice, so cosines are as without it.
    const twin = writeTwinEmbedder(dir)
    const archive = join(dir, 'twins')
    assert.equal((await ingest([folder, '--archive', archive, '--embedder', twin])).code, 0)
    const opened = openArchive(archive)
    const own = opened.recipe?.embedderDigest ?? ''
    const further = opened.recipe?.features?.[0]?.digest ?? ''
    opened.close()
    const head = join(dir, 'two.onnx')
    const embedders = [
      { digest: further, name: 'twin', dimension },
      { digest: own, name: 'lite', dimension },
    ]
    writeUntrainedHead(head, { embedders, classes: 3, width: 64, change: 0 })
    const refused = await cameo(['head', 'apply', head, '--archive', plain])
    assert.match(refused.stderr, /twin .*lite .*\[HEAD_OTHER_EMBEDDER\]/s)

    await apply(archive, head)
    const expected = descriptorsOf(plain).map((row) =>
      Float32Array.from([...row, ...row], (value) => value / Math.SQRT2),
    )
    assert.ok(distance(descriptorsOf(archive), expected) < 1e-6)
    const ingested = join(dir, 'twins-ingested')
    const args = ['--archive', ingested, '--embedder', twin, '--head', head]
    assert.equal((await ingest([folder, ...args])).code, 0)
    assert.deepEqual(rowsOf(archive), rowsOf(ingested))
    assert.ok(distance(descriptorsOf(archive), descriptorsOf(ingested)) < 1e-6)
    const photo = await makeFacePhoto(join(dir, 'both.jpg'), faceNames[1] ?? 'sofa left')
    const scores = async (of: string) =>
      (await search(['--image', photo, '--archive', of, '--min-score', '-1'])).results.map(
        ({ score }) => score,
      )
    const [twice, once] = [await scores(archive), await scores(plain)]
    assert.equal(twice.length, 3)
    twice.forEach((score, i) => assert.ok(Math.abs(score - (once[i] ?? NaN)) < 1e-4, `${score}, ${once[i]}`))

    // Enrolled faces have both, too; those that do not are refused.
    const byName = async () =>
      (await search(['--name', 'Ada', '--archive', archive, '--min-score', '-1'])).results.map(
        ({ score }) => score,
      )
    const enrolled = await cameo(['enroll', 'Ada', photo, '--archive', archive])
    assert.equal(enrolled.code, 0, enrolled.stderr)
    assert.match(enrolled.stdout, /enrolled with 1 face \(/)
    assert.deepEqual(await byName(), twice)
    const opened2 = openArchive(archive)
    opened2.database.prepare('DELETE FROM reference_faces WHERE embedder = ?').run(further)
    opened2.close()
    const old = await cameo(['search', '--name', 'Ada', '--archive', archive])
    assert.match(old.stderr, /enroll their photos again.*\[HEAD_OTHER_EMBEDDER\]/s)
  })

  it('refuses a head of another embedder and names both, in every command', async () => {
    const head = join(dir, 'foreign.onnx')
    const embedders = [{ digest: 'f'.repeat(64), name: 'buffalo', dimension }]
    writeUntrainedHead(head, { embedders, classes: 3, width: 64, change: 0 })
    const before = dumpArchive(plain)
    for (const args of [
      ['head', 'apply', head, '--archive', plain],
      ['ingest', folder, '--archive', join(dir, 'never'), '--head', head],
    ]) {
      const run = await cameo(args)
      assert.equal(run.code, 2)
      assert.match(
        run.stderr,
        /foreign\.onnx .*buffalo \(f{12}\).* lite \([0-9a-f]{12}\).*\[HEAD_OTHER_EMBEDDER\]/,
      )
    }
    assert.deepEqual(dumpArchive(plain), before)

    // An archive whose head's file was exchanged for another's.
    const archive = copyOf(plain, 'exchanged')
    const own = join(dir, 'own.onnx')
    cpSync(identity, own)
    await apply(archive, own)
    cpSync(head, own)
    const photo = await makeFacePhoto(join(dir, 'exchanged.jpg'), 'sofa left')
    const run = await cameo(['search', '--image', photo, '--archive', archive])
    assert.equal(run.code, 2)
    assert.match(run.stderr, /ARCHIVE_OTHER_RECIPE|HEAD_OTHER_EMBEDDER/)
    // A lost or exchanged head is no hindrance to taking it away.
    await apply(archive, '--none')
    assert.deepEqual(dumpArchive(archive), before)
  })

  it('refuses a file that is not a head, and leaves the archive unchanged', async () => {
    const before = dumpArchive(plain)
    const text = join(dir, 'text.onnx')
    writeFileSync(text, 'this is no ONNX file, whatever its name says\n'.repeat(20))
    const nan = join(dir, 'nan.onnx')
    const embedders = [{ digest: embedderOf(plain), name: 'lite', dimension }]
    writeUntrainedHead(nan, { embedders, classes: 3, width: 64, change: Number.NaN })
    const narrow = join(dir, 'narrow.onnx')
    const slice = { opType: 'Slice', inputs: ['x', 'from', 'to', 'axis'], output: 'descriptor' }
    writeFileSync(
      narrow,
      onnxFile({
        ...{ inputDims: [1, 128], outputDims: [1, 64], nodes: [slice], vectorsAs: 'initializers' },
        vectors: { from: [0], to: [64], axis: [1] },
      }),
    )
    for (const [head, says] of [
      [text, /text\.onnx is not an ONNX file.*\[HEAD_INVALID\]/],
      [nan, /nan\.onnx returns values that are not numbers.*\[HEAD_INVALID\]/],
      [narrow, /narrow\.onnx does not take embeddings of 512 values.*\[HEAD_INVALID\]/],
      [join(dir, 'gone.onnx'), /gone\.onnx cannot be read.*\[MODEL_UNREADABLE\]/],
    ] as const)
      for (const args of [
        ['head', 'apply', head, '--archive', plain],
        ['ingest', folder, '--archive', join(dir, 'never'), '--head', head],
      ]) {
        const run = await cameo(args)
        assert.equal(run.code, 2)
        assert.match(run.stderr, says)
      }
    const both = await cameo(['head', 'apply', identity, '--none', '--archive', plain])
    assert.match(both.stderr, /either .* or --none.*\[USAGE\]/)
    assert.deepEqual(dumpArchive(plain), before)
  })
})
