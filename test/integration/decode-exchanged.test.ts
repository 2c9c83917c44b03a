import assert from 'node:assert/strict'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { createClipAccess } from '../../workers/remote-clips/clip-access.js'
import { fakeFfmpeg } from '../support/fake-ffmpeg.js'
import { decode, greyAt, request } from './decode-helpers.js'
import { ffmpeg, temporaryFolder } from './make-video.js'

const dir = realpathSync(temporaryFolder())
const root = join(dir, 'root')
const { FFMPEG_PATH } = process.env
after(() => {
  if (FFMPEG_PATH === undefined) delete process.env['FFMPEG_PATH']
  else process.env['FFMPEG_PATH'] = FFMPEG_PATH
})

it('ffmpeg decodes the file that was opened, even if another file takes its place at the moment ffmpeg starts', async () => {
  const made = (folder: string, colour: string) => {
    mkdirSync(folder, { recursive: true })
    // A container that supports seeking.
    const args = ['-f', 'lavfi', '-i', `color=${colour}:s=64x48:r=8:d=12`, '-pix_fmt', 'yuv420p', '-g', '8']
    ffmpeg(...args, join(folder, 'a.mp4'))
  }
  made(join(root, 'folder'), 'black')
  made(join(dir, 'secret'), 'white')
  const access = createClipAccess({
    rules: { roots: [{ submitted: root, mounted: root }], hosts: new Set() },
    ...{ scratchDir: join(dir, 'scratch'), scratchBytes: 1000 },
  })
  const clip = await access.open(join(root, 'folder', 'a.mp4'), undefined, new AbortController().signal)
  process.env['FFMPEG_PATH'] = fakeFfmpeg(
    join(dir, 'ffmpeg'),
    `*) [ -e '${root}/was' ] || { mv '${root}/folder' '${root}/was'; ln -s '${dir}/secret' '${root}/folder'; } ;;`,
  )
  for (const range of [{}, { startS: 8, endS: 10 }]) {
    const { frames, info } = await decode(request(clip.path, range), ({ full }) => greyAt(full, 30, 20))
    assert.ok(
      frames.length >= 8 && frames.every((grey) => grey < 20),
      `${frames.length}: ${frames.join(' ')}`,
    )
    assert.match(info.container, /mp4/)
  }
  assert.throws(() => clip.checkUnchanged(), { code: 'CLIP_CHANGED' })
  clip.release()
})
