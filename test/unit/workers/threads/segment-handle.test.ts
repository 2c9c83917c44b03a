import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { defaultPackName, findPack } from '../../../../pipeline/models/packs/catalog.js'
import { defaultSettings } from '../../../../pipeline/recipe/recipe.js'
import type { InferenceThread } from '../../../../workers/threads/inference-handle.js'
import { SegmentHandle } from '../../../../workers/threads/segment-handle.js'
import { temporaryDir } from '../../../support/cameo.js'

const dir = temporaryDir()
/** Threads that find no models: enough for all requests except `process`. */
const setup = {
  ...{ pack: findPack(defaultPackName), modelsDir: dir, settings: defaultSettings },
  ...{ device: { kind: 'cpu' } as const, headFile: undefined },
}
const threads: SegmentHandle[] = []
after(() => Promise.all(threads.map((thread) => thread.stop())))

function start(inference?: InferenceThread): SegmentHandle {
  const thread = new SegmentHandle(setup, inference)
  threads.push(thread)
  return thread
}

function fileOf(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('SegmentHandle', { timeout: 120_000 }, () => {
  it('answers each of several running requests with its own result', async () => {
    const thread = start()
    const texts = ['a', 'bb', 'ccc']
    const paths = texts.map((text) => fileOf(`${text}.mp4`, text))
    assert.deepEqual(await Promise.all(paths.map((path) => thread.hash(path))), texts.map(sha256))
  })

  it('rejects with the thread’s own error, and continues with the next request', async () => {
    const thread = start()
    await assert.rejects(thread.hash(join(dir, 'gone.mp4')), { name: 'CameoError', code: 'CLIP_GONE' })
    await assert.rejects(thread.ready(), CameoError)
    assert.equal(await thread.hash(fileOf('there.mp4', 'there')), sha256('there'))
  })

  it('does not start work that is already stopped', async () => {
    const stopped = AbortSignal.abort()
    await assert.rejects(start().hash(fileOf('a.mp4', 'a'), stopped), {
      code: 'INTERRUPTED',
      retriable: true,
    })
  })

  it('abort ends the running requests with INTERRUPTED', async () => {
    const thread = start()
    const path = fileOf('large.mp4', 'x'.repeat(32e6))
    const hashes = [thread.hash(path), thread.hash(path)]
    thread.abort()
    const ends = await Promise.allSettled(hashes)
    assert.deepEqual(
      ends.map((end) => end.status === 'rejected' && end.reason instanceof CameoError && end.reason.code),
      ['INTERRUPTED', 'INTERRUPTED'],
    )
  })

  it('fails running requests if the models cannot be reached, and starts the thread again for the next request', async () => {
    const cause = new CameoError('WORKER_DIED', 'the inference thread does not start')
    const thread = start({ connect: () => Promise.reject(cause), stop: () => Promise.resolve() })
    await assert.rejects(thread.ready(), { code: 'WORKER_DIED', retriable: true, cause })
    assert.equal(await thread.hash(fileOf('next.mp4', 'next')), sha256('next'))
  })
})
