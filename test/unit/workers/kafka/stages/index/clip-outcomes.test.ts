import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../../../index/store/inbox.js'
import { decodeStatus, type ClosingMessage } from '../../../../../../workers/kafka/messages/schemas.js'
import { ClipOutcomes } from '../../../../../../workers/kafka/stages/index/clip-outcomes.js'
import { statusKey } from '../../../../../../workers/kafka/stages/index/status.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { clipId, good, recipeWith, source } from '../../../../../support/described.js'

const archives = temporaryDir()
const failure = { code: 'CLIP_STUCK', message: 'it is stuck' }

/** Outcomes in an empty archive, and the statuses to publish. */
function start() {
  const archive = openArchive(mkdtempSync(join(archives, 'archive-')), { create: true })
  const inbox = createInbox(archive.database)
  const outcomes = new ClipOutcomes({ archive, inbox, connection: { prefix: 'test' } })
  return { archive, outcomes, published: () => inbox.unpublished(100) }
}

function closingOf(of = source): ClosingMessage {
  const closing = good(0, { segments: 1, pass: 'first', of }).at(-1)
  assert.ok(closing?.kind === 'closing')
  return closing
}

describe('ClipOutcomes', () => {
  it('a failure is stored beside the file, and as a status with its key', () => {
    const { archive, outcomes, published } = start()
    outcomes.fail(closingOf(), undefined, failure)
    assert.deepEqual(archive.files.failures(), [{ path: source.uri, clipId: null, ...failure }])
    const [entry] = published()
    assert.ok(entry !== undefined)
    assert.equal(entry.topic, 'test.status')
    assert.equal(entry.key, statusKey(recipeWith().digest, source.uri))
    const { state, failure: said } = decodeStatus(entry.value)
    assert.deepEqual([state, said], ['failed', failure])
  })

  it('reports nothing of a clip with missing segments', () => {
    const { outcomes, published } = start()
    outcomes.finishIfComplete(closingOf(), { clipId, recipe: recipeWith().digest }, undefined)
    assert.deepEqual([outcomes.told, published()], [[], []])
  })

  it('reports a forgotten clip, and deletes the earlier failure of its file', () => {
    const { archive, outcomes } = start()
    const closing = closingOf()
    outcomes.fail(closing, undefined, failure)
    outcomes.recordFile(closing, closing.plan.stamp, clipId)
    outcomes.setForgotten(closing, clipId)
    assert.deepEqual(archive.files.failures(), [])
    assert.deepEqual(outcomes.told.map(({ state }) => state), ['failed', 'forgotten']) // prettier-ignore
  })

  it('the path of a URL below its root starts without a slash', () => {
    const { archive, outcomes } = start()
    const uri = 'https://host/clips/a.mp4'
    outcomes.fail(closingOf({ uri, root: 'https://host/clips' }), undefined, failure)
    assert.deepEqual(archive.files.failures().map(({ path }) => path), [uri]) // prettier-ignore
  })
})
