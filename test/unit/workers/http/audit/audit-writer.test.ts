import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AuditLog } from '../../../../../index/audit/audit-log.js'
import type { AuditEntry } from '../../../../../index/audit/audit-entry.js'
import { listAudit } from '../../../../../index/audit/list-audit.js'
import { verifyLog } from '../../../../../index/audit/verify-log.js'
import { AuditWriter } from '../../../../../workers/http/audit/audit-writer.js'
import { temporaryDir } from '../../../../support/cameo.js'

const entryOf = (name: string): AuditEntry => ({
  ...{ actor: { kind: 'user', id: 'u1', name: 'Eve' }, action: 'search', outcome: 'done' },
  parts: [{ subject: { kind: 'name', label: name }, content: { name } }],
})

describe('the writer of an audit log', () => {
  it('writes from a thread, in order, beside others who write', async () => {
    const dir = temporaryDir()
    const log = AuditLog.open(dir)
    const writer = new AuditWriter(dir)
    await writer.append(entryOf('Ada'))
    await log.append(entryOf('Bob'))
    await Promise.all(['Cleo', 'Dan', 'Eli'].map((name) => writer.append(entryOf(name))))
    const names = listAudit(log, { order: 'oldest' }).entries.flatMap(({ parts }) =>
      parts.map((part) => (part.state === 'readable' ? part.subject.label : part.state)),
    )
    assert.deepEqual(names, ['Ada', 'Bob', 'Cleo', 'Dan', 'Eli'])
    assert.equal((await verifyLog(log)).isIntact, true)
    await writer.close()
    log.close()
  })

  it('writes what waits before it closes, and nothing afterwards', async () => {
    const dir = temporaryDir()
    const writer = new AuditWriter(dir)
    const appended = Array.from({ length: 50 }, (_, k) => writer.append(entryOf(`name ${k}`)))
    await writer.close()
    await Promise.all(appended)
    await assert.rejects(writer.append(entryOf('Ada')), { code: 'INTERRUPTED' })
    const log = AuditLog.open(dir)
    assert.equal(listAudit(log, { limit: 100 }).entries.length, 50)
    log.close()
  })

  it('says why it cannot write', async () => {
    const writer = new AuditWriter(join(temporaryDir(), 'none'))
    await assert.rejects(writer.append(entryOf('Ada')), { code: 'ARCHIVE_MISSING' })
    await writer.close()
  })
})
