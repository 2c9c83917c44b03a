import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Approvals, type ApprovalActor } from '../../../../index/audit/approvals.js'
import { AuditLog } from '../../../../index/audit/audit-log.js'
import { listAudit } from '../../../../index/audit/list-audit.js'
import { verifyLog } from '../../../../index/audit/verify-log.js'
import type { ErrorCode } from '../../../../pipeline/common/errors.js'
import { bob as plainBob, eve as plainEve } from '../../../support/audit.js'
import { temporaryDir } from '../../../support/cameo.js'
import { refusedWith } from '../../../support/refused-with.js'

const eve: ApprovalActor = { ...plainEve, mayApprove: true }
const bob: ApprovalActor = { ...plainBob, mayApprove: true }
const viewer: ApprovalActor = { kind: 'user', id: 'u3', name: 'Vera', mayApprove: false }
const question = { subject: { name: 'Ada' }, top: 20 }
const asked = {
  question,
  parts: [{ subject: { kind: 'name' as const, label: 'Ada' }, content: { name: 'Ada' } }],
  purpose: 'a film about Ada',
}
const hourMs = 3600 * 1000

/** An approval log with a clock that the test moves. */
function started() {
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
  const dir = temporaryDir()
  const log = AuditLog.open(dir, { now: () => clock.nowMs })
  return { clock, dir, log, approvals: new Approvals(log) }
}

const isRefused = (step: () => unknown, code: ErrorCode) => assert.throws(step, refusedWith(code, /./))

