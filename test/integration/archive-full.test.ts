import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { assertRefused, foundFiles, ingest, ingested, search, type Ingested } from '../support/answers.js'
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
  it('stops an ingest as ARCHIVE_FULL; what was stored is found, and the same command completes it later', async () => {
    const archive = join(dir, 'limited')
    // The log of all writes holds each page at least once, those of the tables twice: it does not fit, the first clips do.
    const limited = filesUpTo(1.25 * statSync(join(dir, 'whole', 'cameo.sqlite')).size)
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
    it('of its own file system stops an ingest as ARCHIVE_FULL, and with space freed it completes', async () => {
      const archive = join(dir, 'small disk')
      mkdirSync(archive)
      // The command runs twice: on a disk that is full but for 1 MB, and when something was deleted from it.
      const twice =
        'mount -t tmpfs -o size=16m none "$0" && head -c 15384k /dev/zero >"$0/filler"; ' +
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

describe('archive: a folder that cannot be written', () => {
  const readOnly = join(dir, 'read-only')

  before(async () => {
    const run = await ingest([join(folder, '00.mp4'), '--archive', readOnly])
    assert.equal(run.code, 0)
    for (const name of ['cameo.sqlite', 'ingest.lock']) chmodSync(join(readOnly, name), 0o444)
    chmodSync(readOnly, 0o555)
  })

  after(() => chmodSync(readOnly, 0o755))

  it('is refused by an ingest as ARCHIVE_READ_ONLY', async () => {
    const run = await ingest([folder, '--archive', readOnly], permissionsCount())
    assertRefused(run, 'ARCHIVE_READ_ONLY', readOnly)
    const fresh = await ingest([folder, '--archive', join(readOnly, 'fresh')], permissionsCount())
    assertRefused(fresh, 'ARCHIVE_READ_ONLY', join(readOnly, 'fresh'))
  })

  it('is refused by a search too, for SQLite keeps a log beside the file that it reads', async () => {
    const args = ['search', '--image', photo, '--archive', readOnly, '--json']
    assertRefused(await cameo(args, {}, permissionsCount()), 'ARCHIVE_READ_ONLY', readOnly)
  })
})
