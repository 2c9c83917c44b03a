import assert from 'node:assert/strict'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { stampOf } from '../../../../workers/file-stamp.js'
import { createSubmission } from '../../../../workers/kafka/submit.js'
import { encodeMessage, wireVersion } from '../../../../workers/kafka/wire.js'
import { temporaryDir } from '../../../support/cameo.js'
import { clipId, recipeWith } from '../../../support/described.js'

const dir = temporaryDir()
const path = join(dir, 'a.mp4')
const recipe = recipeWith()

async function* clip() {
  yield await Promise.resolve({ kind: 'clip', folder: dir, path, sizeBytes: 6 } as const)
}

/** What becomes of the clip where it was indexed from a file of this time. */
async function submitted(mtimeNs: string): Promise<string[]> {
  const results: string[] = []
  const submission = createSubmission({
    connection: { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined },
    publisher: { send: () => Promise.resolve(), disconnect: () => Promise.resolve() },
    ...{ recipe, again: false, wait: false, signal: new AbortController().signal },
    events: {
      onFound: () => undefined,
      onAllFound: () => undefined,
      onSubmitted: () => undefined,
      onResult: ({ status }) => results.push(status),
    },
  })
  const value = encodeMessage({
    ...{ v: wireVersion, kind: 'status', uri: path, recipe: recipe.digest, state: 'indexed' },
    ...{ at: new Date().toISOString(), clipId, sizeBytes: 6, mtimeNs },
  })
  submission.onStatus({
    ...{ key: null, value: Buffer.from(value), offset: '0' },
    ...{ timestamp: '1', attributes: 0, headers: {} },
  })
  await submission.submit(clip())
  return results
}

it('submit: a clip that was indexed where times are coarser is not submitted again, a changed one is', async () => {
  writeFileSync(path, 'a clip')
  utimesSync(path, 1764170234.5, 1764170234.5)
  assert.deepEqual(await submitted(stampOf(path).mtimeNs), ['unchanged'])
  assert.deepEqual(await submitted('1764170234000000000'), ['unchanged'])
  assert.deepEqual(await submitted('1764170233000000000'), ['queued'])
  assert.deepEqual(await submitted('1764170234600000000'), ['queued'])
})
