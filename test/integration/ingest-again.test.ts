import assert from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  realpathSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { assertRefused, foundFiles, ingest, search } from '../support/answers.js'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const archive = join(dir, 'archive')
const clip = (name: string) => join(folder, name)
const here = ['--archive', archive]
let costumes: string
let party: string

async function status(): Promise<Record<string, unknown>> {
  const run = await cameo(['status', ...here, '--json'])
  assert.equal(run.code, 0)
  return JSON.parse(run.stdout) as Record<string, unknown>
}

const pathsFound = async (photo: string) =>
  (await search(['--image', photo, ...here])).results.map(({ path }) => path)

// The tests of this file follow one archive through its life, in order.
describe('ingest: the same folder again', () => {
  before(async () => {
    mkdirSync(join(folder, 'deep'), { recursive: true })
    costumes = await makeFacePhoto(join(dir, 'costumes.jpg'), 'costumes right')
    party = await makeFacePhoto(join(dir, 'party.jpg'), 'party first')
    await makeFaceClip(clip('costumes.mp4'), 'costumes right')
    await makeFaceClip(clip('party.mp4'), 'party first')
    await makeFaceClip(clip('deep/sofa.mp4'), 'sofa right')
    copyFileSync(clip('party.mp4'), clip('party copy.mp4'))
  })

  it('the first run ingests every content once and reports which files are copies', async () => {
    const run = await ingest([folder, ...here])
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(
      ['costumes.mp4', 'sofa.mp4'].map((name) => run.of(name).status),
      ['done', 'done'],
    )
    // The order of the two copies is not defined.
    const copies = [run.of('party.mp4'), run.of('party copy.mp4')]
    assert.deepEqual(copies.map((line) => line.status).sort(), ['done', 'duplicate'])
    assert.equal(copies[0]?.clipId, copies[1]?.clipId)
    assert.deepEqual(await pathsFound(party), [clip('party copy.mp4')], 'one answer per content')
    assert.equal((await status())['clips'], 3)
  })

  it('the second run does nothing twice', async () => {
    const before = dumpArchive(archive)
    const run = await ingest([folder, ...here])
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(
      run.lines.map((line) => line.status),
      ['unchanged', 'unchanged', 'unchanged', 'unchanged'],
    )
    assert.match(run.stderr, /4 unchanged in .*: 0 frames, 0 faces/)
    assert.deepEqual(dumpArchive(archive), before)
  })

  it('also knows a part of the folder, and a single file of it', async () => {
    const part = await ingest([join(folder, 'deep'), clip('party.mp4'), ...here])
    assert.deepEqual(
      part.lines.map((line) => line.status),
      ['unchanged', 'unchanged'],
    )
    assert.equal((await status())['clips'], 3)
  })

  it('recognises a moved file by its content, and a search gives its new path', async () => {
    renameSync(clip('costumes.mp4'), clip('deep/moved.mp4'))
    const run = await ingest([folder, ...here])
    assert.equal(run.code, 0, run.stderr)
    assert.equal(run.of('moved.mp4').status, 'unchanged')
    assert.deepEqual(await pathsFound(costumes), [clip('deep/moved.mp4')])
    assert.equal((await status())['clips'], 3)
  })

  it('recognises a file that was only touched, or copied, by its content', async () => {
    utimesSync(clip('party.mp4'), new Date(), new Date())
    copyFileSync(clip('deep/sofa.mp4'), clip('sofa 2.mp4'))
    const run = await ingest([folder, ...here])
    assert.deepEqual([run.of('party.mp4').status, run.of('sofa 2.mp4').status], ['unchanged', 'unchanged'])
    assert.equal((await status())['clips'], 3)
  })

  it('gives the other copy when one of two copies is deleted', async () => {
    rmSync(clip('party copy.mp4'))
    const run = await ingest([folder, ...here])
    assert.equal(run.code, 0)
    assert.deepEqual(await pathsFound(party), [clip('party.mp4')])
  })

  it('a file with new content is another clip, and its old content is no longer found', async () => {
    await makeFaceClip(clip('party.mp4'), 'window fourth')
    const run = await ingest([folder, ...here])
    assert.equal(run.code, 0)
    assert.equal(run.of('party.mp4').status, 'done')
    assert.deepEqual(await pathsFound(party), [])
    const window = await makeFacePhoto(join(dir, 'window.jpg'), 'window fourth')
    assert.deepEqual(await pathsFound(window), [clip('party.mp4')])
    assert.equal((await status())['clips'], 3)
  })

  it('other settings are refused with the differences, and accepted with --reprocess', async () => {
    const refused = await cameo(['ingest', folder, ...here, '--fps', '2', '--json'])
    const message = assertRefused(refused, 'ARCHIVE_OTHER_RECIPE', '--reprocess', archive)
    assert.match(message, /4 fps.*2 fps/)
    const run = await ingest([folder, ...here, '--fps', '2', '--reprocess'])
    assert.equal(run.code, 0, run.stderr)
    assert.ok(run.lines.every((line) => line.status === 'done' || line.status === 'duplicate'))
    assert.equal((await status())['clips'], 3)
    const again = await ingest([folder, ...here])
    assert.ok(again.lines.every((line) => line.status === 'unchanged'))
    assert.deepEqual(await pathsFound(costumes), [clip('deep/moved.mp4')])
  })

  it('tries a clip again that grew after it failed', async () => {
    const growing = clip('growing.mp4')
    appendFileSync(growing, '')
    assert.equal((await ingest([folder, ...here])).of('growing.mp4').code, 'CLIP_EMPTY')
    await makeFaceClip(growing, 'stairs right')
    const run = await ingest([folder, ...here])
    assert.deepEqual([run.code, run.of('growing.mp4').status], [0, 'done'])
    const stairs = await makeFacePhoto(join(dir, 'stairs.jpg'), 'stairs right')
    assert.deepEqual(foundFiles(await search(['--image', stairs, ...here])), ['growing.mp4'])
    assert.equal((await status())['failed'], 0)
  })
})

