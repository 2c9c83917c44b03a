import assert from 'node:assert/strict'
import { cpSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { findDamage } from '../../index/store/damage.js'
import { comparable, foundFiles, ingest, search, type Answer } from '../support/answers.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { flipStored } from '../support/flip.js'
import { makeSmallArchive, type SmallArchive } from '../support/make-old-archive.js'
import { bringBackTo } from '../support/old-archive.js'

const dir = temporaryDir()
let made: SmallArchive
/** Of Ada, who is in two clips. */
let whole: Answer

const askFor = (archive: string) => ['--name', 'Ada', '--archive', archive]

function copyOf(name: string): string {
  const copy = join(dir, name)
  cpSync(made.archive, copy, { recursive: true })
  return copy
}

/** Flips an exponent's bit in the descriptor of a clip's track; returns the clip's id. */
function damageDescriptor(archive: string, file: string): string {
  const opened = openArchive(archive)
  const row = opened.database
    .prepare<[string], { clipId: string; vector: Buffer }>(
      `SELECT clip_id AS clipId, vector FROM descriptors JOIN tracks USING (track_id) JOIN paths USING (clip_id)
       WHERE relative_path = ?`,
    )
    .get(file)
  opened.close()
  assert.ok(row !== undefined)
  flipStored(archive, row.vector, 3, 6)
  return row.clipId
}

before(async () => {
  made = await makeSmallArchive(dir)
  whole = await search(askFor(made.archive))
  assert.deepEqual(foundFiles(whole), ['costumes.mp4', 'bar.mp4'])
})

describe('an archive of schema 3', () => {
  it('gives the same answers after it is upgraded, with one notice', async () => {
    const archive = copyOf('schema 3')
    bringBackTo(3, archive)
    const first = await cameo(['search', ...askFor(archive), '--json'])
    assert.equal(first.code, 0, first.stderr)
    assert.match(first.stderr, /was upgraded .* Damage from before the upgrade cannot be detected/)
    assert.deepEqual(JSON.parse(first.stdout), whole)
    const second = await cameo(['search', ...askFor(archive), '--json'])
    assert.equal(second.stderr, '')
    assert.deepEqual(JSON.parse(second.stdout), whole)
    const opened = openArchive(archive)
    assert.deepEqual(findDamage(opened.database), [])
    opened.close()
  })
})

describe('a damaged descriptor', () => {
  it('is skipped and reported by a search, named by the deep check, and recomputed by a repair', async () => {
    const archive = copyOf('damaged')
    const clipId = damageDescriptor(archive, 'bar.mp4')
    const path = join(made.clips, 'bar.mp4')
    const run = await cameo(['search', ...askFor(archive), '--json'])
    assert.equal(run.code, 0, run.stderr)
    const answer = jsonLines(run.stdout)[0] ?? {}
    assert.deepEqual(answer.damaged, [{ clipId, path, what: 'descriptors' }])
    // One track of fewer is the person's: that makes it a little likelier.
    const { results } = await search(askFor(archive))
    const [hit] = whole.results
    assert.deepEqual(results, [{ ...hit, probability: results[0]?.probability }])
    assert.match(run.stderr, /bar\.mp4 \(clip [0-9a-f]{12}\): descriptors/)
    assert.match(run.stderr, /cameo ingest --repair .*\[ARCHIVE_DAMAGED\]/)

    const deep = await cameo(['doctor', '--deep', '--archive', archive, '--json'])
    assert.equal(deep.code, 2, deep.stderr)
    const { damaged } = JSON.parse(deep.stdout) as { damaged: unknown }
    assert.deepEqual(damaged, [{ clipId, path, what: 'descriptors' }])

    const repaired = await ingest(['--repair', '--archive', archive])
    assert.equal(repaired.code, 0, repaired.stderr)
    assert.deepEqual(
      repaired.lines.map(({ path, status }) => [basename(path), status]),
      [['bar.mp4', 'done']],
    )
    assert.deepEqual(comparable(await search(askFor(archive))), comparable(whole))
    const after = await cameo(['doctor', '--deep', '--archive', archive])
    assert.match(after.stdout, /✓ archive .*all rows are intact/)
  })

  it('of a clip with a missing file is reported by the repair, and recomputed by the next ingest that finds the file', async () => {
    const archive = copyOf('gone')
    const clipId = damageDescriptor(archive, 'bar.mp4')
    const file = join(made.clips, 'bar.mp4')
    renameSync(file, `${file}.away`)
    const repair = await ingest(['--repair', '--archive', archive])
    renameSync(`${file}.away`, file)
    assert.equal(repair.code, 1, repair.stderr)
    assert.deepEqual(
      repair.lines.map(({ path, clipId: of, code }) => [path, of, code]),
      [[file, clipId, 'CLIP_GONE']],
    )
    const again = await ingest([made.clips, '--archive', archive])
    assert.equal(again.of('bar.mp4').status, 'done')
    assert.equal(again.of('costumes.mp4').status, 'unchanged')
    assert.deepEqual(comparable(await search(askFor(archive))), comparable(whole))
  })
})
