import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { AuditLog } from '../../index/audit/audit-log.js'
import { listAudit, type AuditRecord } from '../../index/audit/list-audit.js'
import { recordUse } from '../../index/audit/record-use.js'
import { countInFiles } from '../support/archive-bytes.js'
import { tamper } from '../support/audit.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { madeClipId, peopleArchive } from '../support/people-archive.js'
import { refusedWith } from '../support/refused-with.js'

const dir = temporaryDir()
const archive = join(dir, 'archive')
const here = ['--archive', archive]
const ada = 'Augusta Ada King, Countess of Lovelace'
const track = (name: string) => ({ like: { [name]: 0.9 }, spansS: [[0, 3]] as const })

/** The entries since the last call, oldest first. */
let seen = 0
function added(): readonly AuditRecord[] {
  const log = AuditLog.open(archive)
  try {
    const { entries } = listAudit(log, { order: 'oldest', after: seen })
    seen = entries.at(-1)?.seq ?? seen
    return entries
  } finally {
    log.close()
  }
}

const labelsOf = ({ parts }: AuditRecord) =>
  parts.map((part) => (part.state === 'readable' ? `${part.subject.kind} ${part.subject.label}` : part.state))

async function run(...args: readonly string[]) {
  const result = await cameo([...args, ...here])
  assert.equal(result.code, 0, result.stderr)
  return result
}

