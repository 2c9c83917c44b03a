import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import {
  assertRefused,
  foundFiles,
  ingest,
  ingested,
  search,
  type Answer,
  type Ingested,
} from '../support/answers.js'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { faceNames, makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { canMount, filesUpTo, ownMounts, permissionsCount } from '../support/restricted.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
let photo: string
let whole: string[]

const countOf = ({ lines }: Ingested, status: string) => lines.filter((line) => line.status === status).length

const clipCount = faceNames.length

/**
 * Room for a log of the first clips only. It holds each page at least once, those of the tables twice, also where all clips are
 * written in one commit.
 */
const littleSpace = () => Math.ceil(1.25 * statSync(join(dir, 'whole', 'cameo.sqlite')).size)

async function statusOf(archive: string): Promise<unknown> {
  const { stdout } = await cameo(['status', '--archive', archive, '--json'])
  return JSON.parse(stdout)
}

before(async () => {
  mkdirSync(folder)
  for (const [number, face] of faceNames.slice(0, clipCount).entries())
    await makeFaceClip(join(folder, `${String(number).padStart(2, '0')}.mp4`), face, { seconds: 1 })
  photo = await makeFacePhoto(join(dir, 'photo.jpg'), faceNames[0] ?? 'sofa left')
  const run = await ingest([folder, '--archive', join(dir, 'whole')])
  assert.equal(run.code, 0, run.stderr)
  whole = dumpArchive(join(dir, 'whole'))
})

describe('archive: a full disk', () => {
  it('stops an ingest with ARCHIVE_FULL; stored clips are found, and the same command completes it later', async () => {
    const archive = join(dir, 'limited')
    const limited = filesUpTo(littleSpace())
    const full = await ingest([folder, '--archive', archive], limited)
    const message = assertRefused(full, 'ARCHIVE_FULL', archive)
    assert.match(message, /free some space and run the same command again/)
    const stored = countOf(full, 'done')
    assert.ok(stored > 0 && stored < clipCount, `${stored} clips were stored`)
    const all = ['--image', photo, '--archive', archive, '--min-score', '-1', '--top', '100']
    const found = foundFiles(await search(all, limited))
    for (const { path, status } of full.lines)
      if (status === 'done') assert.ok(found.includes(basename(path)), path)
    const fuller = filesUpTo(100_000)
    assertRefused(await ingest([folder, '--archive', archive], fuller), 'ARCHIVE_FULL', archive)

    const after = await ingest([folder, '--archive', archive])
    assert.equal(after.code, 0, after.stderr)
    assert.equal(countOf(after, 'done') + countOf(after, 'unchanged'), clipCount)
    assert.ok(countOf(after, 'unchanged') >= stored)
    assert.deepEqual(dumpArchive(archive), whole)
  })

  if (canMount())
    it('of a separate file system stops an ingest with ARCHIVE_FULL, and the ingest completes after space is freed', async () => {
      const archive = join(dir, 'small disk')
      mkdirSync(archive)
      // The command runs twice: on an almost full disk, and after something was deleted from it.
      const filler = 16 * 2 ** 20 - littleSpace()
      const twice =
        `mount -t tmpfs -o size=16m none "$0" && head -c ${filler} /dev/zero >"$0/filler"; ` +
        '"$@"; echo "exit code $?" >&2; rm "$0/filler" && exec "$@"'
      const args = ['ingest', folder, '--archive', archive, '--threads', '2', '--json']
      const run = await cameo(args, {}, ['unshare', ...ownMounts, 'bash', '-c', twice, archive])
      assert.match(run.stderr, /is full .*\[ARCHIVE_FULL\]\nexit code 2\n/s)
      assert.equal(run.code, 0, run.stderr)
      const both = ingested(run)
      assert.ok(countOf(both, 'unchanged') > 0)
      assert.equal(countOf(both, 'done'), clipCount, 'each clip is done once')
    })
})

describe('archive: a folder that is not writable', () => {
  const readOnly = join(dir, 'read-only')
  let files: string[]
  let shown: unknown
  let answer: Answer

  before(async () => {
    const run = await ingest([join(folder, '00.mp4'), '--archive', readOnly])
    assert.equal(run.code, 0)
    for (const name of ['cameo.sqlite', 'ingest.lock']) chmodSync(join(readOnly, name), 0o444)
    shown = await statusOf(readOnly)
    answer = await search(['--image', photo, '--archive', readOnly])
    files = readdirSync(readOnly).sort()
    chmodSync(readOnly, 0o555)
  })

  after(() => chmodSync(readOnly, 0o755))

  it('makes an ingest fail with ARCHIVE_READ_ONLY', async () => {
    const run = await ingest([folder, '--archive', readOnly], permissionsCount())
    assertRefused(run, 'ARCHIVE_READ_ONLY', readOnly)
    const fresh = await ingest([folder, '--archive', join(readOnly, 'fresh')], permissionsCount())
    assertRefused(fresh, 'ARCHIVE_READ_ONLY', join(readOnly, 'fresh'))
  })

  it('can be searched and shown, with a notice', async () => {
    for (const [args, expected] of [
      [['search', '--image', photo], answer],
      [['status'], shown],
    ] as const) {
      const run = await cameo([...args, '--archive', readOnly, '--json'], {}, permissionsCount())
      assert.equal(run.code, 0, run.stderr)
      assert.deepEqual(JSON.parse(run.stdout), expected)
      assert.match(run.stderr, /is not writable: it is opened read-only/)
    }
    const doctor = await cameo(['doctor', '--archive', readOnly], {}, permissionsCount())
    assert.match(doctor.stdout, /✓ archive .* intact.*; .* it is opened read-only/)
    assert.deepEqual(readdirSync(readOnly).sort(), files)
  })

  it('is refused by commands that write to it', async () => {
    const run = await cameo(['enroll', 'Ada', photo, '--archive', readOnly, '--json'], {}, permissionsCount())
    assertRefused(run, 'ARCHIVE_READ_ONLY', readOnly)
  })

  it('is shown in its current state while another process writes to it', async () => {
    chmodSync(readOnly, 0o755)
    const shared = join(dir, 'shared')
    cpSync(readOnly, shared, { recursive: true })
    chmodSync(join(shared, 'cameo.sqlite'), 0o644)
    chmodSync(readOnly, 0o555)
    const writer = openArchive(shared)
    try {
      const { rootId } = writer.files.rootFor(folder)
      const stamp = { device: '1', inode: '2', sizeBytes: 3, mtimeNs: '4' }
      writer.files.recordFailed(rootId, 'new.mp4', stamp, { code: 'CLIP_EMPTY', message: 'it is empty' })
      chmodSync(shared, 0o555)
      const run = await cameo(['status', '--archive', shared, '--json'], {}, permissionsCount())
      assert.equal(run.code, 0, run.stderr)
      assert.equal((JSON.parse(run.stdout) as { failed: number }).failed, 1)
    } finally {
      chmodSync(shared, 0o755)
      writer.close()
    }
  })

  it('is refused if its newest rows are in a log that cannot be read without writing', async () => {
    const broken = join(dir, 'log')
    cpSync(readOnly, broken, { recursive: true })
    chmodSync(broken, 0o755)
    writeFileSync(join(broken, 'cameo.sqlite-wal'), 'a log without its index')
    chmodSync(broken, 0o555)
    const run = await cameo(['status', '--archive', broken, '--json'], {}, permissionsCount())
    chmodSync(broken, 0o755)
    assertRefused(run, 'ARCHIVE_READ_ONLY', broken)
  })

  it('is refused if it has an older schema, and the error says how to make it readable', async () => {
    const older = join(dir, 'older')
    cpSync(readOnly, older, { recursive: true })
    for (const path of [older, join(older, 'cameo.sqlite')]) chmodSync(path, 0o755)
    const opened = openArchive(older)
    opened.database.exec('DROP TABLE context_features')
    opened.database.pragma('user_version = 2')
    opened.close()
    chmodSync(join(older, 'cameo.sqlite'), 0o444)
    chmodSync(older, 0o555)
    const run = await cameo(['status', '--archive', older, '--json'], {}, permissionsCount())
    chmodSync(older, 0o755)
    assertRefused(run, 'ARCHIVE_READ_ONLY', older, 'schema 2', 'cameo status')
  })
})
