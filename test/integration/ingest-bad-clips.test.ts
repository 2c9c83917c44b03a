import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { assertFailed, assertRefused, ingest, type Ingested } from '../support/answers.js'
import { makeBadClips, playlistsOf, stateDuration } from '../support/bad-clips.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = temporaryDir()
const folder = join(dir, 'clips')
const archive = join(dir, 'archive')
const photo = join(dir, 'portrait.jpg')

describe('ingest: bad clips', () => {
  let run: Ingested

  before(async () => {
    await makeBadClips(folder)
    await makeFacePhoto(photo, 'costumes left')
    run = await ingest([folder, photo, '--archive', archive])
  })

  it('an empty file fails as CLIP_EMPTY', () => {
    assertFailed(run.of('empty.mp4'), 'CLIP_EMPTY')
  })

  it('text renamed .mp4 fails as CLIP_NOT_VIDEO', () => {
    assertFailed(run.of('text.mp4'), 'CLIP_NOT_VIDEO')
  })

  it('keeps the decodable part of a truncated MP4, and the result says so', () => {
    const { status, tracks, truncated } = run.of('cut.mp4')
    assert.deepEqual({ status, tracks, truncated }, { status: 'done', tracks: 1, truncated: true })
  })

  it('keeps the decodable part of a transport stream that is cut within a packet', () => {
    const { status, tracks, truncated } = run.of('cut.ts')
    assert.deepEqual({ status, tracks, truncated }, { status: 'done', tracks: 1, truncated: true })
  })

  it('an MP4 cut off before its index fails as CLIP_DECODE_FAILED', () => {
    assertFailed(run.of('no index.mp4'), 'CLIP_DECODE_FAILED')
    assert.match(run.of('no index.mp4').message ?? '', /cut off/)
  })

  it('sound alone fails as CLIP_NO_VIDEO', () => {
    assertFailed(run.of('sound.mp4'), 'CLIP_NO_VIDEO')
  })

  it('sound with cover art fails as CLIP_NO_VIDEO', () => {
    assertFailed(run.of('cover art.mp4'), 'CLIP_NO_VIDEO')
  })

  it('a clip of one frame is a clip', () => {
    const { status, tracks, truncated } = run.of('one frame.mp4')
    assert.deepEqual({ status, tracks, truncated }, { status: 'done', tracks: 1, truncated: undefined })
  })

  it('a still image fails as CLIP_NOT_VIDEO, given by its path or renamed .mp4', () => {
    assertFailed(run.of('portrait.jpg'), 'CLIP_NOT_VIDEO')
    assertFailed(run.of('still jpg.mp4'), 'CLIP_NOT_VIDEO')
  })

  it('skips a still image in a folder', () => {
    assert.equal(run.of('still.jpg').status, 'skipped')
  })

  it('a clip without a face is a success with zero tracks', () => {
    const { status, tracks } = run.of('no face.mp4')
    assert.deepEqual({ status, tracks }, { status: 'done', tracks: 0 })
  })

  it('frames of 16,000×16,000 pixels fail as CLIP_FRAME_TOO_LARGE', () => {
    assertFailed(run.of('huge.mkv'), 'CLIP_FRAME_TOO_LARGE')
    assert.match(run.of('huge.mkv').message ?? '', /16000×16000/)
  })

  it('ingests the good clips among them', () => {
    for (const name of ['a first good.mp4', 'z last good.mp4'])
      assert.deepEqual([run.of(name).status, run.of(name).tracks], ['done', 1])
  })

  it('the exit code is 1, and the summary repeats every failure with its reason', () => {
    assert.equal(run.code, 1)
    const failures = run.lines.filter(({ status }) => status === 'failed')
    assert.equal(failures.length, 8)
    for (const { message = '' } of failures) assert.ok(run.stderr.includes(message), message)
    assert.match(run.stderr, /6 ingested, 8 failed, 1 files? skipped/)
  })

  it('status counts them and lists them', async () => {
    const status = await cameo(['status', '--archive', archive, '--failures', '--json'])
    assert.equal(status.code, 0)
    const said = JSON.parse(status.stdout) as Record<string, unknown> & { failures: { code: string }[] }
    assert.deepEqual([said['clips'], said['tracks'], said['failed']], [6, 5, 8])
    assert.deepEqual(
      said.failures.map(({ code }) => code).sort(),
      run.lines.flatMap(({ status, code }) => (status === 'failed' ? [code] : [])).sort(),
    )
  })

  it('a second run reports the same failures again', async () => {
    const again = await ingest([folder, photo, '--archive', archive])
    assert.equal(again.code, 1)
    const failuresOf = ({ lines }: Ingested) =>
      lines
        .flatMap(({ path, status, message }) => (status === 'failed' ? [`${path}: ${message}`] : []))
        .sort()
    assert.deepEqual(failuresOf(again), failuresOf(run))
    assert.equal(again.of('cut.mp4').status, 'unchanged')
    assert.equal(again.of('cut.mp4').truncated, true)
  })
})

