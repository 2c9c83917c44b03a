import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { openFilledArchive, type FilledArchive } from '../../../../index/archive/open-archive.js'
import { readSigningKeys } from '../../../../index/audit/archive-keys.js'
import { listAudit } from '../../../../index/audit/list-audit.js'
import { recordUse } from '../../../../index/audit/record-use.js'
import { clipPart, namePart } from '../../../../index/audit/use-entries.js'
import { verifyLog } from '../../../../index/audit/verify-log.js'
import { findReceipt, listReceipts } from '../../../../index/erasure/list-receipts.js'
import { completeReceiptsIn } from '../../../../index/erasure/complete-receipts.js'
import { verifyReceipt, type Receipt } from '../../../../index/erasure/receipt.js'
import { enroll } from '../../../../index/identities/identities.js'
import { emptyLog } from '../../../../index/store/erasure.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { forget, type ForgetRequest } from '../../../../workers/archive/forget.js'
import { searchEntry, withLog } from '../../../support/audit.js'
import { countInFiles } from '../../../support/archive-bytes.js'
import { temporaryDir } from '../../../support/cameo.js'
import { madeClipId, peopleArchive, quietCaller } from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

const ada = 'Augusta Ada King, Countess of Lovelace'
const waitMs = 500
const track = (name: string) => ({ like: { [name]: 0.9 }, spansS: [[0, 3]] as const })

function filled(): { dir: string; opened: FilledArchive } {
  const dir = temporaryDir()
  peopleArchive(
    dir,
    [ada, 'Grace'],
    [
      { path: 'both.mp4', tracks: [track(ada), track('Grace')] },
      { path: 'a film with a long name.mp4', tracks: [track('Grace')] },
    ],
  ).close()
  return { dir, opened: openFilledArchive(dir, () => undefined) }
}

async function forgetting(opened: FilledArchive, request: ForgetRequest): Promise<Receipt> {
  const { receipt } = await forget(opened, request, quietCaller())
  assert.ok(receipt !== undefined)
  return receipt
}

