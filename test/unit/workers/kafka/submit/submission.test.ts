import assert from 'node:assert/strict'
import { linkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { sha256OfFile } from '../../../../../pipeline/common/digest.js'
import { stampOf } from '../../../../../workers/ingest/file-stamp.js'
import type { OutMessage } from '../../../../../workers/kafka/broker/out-messages.js'
import { Submission } from '../../../../../workers/kafka/submit/submission.js'
import {
  decodeStatus,
  encodeMessage,
  wireVersion,
  type StatusMessage,
} from '../../../../../workers/kafka/messages/schemas.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { clipId, recipeWith } from '../../../../support/described.js'

const dir = temporaryDir()
const path = join(dir, 'a.mp4')
const recipe = recipeWith()

async function* clip() {
  yield await Promise.resolve({ kind: 'clip', folder: dir, path, sizeBytes: 6 } as const)
}

/** Submits a clip that was indexed from a file with this time; returns the result. */
async function submitted(
  mtimeNs: string,
  known: Partial<StatusMessage> = {},
  sent: OutMessage[] = [],
): Promise<string[]> {
  const results: string[] = []
  const submission = new Submission({
    connection: { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined },
    publisher: {
      send(messages) {
        sent.push(...messages)
        return Promise.resolve()
      },
      disconnect: () => Promise.resolve(),
    },
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
    ...known,
  })
  submission.onStatus({
    ...{ key: null, value: Buffer.from(value), offset: '0' },
    ...{ timestamp: '1', attributes: 0, headers: {} },
  })
  await submission.submit(clip())
  return results
}

it('submit: a clip that was indexed with coarser times is not submitted again, a changed one is', async () => {
  writeFileSync(path, 'a clip')
  utimesSync(path, 1764170234.5, 1764170234.5)
  assert.deepEqual(await submitted(stampOf(path).mtimeNs), ['unchanged'])
  assert.deepEqual(await submitted('1764170234000000000'), ['unchanged'])
  assert.deepEqual(await submitted('1764170233000000000'), ['queued'])
  assert.deepEqual(await submitted('1764170234600000000'), ['queued'])
})

it('submit: a file with new content of equal size and time is submitted again; a file that got a link is read once', async () => {
  writeFileSync(path, 'a clip')
  utimesSync(path, 1764170234, 1764170234)
  const { mtimeNs, ctimeNs } = stampOf(path)
  const digest = await sha256OfFile(path)
  linkSync(path, join(dir, 'link.mp4'))
  const linked = stampOf(path)
  const sent: OutMessage[] = []
  assert.deepEqual(await submitted(mtimeNs, { ctimeNs, clipId: digest }, sent), ['unchanged'])
  assert.deepEqual(
    sent.map(({ value }) => decodeStatus(value).ctimeNs),
    [linked.ctimeNs],
  )
  assert.deepEqual(
    await submitted(mtimeNs, { ctimeNs: linked.ctimeNs, clipId }),
    ['unchanged'],
    'it is not read',
  )

  writeFileSync(path, 'b clip')
  utimesSync(path, 1764170234, 1764170234)
  assert.deepEqual(await submitted(mtimeNs, { ctimeNs: linked.ctimeNs, clipId: digest }), ['queued'])
})

it('submit: a clip that an earlier version indexed is read again if its inode changed after that', async () => {
  writeFileSync(path, 'a clip')
  const { mtimeNs } = stampOf(path)
  const at = '2026-01-01T00:00:00.000Z'
  assert.deepEqual(await submitted(mtimeNs, { at, clipId }), ['queued'])
  assert.deepEqual(await submitted(mtimeNs, { at, clipId: await sha256OfFile(path) }), ['unchanged'])
})

/** A submission that waits for its clips, and what it sent and reported. */
function waitingSubmission() {
  const sent: OutMessage[] = []
  const results: string[] = []
  const send = (messages: readonly OutMessage[]) => {
    sent.push(...messages)
    return Promise.resolve()
  }
  const submission = new Submission({
    connection: { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined },
    publisher: { send, disconnect: () => Promise.resolve() },
    ...{ recipe, again: false, wait: true, signal: new AbortController().signal },
    events: {
      onFound: () => undefined,
      onAllFound: () => undefined,
      onSubmitted: () => undefined,
      onResult: ({ status, code }) => results.push(code ?? status),
    },
  })
  const tell = (state: StatusMessage['state']) =>
    submission.onStatus({
      ...{ key: null, offset: '0', timestamp: '1', attributes: 0, headers: {} },
      value: Buffer.from(
        encodeMessage({
          ...{ v: wireVersion, kind: 'status', uri: path, recipe: recipe.digest, state },
          at: new Date().toISOString(),
        }),
      ),
    })
  return { submission, sent, results, tell }
}

describe('Submission that waits', () => {
  it('publishes the status before the job, and is finished with the result', async () => {
    writeFileSync(path, 'a clip')
    const { submission, sent, results, tell } = waitingSubmission()
    await submission.submit(clip())
    assert.deepEqual(sent.map(({ topic }) => topic), ['test.status', 'test.jobs']) // prettier-ignore
    tell('queued')
    assert.equal(submission.waiting, 1)
    tell('indexed')
    await submission.finished
    assert.deepEqual(results, ['done'])
    tell('failed')
    assert.deepEqual(results, ['done'], 'later statuses do not belong to this submission')
  })

  it('waits for a clip that is queued already, and publishes its job again only on request', async () => {
    const { submission, sent, results, tell } = waitingSubmission()
    tell('queued')
    await submission.submit(clip())
    assert.deepEqual([sent, submission.waiting], [[], 1])
    assert.equal(await submission.resubmitWaiting(), 1)
    assert.deepEqual(sent.map(({ topic }) => topic), ['test.status', 'test.jobs']) // prettier-ignore
    tell('partial')
    await submission.finished
    assert.deepEqual(results, ['partial'])
  })

  it('a clip without any status fails when the submission stops waiting', async () => {
    const { submission, results } = waitingSubmission()
    await submission.submit(clip())
    submission.giveUpWaiting()
    await submission.finished
    assert.deepEqual(results, ['RESULT_MISSING'])
  })
})