describe('ingest: clips that state a wrong duration', () => {
  it('are measured, and ingested together with the other clips of their folder', async () => {
    const wrong = join(dir, 'wrong')
    mkdirSync(wrong)
    const durationsMs = [1e9, 1e12, 1e15]
    for (const [variant, durationMs] of durationsMs.entries()) {
      const path = join(wrong, `${durationMs}.mkv`)
      await makeFaceClip(path, 'costumes left', { variant })
      stateDuration(path, durationMs)
    }
    copyFileSync(join(folder, 'a first good.mp4'), join(wrong, 'z good.mp4'))
    const run = await ingest([wrong, '--archive', join(dir, 'archive 3')])
    assert.equal(run.code, 0, run.stderr)
    assert.equal(run.lines.length, durationsMs.length + 1)
    for (const { status, tracks } of run.lines) assert.deepEqual([status, tracks], ['done', 1])
  })
})

describe('ingest: playlists', () => {
  it('opens nothing that a playlist names, neither a file nor a URL', async () => {
    let connections = 0
    const server = createServer((_request, response) => response.end()).on('connection', () => connections++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    // A pipe that nobody writes to: a process that opens it would wait, and end as CLIP_STUCK.
    const pipe = join(dir, 'target.ts')
    execFileSync('mkfifo', [pipe])
    const urls = playlistsOf(`http://127.0.0.1:${port}/target.mp4`)
    const files = playlistsOf(pipe)
    for (const [name, playlists] of Object.entries({ urls, files })) {
      mkdirSync(join(dir, name))
      for (const [file, text] of Object.entries(playlists)) writeFileSync(join(dir, name, file), text)
    }
    copyFileSync(join(folder, 'a first good.mp4'), join(dir, 'files/z good.mp4'))

    const run = await ingest([join(dir, 'urls'), join(dir, 'files'), '--archive', join(dir, 'archive 2')])
    server.close()
    assert.equal(run.code, 1)
    assert.equal(connections, 0)
    assert.equal(run.of('z good.mp4').status, 'done')
    const refused = run.lines.filter(({ status }) => status !== 'done')
    assert.equal(refused.length, 8)
    for (const line of refused) assertFailed(line, 'CLIP_NOT_VIDEO')
  })
})

describe('ingest: its paths', () => {
  it('refuses a path that does not exist, by name, before any work', async () => {
    const args = ['ingest', join(dir, 'no such folder'), '--archive', join(dir, 'none'), '--json']
    const run = await cameo(args)
    assertRefused(run, 'USAGE', 'no such folder')
    const status = await cameo(['status', '--archive', join(dir, 'none'), '--json'])
    assertRefused(status, 'ARCHIVE_MISSING', join(dir, 'none'))
  })
})
