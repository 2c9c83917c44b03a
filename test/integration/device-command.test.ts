import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { faceNames, makeFaceClip } from '../support/faces.js'

describe('cameo ingest --device', () => {
  const dir = temporaryDir()
  const archive = join(dir, 'archive')
  let clip: string

  before(async () => {
    clip = await makeFaceClip(join(dir, 'clip.mp4'), faceNames[0]!)
  })

  // No machine has a hundred GPUs, so the result is the same with and without CUDA.
  it('a missing GPU ends the command with exit code 2 and a sentence', async () => {
    const { code, stdout, stderr } = await cameo([
      'ingest',
      clip,
      '--archive',
      archive,
      '--device',
      'cuda:99',
    ])
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^cameo: cuda:99 cannot be used.*--device cpu \[DEVICE_UNAVAILABLE\]\n$/)
  })

  it('and with --json with an object that has the code', async () => {
    const args = ['ingest', clip, '--archive', archive, '--device', 'cuda:99', '--fps', '9', '--json']
    const { code, stdout } = await cameo(args)
    assert.equal(code, 2)
    const [error] = jsonLines(stdout)
    assert.deepEqual([error?.['code'], error?.['retriable']], ['DEVICE_UNAVAILABLE', false])
  })

  it('and leaves no settings behind for a later ingest', async () => {
    const status = await cameo(['status', '--archive', archive, '--json'])
    assert.equal(jsonLines(status.stdout)[0]?.['recipe'], null)
  })

  it('auto ingests the clip on the available device', async () => {
    const args = ['ingest', clip, '--archive', archive, '--device', 'auto', '--json']
    const { code, stdout } = await cameo(args)
    assert.equal(code, 0)
    assert.equal(jsonLines(stdout)[0]?.['tracks'], 1)
  })

  it('an unknown device is refused', async () => {
    const { code, stderr } = await cameo(['ingest', clip, '--archive', archive, '--device', 'gpu'])
    assert.equal(code, 2)
    assert.match(stderr, /unknown device "gpu"/)
  })
})
