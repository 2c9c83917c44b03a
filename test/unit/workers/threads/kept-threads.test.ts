import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defaultModelsDir } from '../../../../pipeline/models/packs/models-dir.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { defaultSettings } from '../../../../pipeline/recipe/recipe.js'
import { KeptThreads } from '../../../../workers/threads/kept-threads.js'
import type { PoolOptions } from '../../../../workers/threads/thread-pool.js'
import { temporaryDir } from '../../../support/cameo.js'

const optionsOf = (threads: number, headFile?: string): PoolOptions => ({
  setup: {
    ...{ pack: findPack('lite'), modelsDir: defaultModelsDir(), settings: defaultSettings, headFile },
    device: { kind: 'cpu' },
  },
  threads,
  onNotice: () => undefined,
})

/** Records which pools were started and stopped, by their number of threads. */
function scriptedThreads() {
  const said: string[] = []
  const kept = new KeptThreads(({ threads }) => {
    said.push(`start ${threads}`)
    const stop = () => Promise.resolve(void said.push(`stop ${threads}`))
    return Promise.resolve({ threads: [], provider: 'cpu', stop })
  })
  return { said, kept }
}

describe('kept threads', () => {
  it('serve the next ingest with the same options, until they are closed', async () => {
    const { said, kept } = scriptedThreads()
    for (const pool of [await kept.start(optionsOf(2)), await kept.start(optionsOf(2))]) await pool.stop()
    assert.deepEqual(said, ['start 2'])
    await kept.close()
    await kept.close()
    assert.deepEqual(said, ['start 2', 'stop 2'])
  })

  it('end if the next ingest needs other options', async () => {
    const { said, kept } = scriptedThreads()
    await kept.start(optionsOf(2))
    await kept.start(optionsOf(3))
    assert.deepEqual(said, ['start 2', 'stop 2', 'start 3'])
  })

  it('end if the file of the head has new content', async () => {
    const { said, kept } = scriptedThreads()
    const head = join(temporaryDir(), 'head.onnx')
    for (const bytes of [[], [], [0x08, 0x07]]) {
      writeFileSync(head, Uint8Array.from(bytes))
      await kept.start(optionsOf(1, head))
    }
    assert.deepEqual(said, ['start 1', 'stop 1', 'start 1'])
  })
})