describe('a receipt of an erasure', () => {
  it('says what of a name was erased, is signed, names nobody, and the name is in no file any more', async () => {
    const { dir, opened } = filled()
    await withLog(dir, (log) => log.append(searchEntry(ada, [madeClipId(0)])))
    await recordUse(
      dir,
      () => [
        { action: 'export', details: { format: 'csv' }, parts: [namePart(ada), clipPart(madeClipId(0))] },
      ],
      { notify: () => undefined },
    )
    const receipt = await forgetting(opened, { waitMs, name: ada, order: { caseReference: 'GDPR-17' } })
    assert.equal(receipt.state, 'complete')
    assert.equal(receipt.reference, 'GDPR-17')
    assert.deepEqual(receipt.erased.rows, { identities: 1, reference_faces: 1, journal: 1 })
    assert.deepEqual(receipt.check, { vectorsSearched: 0, vectorsFound: 0, idsLookedUp: 1, rowsFound: 0 })
    assert.equal(receipt.erased.auditKeys, 1)
    const exports = receipt.unreachable.find(({ what }) => what === 'exports')
    assert.equal(exports?.count, 1)
    verifyReceipt(receipt, readSigningKeys(dir).publicKey)
    assert.ok(!JSON.stringify(receipt).includes('Lovelace'))
    assert.equal(countInFiles(dir, [Buffer.from(ada)]), 0)
    await withLog(dir, async (log) => {
      assert.deepEqual(findReceipt(log, receipt.receiptId), receipt)
      const { entries } = listAudit(log, { order: 'oldest' })
      assert.deepEqual(
        entries[0]?.parts.map(({ state }) => state),
        ['erased', 'readable'],
      )
      assert.deepEqual([entries[2]?.action, entries[2]?.caseReference], ['forget-name', 'GDPR-17'])
      assert.equal((await verifyLog(log)).isIntact, true)
    })
    opened.archive.close()
  })

  it('searches with the vectors of a clip, and finds none of them', async () => {
    const { dir, opened } = filled()
    await withLog(dir, (log) => log.append(searchEntry(ada, [madeClipId(0), madeClipId(1)])))
    const receipt = await forgetting(opened, { waitMs, clip: madeClipId(0) })
    const { rows, vectors, thumbnails } = receipt.erased
    assert.deepEqual(
      [rows['clips'], rows['tracks'], rows['embeddings'], rows['paths'], vectors, thumbnails],
      [1, 2, 2, 1, 2, 2],
    )
    assert.deepEqual(receipt.check, { vectorsSearched: 2, vectorsFound: 0, idsLookedUp: 1, rowsFound: 0 })
    assert.equal(receipt.subject.kind, 'clip')
    await withLog(dir, (log) => {
      const [, first] = listAudit(log).entries
      assert.deepEqual(
        first?.parts.map(({ state }) => state),
        ['readable', 'erased', 'readable'],
      )
    })
    opened.archive.close()
  })

  it('counts a face of a name, and the name with its last face', async () => {
    const { dir, opened } = filled()
    enroll(opened.archive.database, 'Grace', opened.recipe.embedderDigest, [
      {
        source: '/photos/second.jpg',
        embedding: { float16: encodeFloat16(new Float32Array(512).fill(0.04)), norm: 20 },
        quality: 0.8,
      },
    ])
    const one = await forgetting(opened, { waitMs, name: 'Grace', face: 2 })
    assert.equal(one.erased.rows['reference_faces'], 1)
    assert.deepEqual(
      one.subject.hmacs.map(({ kind }) => kind),
      ['face'],
    )
    assert.equal(one.check.rowsFound, 0)
    const last = await forgetting(opened, { waitMs, name: 'Grace', face: 1 })
    assert.deepEqual(
      last.subject.hmacs.map(({ kind }) => kind),
      ['name', 'face'],
    )
    assert.deepEqual([last.erased.rows['identities'], last.check.rowsFound], [1, 0])
    await withLog(dir, (log) => assert.equal(listReceipts(log).length, 2))
    opened.archive.close()
  })

  it('says that an erasure is not finished, and a second receipt finishes it', async () => {
    const { dir, opened } = filled()
    const reader = openFilledArchive(dir, () => undefined)
    const { database } = reader.archive
    database.exec('BEGIN')
    database.prepare('SELECT count(*) FROM tracks').get()
    const { receipt, pending } = await forget(opened, { waitMs: 0, clip: madeClipId(1) }, quietCaller())
    assert.equal(pending?.code, 'ERASURE_PENDING')
    assert.equal(receipt?.state, 'pending')
    database.exec('COMMIT')
    reader.archive.close()
    await completeReceiptsIn(dir, () => undefined)
    await withLog(dir, (log) => assert.equal(listReceipts(log).length, 1, 'its bytes are still there'))
    await forget(opened, { waitMs: 500, name: 'Grace' }, quietCaller())
    assert.equal(emptyLog(opened.archive.database), true)
    await withLog(dir, (log) => {
      const second = listReceipts(log).find(({ completes }) => completes === receipt.receiptId)
      assert.deepEqual([second?.state, second?.subject], ['complete', receipt.subject])
      if (second !== undefined) verifyReceipt(second, readSigningKeys(dir).publicKey)
    })
    opened.archive.close()
  })

  it('is refused when any of its values was changed, and with another key', async () => {
    const { dir, opened } = filled()
    const receipt = await forgetting(opened, { waitMs, name: ada })
    const { publicKey } = readSigningKeys(dir)
    const changed: readonly Partial<Receipt>[] = [
      { at: '2020-01-01T00:00:00.000Z' },
      { reference: 'x' },
      { state: 'pending' },
      { erased: { ...receipt.erased, auditKeys: 9 } },
      { check: { ...receipt.check, rowsFound: 1 } },
      { unreachable: [] },
    ]
    for (const change of changed)
      assert.throws(
        () => verifyReceipt({ ...receipt, ...change }, publicKey),
        refusedWith('RECEIPT_INVALID', /was changed/),
      )
    assert.throws(
      () => verifyReceipt(receipt, generateKeyPairSync('ed25519').publicKey),
      refusedWith('RECEIPT_INVALID', /not signed with this key/),
    )
    opened.archive.close()
  })
})