describe('ingest: a folder above one that is known', () => {
  it('takes it over: a file has one path, and its earlier content is no longer found', async () => {
    const above = join(dir, 'above')
    const file = join(above, '2023/clip.mp4')
    const own = ['--archive', join(dir, 'above-archive')]
    const photo = await makeFacePhoto(join(dir, 'above.jpg'), 'costumes right')
    mkdirSync(join(above, '2023'), { recursive: true })
    await makeFaceClip(file, 'costumes right')
    assert.equal((await ingest([join(above, '2023'), ...own])).of('clip.mp4').status, 'done')
    assert.equal((await ingest([above, ...own])).of('clip.mp4').status, 'unchanged')
    assert.deepEqual(foundFiles(await search(['--image', photo, ...own])), ['clip.mp4'])

    await makeFaceClip(file, 'party first')
    assert.equal((await ingest([join(above, '2023'), above, ...own])).of('clip.mp4').status, 'done')
    assert.deepEqual((await search(['--image', photo, ...own])).results, [])
  })
})

describe('ingest: clips that were moved', () => {
  const own = ['--archive', join(dir, 'moved-archive')]
  const at = (path: string) => join(dir, path)
  const found = async () => {
    const answer = await search(['--image', costumes, ...own])
    return answer.results.map(({ path }) => path)
  }
  /** Every path that the archive knows. */
  const known = () => {
    const archive = openArchive(at('moved-archive'))
    try {
      return foundIds(archive).flatMap((clipId) => archive.files.pathsOf(clipId))
    } finally {
      archive.close()
    }
  }
  const foundIds = ({ database }: Archive) =>
    database.prepare<[], string>('SELECT clip_id FROM clips').pluck().all()

  before(async () => {
    for (const folder of ['mv1', 'mv2', 'mv3']) mkdirSync(at(folder))
    await makeFaceClip(at('mv1/a.mp4'), 'costumes right', { variant: 1 })
    assert.equal((await ingest([at('mv1/a.mp4'), ...own])).code, 0)
  })

  it('finds a moved file, given by its path, only at its new place', async () => {
    renameSync(at('mv1/a.mp4'), at('mv2/b.mp4'))
    assert.equal((await ingest([at('mv2/b.mp4'), ...own])).of('b.mp4').status, 'unchanged')
    assert.deepEqual([await found(), known()], [[at('mv2/b.mp4')], [at('mv2/b.mp4')]])
  })

  it('finds the files of a renamed folder only at their new place', async () => {
    renameSync(at('mv2'), at('renamed'))
    assert.equal((await ingest([at('renamed'), ...own])).of('b.mp4').status, 'unchanged')
    assert.deepEqual([await found(), known()], [[at('renamed/b.mp4')], [at('renamed/b.mp4')]])
  })

  it('a search gives the existing one of two copies, also before the next ingest', async () => {
    copyFileSync(at('renamed/b.mp4'), at('mv3/c.mp4'))
    assert.equal((await ingest([at('mv3'), ...own])).code, 0)
    assert.deepEqual(await found(), [at('renamed/b.mp4')])
    renameSync(at('renamed/b.mp4'), at('renamed/unknown name.mp4'))
    assert.deepEqual(await found(), [at('mv3/c.mp4')])
    renameSync(at('renamed/unknown name.mp4'), at('renamed/b.mp4'))
  })

  it('a temporarily unmounted share loses no path', async (t) => {
    const shared = '/dev/shm'
    if (!isOtherDevice(shared)) {
      t.skip('there is no second file system')
      return
    }
    const share = mkdtempSync(join(shared, 'cameo-test-'))
    try {
      copyFileSync(at('mv3/c.mp4'), join(share, 'd.mp4'))
      symlinkSync(share, at('mount'))
      assert.equal((await ingest([at('mount'), ...own])).code, 0)
      const paths = [at('renamed/b.mp4'), at('mv3/c.mp4'), at('mount/d.mp4')].sort()
      assert.deepEqual(known().sort(), paths)
      // An unmounted share: the folder exists and is empty.
      rmSync(at('mount'))
      mkdirSync(at('mount'))
      assert.equal((await ingest([at('mv3'), ...own])).code, 0)
      assert.deepEqual(known().sort(), paths)
    } finally {
      rmSync(share, { recursive: true })
    }
  })
})

function isOtherDevice(folder: string): boolean {
  return (statSync(folder, { throwIfNoEntry: false })?.dev ?? statSync(dir).dev) !== statSync(dir).dev
}
