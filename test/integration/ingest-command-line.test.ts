import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { assertRefused } from '../support/answers.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'

describe('ingest: its command line', () => {
  it('accepts hundreds of files with long names, although the runtime needs stack for each character', async () => {
    const dir = temporaryDir()
    const files = Array.from({ length: 400 }, (_, i) => join(dir, `${'a long name '.repeat(10)}${i}.mp4`))
    for (const file of files) writeFileSync(file, '')
    const run = await cameo(['ingest', ...files, '--archive', join(dir, 'archive'), '--json'])
    assert.equal(run.code, 1, run.stderr)
    const results = jsonLines(run.stdout)
    assert.equal(results.length, files.length)
    assert.ok(results.every(({ code }) => code === 'CLIP_EMPTY'))
  })

  it('ingests all clips even if the reader takes only the first line, and the exit code covers all clips', async () => {
    const dir = temporaryDir()
    const files = Array.from({ length: 50 }, (_, i) => join(dir, `${i}.mp4`))
    for (const file of files) writeFileSync(file, '')
    const archive = join(dir, 'archive')
    const intoHead = ['bash', '-c', '"$@" | head -n 1; exit ${PIPESTATUS[0]}', 'bash']
    const run = await cameo(['ingest', ...files, '--archive', archive, '--json'], {}, intoHead)
    assert.deepEqual([run.code, jsonLines(run.stdout).length], [1, 1], run.stderr)
    const status = await cameo(['status', '--archive', archive, '--json'])
    assert.equal((JSON.parse(status.stdout) as { failed: number }).failed, files.length)
  })

  it('does not run without ffmpeg, and says what to do', async () => {
    const dir = temporaryDir()
    writeFileSync(join(dir, 'a.mp4'), '')
    const run = await cameo(['ingest', dir, '--archive', join(dir, 'archive'), '--json'], {
      FFMPEG_PATH: '/nowhere/ffmpeg',
    })
    assertRefused(run, 'FFMPEG_MISSING', '/nowhere/ffmpeg')
    assert.equal(existsSync(join(dir, 'archive')), false)
  })

  it('shows a person the progress of a long clip, the speed and the remaining time', async () => {
    const dir = temporaryDir()
    const film = await makeFaceClip(join(dir, 'film.mp4'), 'sofa left', { seconds: 6 })
    const onTerminal = ['bash', '-c', 'script -qec "$(printf "%q " "$@")" /dev/null', 'bash']
    const args = ['ingest', film, '--archive', join(dir, 'archive'), '--segment', '1', '--threads', '1']
    const run = await cameo(args, { TERM: 'xterm' }, onTerminal)
    assert.equal(run.code, 0, run.stdout)
    const shown =
      /(\d+)% \| 0\/1 clip \| [\d.–]+×? real time \| (\d+) frames? \| (\d+) faces? \| 0 failed \| ETA [^|]+\| film\.mp4 at 0:0\d\.\d+ of 0:06\.0/g
    const seen = [...run.stdout.matchAll(shown)].map(([, percent, , faces]) => [
      Number(percent),
      Number(faces),
    ])
    assert.ok(
      seen.some(([percent = 0, faces = 0]) => percent > 0 && percent < 100 && faces > 0),
      run.stdout,
    )
  })
})