// The tests of this file follow one archive, in order.
describe('the audit log of the command line', () => {
  before(() => {
    peopleArchive(
      archive,
      [ada, 'Grace'],
      [
        { path: 'both.mp4', tracks: [track(ada), track('Grace')] },
        { path: 'other.mp4', tracks: [track('Grace')] },
      ],
    ).close()
  })

  it('has a search with its reason and whom it found, and an export', async () => {
    await run('search', '--name', ada, '--purpose', `to find ${ada}`, '--case', 'C-1')
    const [search, ...others] = added()
    assert.ok(search !== undefined)
    assert.equal(others.length, 0)
    assert.deepEqual(
      [search.action, search.purpose, search.caseReference, search.actor.kind, search.details['matches']],
      ['search', 'to find [name]', 'C-1', 'system', 1],
    )
    assert.deepEqual(labelsOf(search), [`name ${ada}`, `clip ${madeClipId(0)}`])
    await run('search', '--name', 'Grace', '--without', ada, '--format', 'csv')
    const [, exported] = added()
    assert.deepEqual([exported?.action, exported?.details['format']], ['export', 'csv'])
  })

  it('has corrections, names, views and a file of names', async () => {
    await run('reject', 'Grace', madeClipId(1))
    await run('people', 'alias', 'Grace', 'Amazing Grace')
    await run('people', 'show', 'Grace')
    await run('show', madeClipId(0))
    await run('people', 'export', '--out', join(dir, 'names.jsonl'))
    assert.deepEqual(
      added().map((entry) => [entry.action, ...labelsOf(entry)]),
      [
        ['correct', 'name Grace', `clip ${madeClipId(1)}`],
        ['name', 'name Grace'],
        ['view-person', 'name Grace'],
        ['view-clip', `clip ${madeClipId(0)}`, `name ${ada}`, 'name Grace'],
        ['export', `name ${ada}`, 'name Grace'],
      ],
    )
  })

  it('no longer says who was forgotten, gives a receipt that is checked without the archive, and is intact', async () => {
    const forgotten = await run('forget', '--name', ada, '--case', 'GDPR-1', '--json')
    const { receipt } = JSON.parse(forgotten.stdout) as { receipt: { receiptId: string; reference: string } }
    assert.equal(receipt.reference, 'GDPR-1')
    assert.equal(countInFiles(archive, [Buffer.from(ada)]), 0)
    const [file, key] = [join(dir, 'receipt.json'), join(dir, 'key.pem')]
    writeFileSync(file, (await run('receipt', 'show', receipt.receiptId, '--json')).stdout)
    writeFileSync(key, (await run('receipt', 'key')).stdout)
    const elsewhere = ['--archive', join(dir, 'nowhere')]
    assert.equal((await cameo(['receipt', 'verify', file, '--key', key, ...elsewhere])).code, 0)
    writeFileSync(file, readFileSync(file, 'utf8').replace('GDPR-1', 'GDPR-2'))
    const changed = await cameo(['receipt', 'verify', file, '--key', key, '--json', ...elsewhere])
    assert.deepEqual([changed.code, (JSON.parse(changed.stdout) as { valid: boolean }).valid], [1, false])
    const listed = JSON.parse((await run('receipt', 'list', '--json')).stdout) as { receipts: unknown[] }
    assert.equal(listed.receipts.length, 1)
    const out = join(dir, 'audit.jsonl')
    await run('audit', 'export', '--out', out)
    assert.ok(!readFileSync(out, 'utf8').includes('Lovelace'))
    assert.equal((await cameo(['audit', 'verify', out, '--key', key, ...elsewhere])).code, 0)
    assert.match((await run('audit', 'verify')).stdout, /is intact: \d+ entries/)
    assert.match((await run('audit', 'list', '--action', 'forget-name')).stdout, /forget-name.*GDPR-1/)
  })

  it('is backed up and restored, and Ada stays forgotten', async () => {
    const file = join(dir, 'backup.tar')
    await run('backup', '--to', file)
    await run('forget', '--name', 'Grace')
    const refused = await cameo(['restore', '--from', file, '--archive', join(dir, 'new'), '--json'])
    assert.equal(refused.code, 2)
    assert.equal((JSON.parse(refused.stdout) as { code: string }).code, 'ERASURES_UNKNOWN')
    const restored = await run('restore', '--from', file, '--replace', '--json')
    const report = JSON.parse(restored.stdout) as { erasedAgain: { names: number } }
    assert.equal(report.erasedAgain.names, 1)
    assert.equal((await cameo(['search', '--name', 'Grace', ...here])).code, 2)
    await run('audit', 'verify')
  })

  it('is found to be tampered with: exit code 1', async () => {
    tamper(archive, "UPDATE audit_log SET actor_name = 'nobody' WHERE seq = 1")
    const found = await cameo(['audit', 'verify', '--json', ...here])
    assert.equal(found.code, 1)
    const { intact, problems } = JSON.parse(found.stdout) as { intact: boolean; problems: { seq: number }[] }
    assert.deepEqual([intact, problems.map(({ seq }) => seq)], [false, [1]])
  })

  it('is told when it cannot be written, and the answer comes nevertheless', async () => {
    rmSync(join(archive, 'keys', 'audit-mac.key'))
    const { code, stdout, stderr } = await cameo(['show', madeClipId(1), ...here])
    assert.equal(code, 0)
    assert.match(stdout, /other\.mp4/)
    assert.match(stderr, /this is not in the audit log: the key file .* is missing/)
    await assert.rejects(
      recordUse(archive, () => [], { isRequired: true, notify: () => undefined }),
      refusedWith('AUDIT_KEY_MISSING', /is missing/),
    )
  })
})

describe('a restore', () => {
  it('does not bring back people without names who were erased since the backup', async () => {
    const other = join(dir, 'unnamed')
    const file = join(dir, 'unnamed.tar')
    const stranger = { like: {}, spansS: [[5, 8]] as const }
    peopleArchive(other, ['Grace'], [{ path: 'a.mp4', tracks: [track('Grace'), stranger] }]).close()
    const there = ['--archive', other, '--json']
    assert.equal((await cameo(['backup', '--to', file, ...there])).code, 0)
    assert.equal((await cameo(['retain', '--days', '1', '--unnamed-people', '--yes', ...there])).code, 0)
    const restored = await cameo(['restore', '--from', file, '--replace', ...there])
    assert.equal(restored.code, 0, restored.stderr)
    const { erasedAgain } = JSON.parse(restored.stdout) as { erasedAgain: object }
    assert.deepEqual(erasedAgain, { names: 0, faces: 0, clips: 0, tracks: 1, auditKeys: 0 })
    const shown = await cameo(['show', madeClipId(0), ...there])
    const { people } = JSON.parse(shown.stdout) as { people: { name: string | null }[] }
    assert.deepEqual(
      people.map(({ name }) => name),
      ['Grace'],
    )
  })
})
