import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openFilledArchive, type FilledArchive } from '../../../../index/archive/open-archive.js'
import type { AuditEntry } from '../../../../index/audit/audit-entry.js'
import { listAudit } from '../../../../index/audit/list-audit.js'
import { groupPart } from '../../../../index/audit/use-entries.js'
import { verifyLog } from '../../../../index/audit/verify-log.js'
import { lastAnswerFile } from '../../../../index/editing/last-answer.js'
import { completeReceiptsIn } from '../../../../index/erasure/complete-receipts.js'
import { listReceipts } from '../../../../index/erasure/list-receipts.js'
import { ErasureProof } from '../../../../index/erasure/prove-erasure.js'
import { enroll } from '../../../../index/identities/identities.js'
import { ErasureNotes } from '../../../../index/store/audit/erasure-notes.js'
import { PeopleRows } from '../../../../index/store/people-rows.js'
import { sha256OfBytes } from '../../../../pipeline/common/digest.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { openCameo } from '../../../../workers/cameo.js'
import { forget, type ForgetRequest } from '../../../../workers/archive/forget.js'
import { searchEntry, system, withLog } from '../../../support/audit.js'
import { temporaryDir } from '../../../support/cameo.js'
import { madeClipId, peopleArchive, quietCaller } from '../../../support/people-archive.js'

const track = (name: string) => ({ like: { [name]: 0.9 }, spansS: [[0, 3]] as const })
const quiet = () => undefined
const waitMs = 500

/** An archive whose log tells of a name and two clips. */
async function filled(): Promise<{ dir: string; opened: FilledArchive }> {
  const dir = temporaryDir()
  peopleArchive(
    dir,
    ['Ada', 'Grace'],
    [
      { path: 'both.mp4', tracks: [track('Ada'), track('Grace')] },
      { path: 'one.mp4', tracks: [track('Grace')] },
    ],
  ).close()
  await withLog(dir, (log) => log.append(searchEntry('Ada', [madeClipId(0), madeClipId(1)])))
  return { dir, opened: openFilledArchive(dir, quiet) }
}

/** Stops `forget` right after it erased, as a killed process would: the last answer cannot be removed. */
async function forgetUntilErased(dir: string, opened: FilledArchive, what: ForgetRequest): Promise<void> {
  mkdirSync(lastAnswerFile(dir))
  await assert.rejects(forget(opened, what, quietCaller()), /EISDIR/)
  rmSync(lastAnswerFile(dir), { recursive: true })
  opened.archive.close()
}

/** Of the first entry, what can be read: the name, the first clip, the second clip. */
const states = (dir: string) =>
  withLog(dir, (log) => listAudit(log, { order: 'oldest' }).entries[0]?.parts.map(({ state }) => state))

const notesIn = (dir: string) => withLog(dir, (log) => new ErasureNotes(log.database).all().length)

describe('an erasure that was stopped before it destroyed the keys of the audit log', () => {
  it('is finished for a clip when the archive is opened again', async () => {
    const { dir, opened } = await filled()
    await forgetUntilErased(dir, opened, { waitMs, clip: madeClipId(0) })
    assert.deepEqual(await states(dir), ['readable', 'readable', 'readable'])
    await (await openCameo({ archive: dir })).close()
    assert.deepEqual(await states(dir), ['readable', 'erased', 'readable'])
    assert.equal(await notesIn(dir), 0)
    await withLog(dir, async (log) => {
      const last = listAudit(log).entries[0]
      assert.deepEqual([last?.action, last?.details], ['erasure-finished', { auditKeys: 1 }])
      assert.equal((await verifyLog(log)).isIntact, true)
    })
  })

  it('is finished for a name, and for searches with a photo of it', async () => {
    const { dir, opened } = await filled()
    const photo = join(dir, 'ada.jpg')
    writeFileSync(photo, 'the bytes of a photo')
    enroll(opened.archive.database, 'Ada', opened.recipe.embedderDigest, [
      {
        source: photo,
        embedding: { float16: encodeFloat16(new Float32Array(512).fill(0.04)), norm: 20 },
        quality: 0.8,
      },
    ])
    let searched = 0
    await withLog(dir, async (log) => {
      const digest = log.digestOfQuery(sha256OfBytes(readFileSync(photo)))
      const photoSearch: AuditEntry = {
        ...{ actor: system, action: 'search', outcome: 'done' },
        parts: [{ subject: { kind: 'photo', label: digest }, content: { digest } }],
      }
      await log.append(photoSearch)
      searched = log.rows.lastSeq()
    })
    await forgetUntilErased(dir, opened, { waitMs, name: 'Ada' })
    await completeReceiptsIn(dir, quiet)
    assert.deepEqual(await states(dir), ['erased', 'readable', 'readable'])
    await withLog(dir, (log) => {
      const entry = listAudit(log, { order: 'oldest' }).entries[searched - 1]
      assert.deepEqual(
        entry?.parts.map(({ state }) => state),
        ['erased'],
      )
    })
  })

  it('is finished for a group that lost its last track, and not for one that has others', async () => {
    const { dir, opened } = await filled()
    const { database } = opened.archive
    const people = new PeopleRows(database)
    const of = (clip: number) =>
      database
        .prepare<[string], number>('SELECT track_id FROM tracks WHERE clip_id = ? ORDER BY track_id')
        .pluck()
        .all(madeClipId(clip))
    const [adaTrack = 0, graceTrack = 0] = of(0)
    const [lateTrack = 0] = of(1)
    const [ada, grace] = [people.add(), people.add()]
    people.put(adaTrack, ada)
    for (const trackId of [graceTrack, lateTrack]) people.put(trackId, grace)
    await withLog(dir, (log) =>
      log.append({
        ...{ actor: system, action: 'view-person', outcome: 'done' },
        parts: [groupPart(ada), groupPart(grace)],
      }),
    )
    await forgetUntilErased(dir, opened, { waitMs, clip: madeClipId(0) })
    await completeReceiptsIn(dir, quiet)
    await withLog(dir, (log) => {
      const entry = listAudit(log, { order: 'oldest', action: 'view-person' }).entries[0]
      assert.deepEqual(
        entry?.parts.map(({ state }) => state),
        ['erased', 'readable'],
      )
    })
  })

  it('leaves all keys alone if nothing was erased', async () => {
    const { dir, opened } = await filled()
    const proof = ErasureProof.begin(opened.archive, {}, quiet)
    proof?.things.addClip(madeClipId(0), ['Ada'])
    assert.equal(await notesIn(dir), 2)
    await completeReceiptsIn(dir, quiet)
    assert.equal(await notesIn(dir), 2, 'the erasure is still running')
    proof?.close()
    opened.archive.close()
    await completeReceiptsIn(dir, quiet)
    assert.equal(await notesIn(dir), 0)
    assert.deepEqual(await states(dir), ['readable', 'readable', 'readable'])
    await withLog(dir, (log) => assert.equal(log.rows.lastSeq(), 1))
  })

  it('leaves no note after an erasure that ran to its end', async () => {
    const { dir, opened } = await filled()
    await forget(opened, { waitMs, clip: madeClipId(0) }, quietCaller())
    opened.archive.close()
    assert.equal(await notesIn(dir), 0)
    assert.deepEqual(await states(dir), ['readable', 'erased', 'readable'])
    await withLog(dir, (log) => assert.equal(listReceipts(log)[0]?.erased.auditKeys, 1))
  })
})
