import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AuditLog } from '../../../../index/audit/audit-log.js'
import { listAudit } from '../../../../index/audit/list-audit.js'
import { verifyLog, type AuditProblem } from '../../../../index/audit/verify-log.js'
import { bob, eve, searchEntry, tamper, withLog } from '../../../support/audit.js'
import { countInFiles } from '../../../support/archive-bytes.js'
import { temporaryDir } from '../../../support/cameo.js'
import { refusedWith } from '../../../support/refused-with.js'

const ada = { kind: 'name', label: 'Augusta Ada King, Countess of Lovelace' } as const

const [clipX, clipY] = ['x'.repeat(64), 'y'.repeat(64)] as const

/** A log with one row of each kind: with people and without, with words and without. */
async function filledLog(): Promise<string> {
  const dir = temporaryDir()
  await withLog(dir, async (log) => {
    await log.append(searchEntry(ada.label, [clipX, clipY]))
    await log.append({ actor: bob, action: 'sign-in', outcome: 'done' })
    await log.append({ actor: eve, action: 'export', outcome: 'refused', approvalId: 'a1' })
    await log.append(searchEntry('Grace', [clipX]))
    await log.append({ actor: bob, action: 'sign-out', outcome: 'done' })
  })
  return dir
}

const problemsOf = (dir: string): Promise<readonly AuditProblem[]> =>
  withLog(dir, async (log) => (await verifyLog(log)).problems)

const kindsOf = (problems: readonly AuditProblem[]) =>
  problems.map(({ kind, seq }) => `${kind} ${seq ?? ''}`.trim())