describe('approvals of searches', () => {
  it('are requested, approved by another person, used once, and all of it is in the log', async () => {
    const { approvals, log } = started()
    const { approvalId, state, purpose, parts } = approvals.request(eve, asked)
    assert.deepEqual([state, purpose], ['requested', 'a film about [name]'])
    assert.deepEqual(parts, [
      {
        state: 'readable',
        subject: { kind: 'name', label: 'Ada' },
        content: { name: 'Ada', purpose: 'a film about Ada' },
      },
    ])
    const approved = approvals.decide(bob, approvalId, { approved: true, reason: 'Ada agreed' })
    assert.deepEqual(
      [approved.state, approved.reason, approved.decider],
      ['approved', '[name] agreed', plainBob],
    )
    assert.equal(approvals.use(eve, approvalId, question).state, 'used')
    isRefused(() => approvals.use(eve, approvalId, question), 'APPROVAL_CLOSED')
    assert.deepEqual(
      listAudit(log, { order: 'oldest' }).entries.map(({ action, outcome, actor }) => [
        action,
        outcome,
        actor.id,
      ]),
      [
        ['approval-requested', 'done', 'u1'],
        ['approval-approved', 'done', 'u2'],
        ['approval-used', 'done', 'u1'],
        ['approval-used', 'refused', 'u1'],
      ],
    )
    assert.equal((await verifyLog(log)).isIntact, true)
    log.close()
  })

  it('refuse every step that is not the next one', () => {
    const { approvals, log, clock } = started()
    const at = {
      requested: () => approvals.request(eve, asked).approvalId,
      approved() {
        const id = at.requested()
        approvals.decide(bob, id, { approved: true })
        return id
      },
      denied() {
        const id = at.requested()
        approvals.decide(bob, id, { approved: false })
        return id
      },
      used() {
        const id = at.approved()
        approvals.use(eve, id, question)
        return id
      },
    }
    const decide = (by: ApprovalActor, approved: boolean) => (id: string) =>
      approvals.decide(by, id, { approved })
    const use =
      (by: ApprovalActor, what = question) =>
      (id: string) =>
        approvals.use(by, id, what)
    const other = { ...question, top: 100 }
    const cases: readonly (readonly [keyof typeof at, (id: string) => unknown, ErrorCode])[] = [
      ['requested', use(eve), 'APPROVAL_CLOSED'],
      ['requested', decide(eve, true), 'APPROVAL_NOT_ALLOWED'],
      ['requested', decide(viewer, true), 'APPROVAL_NOT_ALLOWED'],
      ['requested', decide(viewer, false), 'APPROVAL_NOT_ALLOWED'],
      ['approved', use(bob), 'APPROVAL_NOT_ALLOWED'],
      ['approved', use(eve, other), 'APPROVAL_MISMATCH'],
      ['approved', decide(bob, true), 'APPROVAL_CLOSED'],
      ['approved', decide(bob, false), 'APPROVAL_CLOSED'],
      ['denied', use(eve), 'APPROVAL_CLOSED'],
      ['denied', decide(bob, true), 'APPROVAL_CLOSED'],
      ['denied', decide(bob, false), 'APPROVAL_CLOSED'],
      ['used', use(eve), 'APPROVAL_CLOSED'],
      ['used', decide(bob, true), 'APPROVAL_CLOSED'],
      ['used', decide(bob, false), 'APPROVAL_CLOSED'],
    ]
    for (const [state, step, code] of cases) {
      const id = at[state]()
      isRefused(() => step(id), code)
      assert.equal(approvals.get(id).state, state, 'it stays as it was')
    }
    for (const [state, step] of [
      ['requested', decide(bob, true)],
      ['approved', use(eve)],
    ] as const) {
      const id = at[state]()
      clock.nowMs += 24 * hourMs
      assert.equal(approvals.get(id).state, 'expired')
      isRefused(() => step(id), 'APPROVAL_CLOSED')
    }
    isRefused(() => approvals.get('no such id'), 'APPROVAL_UNKNOWN')
    log.close()
  })

  it('are not decided with a key of whoever asked, which is noted', () => {
    const { log } = started()
    const key: ApprovalActor = { kind: 'key', id: 'k1', name: 'script', mayApprove: true }
    const personOf = ({ id }: { readonly id: string }) => (id === key.id ? eve.id : id)
    const approvals = new Approvals(log, { personOf })
    const { approvalId } = approvals.request(eve, asked)
    isRefused(() => approvals.decide(key, approvalId, { approved: true }), 'APPROVAL_NOT_ALLOWED')
    const [last] = listAudit(log, {}).entries
    assert.deepEqual([last?.action, last?.outcome, last?.actor.id], ['approval-approved', 'refused', key.id])
    assert.equal(approvals.decide(bob, approvalId, { approved: true }).state, 'approved')
    log.close()
  })

  it('count the time of an approval from its decision', () => {
    const { approvals, log, clock } = started()
    const { approvalId } = approvals.request(eve, asked)
    clock.nowMs += 23 * hourMs
    approvals.decide(bob, approvalId, { approved: true })
    clock.nowMs += 23 * hourMs
    assert.equal(approvals.use(eve, approvalId, { top: 20, subject: { name: 'Ada' } }).state, 'used')
    log.close()
  })

  it('are used by one of two processes only', () => {
    const { approvals, log, dir, clock } = started()
    const { approvalId } = approvals.request(eve, asked)
    approvals.decide(bob, approvalId, { approved: true })
    const second = AuditLog.open(dir, { now: () => clock.nowMs })
    const elsewhere = new Approvals(second)
    assert.equal(elsewhere.get(approvalId).state, 'approved')
    approvals.use(eve, approvalId, question)
    isRefused(() => elsewhere.use(eve, approvalId, question), 'APPROVAL_CLOSED')
    second.close()
    log.close()
  })

  it('are listed in pages, newest first, and no longer say who is meant once that person is forgotten', async () => {
    const { approvals, log, clock } = started()
    const ids = [1, 2, 3].map(() => {
      clock.nowMs += 1000
      return approvals.request(eve, asked).approvalId
    })
    const first = approvals.list({ limit: 2 })
    assert.deepEqual(
      first.approvals.map(({ approvalId }) => approvalId),
      [ids[2], ids[1]],
    )
    const second = approvals.list({ limit: 2, after: first.next })
    assert.deepEqual(
      second.approvals.map(({ approvalId }) => approvalId),
      [ids[0]],
    )
    assert.equal(second.next, undefined)
    await log.forget([{ kind: 'name', label: 'Ada' }])
    assert.deepEqual(approvals.get(ids[0] ?? '').parts, [{ state: 'erased' }])
    log.close()
  })
})
