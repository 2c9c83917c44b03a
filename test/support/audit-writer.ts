// Adds rows to an audit log until it is killed. Reports each row that is on the disk.
import { AuditLog } from '../../index/audit/audit-log.js'

const [, , dir = '', id = ''] = process.argv
const log = AuditLog.open(dir)
const actor = { kind: 'user', id, name: id } as const
for (let number = 0; ; number++) {
  await log.append({
    ...{ actor, action: 'search', outcome: 'done', details: { number } },
    parts: [{ subject: { kind: 'clip', label: `clip ${number % 7}` }, content: { number } }],
  })
  process.send?.([id, number])
}