describe('the audit log', () => {
  it('keeps entries in order, with what they say, and is intact', async () => {
    const dir = await filledLog()
    await withLog(dir, async (log) => {
      const { entries, next } = listAudit(log, { order: 'oldest', limit: 2 })
      assert.equal(next, 2)
      const [search] = entries
      assert.deepEqual([search?.seq, search?.actor, search?.action], [1, eve, 'search'])
      assert.deepEqual([search?.purpose, search?.caseReference], ['a documentary', 'C-7'])
      assert.deepEqual(search?.details, { matches: 2 })
      assert.deepEqual(search.parts[2], {
        state: 'readable',
        subject: { kind: 'clip', label: clipY },
        content: { clipId: clipY, path: `/films/${clipY}.mp4`, score: 0.7 },
      })
      assert.deepEqual(
        listAudit(log, { order: 'oldest', after: 2 }).entries.map(({ seq }) => seq),
        [3, 4, 5],
      )
      assert.deepEqual(
        listAudit(log, { actor: 'u2' }).entries.map(({ seq }) => seq),
        [5, 2],
      )
      assert.deepEqual(
        listAudit(log, { action: 'search', outcome: 'done' }).entries.map(({ seq }) => seq),
        [4, 1],
      )
      const verified = await verifyLog(log)
      assert.deepEqual([verified.isIntact, verified.rows], [true, 5])
    })
  })

  it('names nobody in its file, and is private', async () => {
    const dir = await filledLog()
    assert.equal(
      countInFiles(
        dir,
        [ada.label, clipX, `/films/${clipX}.mp4`].map((text) => Buffer.from(text)),
      ),
      0,
    )
    for (const name of ['audit.sqlite', 'audit.head', 'keys/audit-mac.key'])
      assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name)
    assert.equal(statSync(join(dir, 'keys')).mode & 0o777, 0o700)
  })

  it('keeps a name out of the purpose, and shows it in the part of that name', async () => {
    const dir = temporaryDir()
    await withLog(dir, async (log) => {
      await log.append({ ...searchEntry(ada.label), purpose: `where is ${ada.label.toUpperCase()}?` })
      const [entry] = listAudit(log).entries
      assert.equal(entry?.purpose, 'where is [name]?')
      assert.deepEqual(entry.parts, [
        {
          state: 'readable',
          subject: ada,
          content: { query: ada.label, purpose: `where is ${ada.label.toUpperCase()}?` },
        },
      ])
    })
  })

  it('finds a change in every column of every kind of row', async () => {
    const clean = await filledLog()
    const columns = [
      ...['at', 'actor_kind', 'actor_id', 'actor_name', 'action', 'purpose', 'case_reference', 'approval_id'],
      ...['outcome', 'details', 'sealed', 'previous_hash', 'hash'],
    ]
    for (const column of columns)
      for (const seq of [1, 2, 3, 5]) {
        const dir = temporaryDir()
        cpSync(clean, dir, { recursive: true })
        tamper(dir, `UPDATE audit_log SET ${column} = coalesce(${column}, '') || 'x' WHERE seq = ${seq}`)
        const problems = await problemsOf(dir)
        assert.ok(
          problems.some((problem) => problem.kind === 'changed' && problem.seq === seq),
          `${column} of row ${seq}: ${JSON.stringify(problems)}`,
        )
      }
  })

  it('finds removed, last, swapped, inserted and moved rows', async () => {
    const clean = await filledLog()
    const swap = 'UPDATE audit_log SET seq ='
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['DELETE FROM audit_log WHERE seq = 2', ['missing 2']],
      ['DELETE FROM audit_log WHERE seq = 1', ['missing 1']],
      ['DELETE FROM audit_log WHERE seq >= 4', ['missing 4', 'head-file']],
      ['DELETE FROM audit_log', ['missing 1', 'head-file']],
      ['DELETE FROM audit_log; DELETE FROM audit_head', ['head-file']],
      [
        `${swap} 99 WHERE seq = 2; ${swap} 2 WHERE seq = 3; ${swap} 3 WHERE seq = 99`,
        ['link 2', 'changed 2', 'link 3', 'changed 3', 'link 4'],
      ],
      [
        `INSERT INTO audit_log SELECT 6, at, actor_kind, actor_id, actor_name, action, purpose, case_reference, approval_id,
           outcome, details, sealed, hash, hash FROM audit_log WHERE seq = 5`,
        ['changed 6', 'head'],
      ],
      [
        // With the old end of the log written over the new one.
        `DELETE FROM audit_log WHERE seq = 5;
         UPDATE audit_head SET count = 4, hash = (SELECT hash FROM audit_log WHERE seq = 4)`,
        ['head', 'head-file'],
      ],
    ]
    for (const [sql, expected] of cases) {
      const dir = temporaryDir()
      cpSync(clean, dir, { recursive: true })
      tamper(dir, sql)
      assert.deepEqual(kindsOf(await problemsOf(dir)), expected, sql)
    }
  })

  it('finds a database that was replaced by an earlier copy of itself, also when rows were added since', async () => {
    const dir = await filledLog()
    const earlier = readFileSync(join(dir, 'audit.sqlite'))
    await withLog(dir, async (log) => log.append({ actor: bob, action: 'sign-in', outcome: 'done' }))
    writeFileSync(join(dir, 'audit.sqlite'), earlier)
    assert.deepEqual(kindsOf(await problemsOf(dir)), ['head-file'])
    await withLog(dir, async (log) => {
      for (const name of ['a', 'b']) await log.append(searchEntry(name))
    })
    assert.deepEqual(kindsOf(await problemsOf(dir)), ['head-file'])
  })

  it('finds a lost file of the end, dropped triggers, and refuses to go on without its key', async () => {
    const dir = await filledLog()
    rmSync(join(dir, 'audit.head'))
    assert.deepEqual(kindsOf(await problemsOf(dir)), ['head-file'])
    const other = await filledLog()
    tamper(other, 'CREATE TRIGGER a AFTER INSERT ON audit_log BEGIN DELETE FROM audit_head; END')
    assert.deepEqual(kindsOf(await problemsOf(other)), ['tables'])
    rmSync(join(other, 'keys', 'audit-mac.key'))
    assert.throws(() => AuditLog.open(other), refusedWith('AUDIT_KEY_MISSING', /audit-mac\.key/))
  })

  it('refuses to change or delete rows through SQL', async () => {
    const dir = await filledLog()
    await withLog(dir, ({ database }) => {
      assert.throws(() => database.exec("UPDATE audit_log SET action = 'x'"), /cannot be changed/)
      assert.throws(() => database.exec('DELETE FROM audit_log'), /cannot be deleted/)
      assert.throws(
        () => database.exec('INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE seq = 1'),
        /only be added at its end/,
      )
    })
  })

  it('cannot read a forgotten subject any more, still reads the others, and stays intact', async () => {
    const dir = await filledLog()
    const key = await withLog(dir, ({ keys }) => keys.keyOf(1))
    assert.ok(key !== undefined)
    assert.equal(countInFiles(dir, [key]), 1, 'the key was there')
    await withLog(dir, async (log) => {
      assert.deepEqual(await log.forget([ada]), { destroyed: 1, isPending: false })
      const first = () => listAudit(log, { order: 'oldest' }).entries[0]
      assert.deepEqual(
        first()?.parts.map(({ state }) => state),
        ['erased', 'readable', 'readable'],
      )
      assert.deepEqual(await log.forget([ada]), { destroyed: 0, isPending: false })
      await log.append(searchEntry(ada.label))
      assert.equal(listAudit(log).entries[0]?.parts[0]?.state, 'readable', 'a new key for new entries')
      assert.equal(first()?.parts[0]?.state, 'erased')
      assert.equal((await verifyLog(log)).isIntact, true)
    })
    assert.equal(countInFiles(dir, [key]), 0, 'its bytes are gone')
  })

  it('sees that another process destroyed a key', async () => {
    const dir = temporaryDir()
    await withLog(dir, async (log) => {
      await log.append(searchEntry(ada.label))
      await withLog(dir, (other) => other.forget([ada]))
      await log.append(searchEntry(ada.label))
      const states = listAudit(log).entries.map(({ parts }) => parts[0]?.state)
      assert.deepEqual(states, ['readable', 'erased'])
    })
  })

  it('adds all rows of several processes, of which one is killed, and loses none that was acknowledged', async () => {
    const dir = temporaryDir()
    await withLog(dir, (log) => log.append(searchEntry('first')))
    const writer = fileURLToPath(new URL('../../../support/audit-writer.js', import.meta.url))
    const children = ['a', 'b', 'c'].map((id) => fork(writer, [dir, id]))
    const acknowledged = new Map<string, number>()
    for (const child of children)
      child.on('message', (message: [string, number]) => acknowledged.set(message[0], message[1]))
    while ([...acknowledged.values()].length < 3 || Math.min(...acknowledged.values()) < 15)
      await new Promise((resolve) => setTimeout(resolve, 5))
    const ended = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(ended)
    await withLog(dir, async (log) => {
      assert.deepEqual((await verifyLog(log)).problems, [])
      for (const [id, last] of acknowledged) {
        const rows = listAudit(log, { actor: id, limit: 100_000, order: 'oldest' }).entries
        const numbers = rows.map(({ details }) => details['number'])
        assert.ok(numbers.length > last, `${id}: ${numbers.length} rows, ${last} acknowledged`)
        assert.deepEqual(numbers, [...numbers.keys()])
      }
      await log.append(searchEntry('last'))
      assert.deepEqual((await verifyLog(log)).problems, [])
    })
  })

  it('adds entries of one turn together, and 32 at once quickly', async () => {
    const dir = temporaryDir()
    await withLog(dir, async (log) => {
      const started = performance.now()
      let added = 0
      await Promise.all(
        Array.from({ length: 32 }, async () => {
          for (; added < 3000;) {
            added++
            await log.append(searchEntry(ada.label, ['x', 'y']))
          }
        }),
      )
      const perSecond = added / ((performance.now() - started) / 1000)
      assert.ok(perSecond > 300, `${perSecond.toFixed(0)} rows/s`)
      process.stderr.write(`audit: ${perSecond.toFixed(0)} rows/s\n`)
      assert.equal((await verifyLog(log)).rows, added)
    })
  })
})
