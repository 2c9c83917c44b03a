import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdirSync, realpathSync, rmSync, statSync, utimesSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { assertFailed, foundFiles, ingest, ingested, search } from '../support/answers.js'
import { segmentTrackIds } from '../support/archive-dump.js'
import { cameo, startCameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { lateFfmpeg } from '../support/late-ffmpeg.js'

const dir = realpathSync(temporaryDir())

function folderOf(name: string): string {
  const folder = join(dir, name)
  mkdirSync(folder)
  return folder
}

describe('ingest: a file that changes while it is read', () => {
  it('fails as CLIP_CHANGED, the rest continues, and a later run ingests the whole file', async () => {
    const folder = folderOf('changing')
    const archive = join(dir, 'changing-archive')
    const growing = join(folder, 'growing.mp4')
    await makeFaceClip(growing, 'sofa left', { seconds: 20 })
    copyFileSync(growing, join(folder, 'same content.mp4'))
    await makeFaceClip(join(folder, 'z.mp4'), 'party first')
    const running = startCameo(['ingest', folder, '--archive', archive, '--threads', '1', '--json'])
    const writer = setInterval(() => appendFileSync(growing, '\0'), 20)
    const run = ingested(await running.finished)
    clearInterval(writer)
    assert.equal(run.code, 1, run.stderr)
    assertFailed(run.of('growing.mp4'), 'CLIP_CHANGED')
    assert.deepEqual([run.of('same content.mp4').status, run.of('z.mp4').status], ['done', 'done'])

    const again = await ingest([folder, '--archive', archive])
    assert.equal(again.code, 0, again.stderr)
    assert.equal(again.of('growing.mp4').status, 'done')
    assert.notEqual(again.of('growing.mp4').clipId, again.of('same content.mp4').clipId)
    const status = await cameo(['status', '--archive', archive, '--json'])
    const { clips, failed } = JSON.parse(status.stdout) as { clips: number; failed: number }
    assert.deepEqual({ clips, failed }, { clips: 3, failed: 0 })
  })

  it('a file that disappears while it is processed is partial as CLIP_GONE, and its copy takes its place', async () => {
    const folder = folderOf('going')
    const archive = join(dir, 'going-archive')
    const going = join(folder, 'going.mp4')
    await makeFaceClip(going, 'sofa middle', { seconds: 20 })
    const other = join(folder, 'going too.mp4')
    copyFileSync(going, other)
    // The last segments are opened after the file is gone. The command lines of their ffmpeg show which of
    // the two files was taken.
    const ffmpeg = lateFfmpeg(dir)
    const args = ['ingest', folder, '--archive', archive, '--threads', '2', '--segment', '5', '--json']
    const running = startCameo(args, ffmpeg.environment)
    await running.until(() => segmentTrackIds(archive).size > 0 && ffmpeg.waiting() !== undefined)
    const [taken, copy] = ffmpeg.waiting()?.includes(going) === true ? [going, other] : [other, going]
    rmSync(taken)
    ffmpeg.release()
    const run = ingested(await running.finished)
    assert.equal(run.code, 1, run.stderr)
    const [partial, done] = [run.of(basename(taken)), run.of(basename(copy))]
    assert.deepEqual([partial.status, partial.code], ['partial', 'CLIP_GONE'])
    assert.deepEqual([done.status, done.code], ['done', undefined])
    const again = await ingest([folder, '--archive', archive])
    assert.equal(again.code, 0, again.stderr)
  })
})

/** Makes a clip this many bytes long, with an MP4 box that readers skip. */
function padTo(clip: string, bytes: number): void {
  const box = Buffer.alloc(bytes - statSync(clip).size)
  box.writeUInt32BE(box.length)
  box.write('free', 4)
  appendFileSync(clip, box)
}

describe('ingest: a file that was replaced', () => {
  it('with equal size and time has new content, and its earlier person is no longer found', async () => {
    const folder = folderOf('replaced')
    const [clip, other] = [join(folder, 'clip.mp4'), join(dir, 'other.mp4')]
    await makeFaceClip(clip, 'costumes right')
    await makeFaceClip(other, 'party first')
    const bytes = Math.max(statSync(clip).size, statSync(other).size) + 8
    for (const path of [clip, other]) {
      padTo(path, bytes)
      utimesSync(path, 1_700_000_000, 1_700_000_000)
    }
    const here = ['--archive', join(dir, 'replaced-archive')]
    const first = await ingest([folder, ...here])
    assert.equal(first.of('clip.mp4').status, 'done', first.stderr)
    const before = statSync(clip)
    execFileSync('cp', ['-p', other, clip])
    const { ino, size, mtimeMs } = statSync(clip)
    assert.deepEqual({ ino, size, mtimeMs }, { ino: before.ino, size: before.size, mtimeMs: before.mtimeMs })
    const again = await ingest([folder, ...here])
    assert.equal(again.of('clip.mp4').status, 'done', again.stderr)
    assert.notEqual(again.of('clip.mp4').clipId, first.of('clip.mp4').clipId)
    const [gone, there] = [
      await makeFacePhoto(join(dir, 'gone.jpg'), 'costumes right'),
      await makeFacePhoto(join(dir, 'there.jpg'), 'party first'),
    ]
    assert.deepEqual(foundFiles(await search(['--image', gone, ...here])), [])
    assert.deepEqual(foundFiles(await search(['--image', there, ...here])), ['clip.mp4'])
  })
})
