import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import '../../../../../pipeline/models/no-telemetry.js'
import { temporaryDir } from '../../../../support/cameo.js'
import type { HostileResult, HostileSetup } from './hostile-thread.js'

/** Handles thousands of invalid messages in a thread that ends if it takes more than 96 MB of heap. */
async function readOdd(setup: HostileSetup): Promise<HostileResult> {
  const thread = new Worker(new URL('./hostile-thread.js', import.meta.url), {
    workerData: setup,
    resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
  })
  return new Promise((resolve, reject) => {
    thread.on('message', resolve)
    thread.on('error', reject)
    thread.on('exit', (code) => reject(new Error(`it ended without a result: ${code}`)))
  })
}

describe('hostile messages', { timeout: 120_000 }, () => {
  it('handles or refuses each of thousands in little memory, and still handles good messages', async () => {
    const result = await readOdd({ seed: 12, messages: 700, dir: temporaryDir() })
    assert.deepEqual(Object.keys(result), [
      ...['jobs', 'embeddings', 'descriptors', 'status', 'names', 'dead-letters'],
    ])
    for (const [topic, outcomes] of Object.entries(result)) {
      assert.equal(
        Object.values(outcomes).reduce((sum, count) => sum + count),
        700,
        topic,
      )
      assert.equal(outcomes['MESSAGE_FAILED'], undefined, `${topic}: an unexpected error`)
    }
  })
})
