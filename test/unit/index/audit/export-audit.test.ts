import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { publicKeyPem, readSigningKeys } from '../../../../index/audit/archive-keys.js'
import { exportAudit, verifyExport } from '../../../../index/audit/export-audit.js'
import { parsePublicKey } from '../../../../index/audit/signatures.js'
import { searchEntry, withLog } from '../../../support/audit.js'
import { temporaryDir } from '../../../support/cameo.js'
import { refusedWith } from '../../../support/refused-with.js'

async function exported(): Promise<{ lines: string[]; pem: string }> {
  const dir = temporaryDir()
  return withLog(dir, async (log) => {
    for (const name of ['Ada', 'Grace', 'Mary']) await log.append(searchEntry(name, [`clip of ${name}`]))
    await log.forget([{ kind: 'name', label: 'Grace' }])
    const lines: string[] = []
    for await (const line of exportAudit(log, { archiveId: 'a' })) lines.push(line.trimEnd())
    return { lines, pem: publicKeyPem(readSigningKeys(dir)) }
  })
}

describe('an export of the audit log', () => {
  it('is checked without the archive, with the public key, and shows forgotten people as erased', async () => {
    const { lines, pem } = await exported()
    const { archiveId, rows } = await verifyExport(lines, parsePublicKey(pem))
    assert.deepEqual([archiveId, rows], ['a', 3])
    const text = lines.join('\n')
    assert.ok(text.includes('"label":"Ada"') && text.includes('clip of Grace'))
    assert.ok(!text.includes('"Grace"') && text.includes('{"state":"erased"}'))
  })

  it('is refused when any line was changed, left out, moved or added, and with another key', async () => {
    const { lines, pem } = await exported()
    const key = parsePublicKey(pem)
    const [a = '', b = '', c = '', d = '', end = ''] = lines
    const refused = (given: readonly string[], said: RegExp, by = key) =>
      assert.rejects(verifyExport(given, by), refusedWith('AUDIT_EXPORT_INVALID', said))
    for (const [i, line] of lines.entries())
      await refused(
        lines.map((other, j) => (i === j ? line.replace(/"(at|archiveId)":"/, '"$1":"x') : other)),
        /./,
      )
    await refused([a, b, d, end], /row 2 is missing/)
    await refused([a, b, d, c, end], /row 2 is missing/)
    await refused([a, b, c, end], /lines were changed/)
    await refused([a, b, c, d], /cut off/)
    await refused([], /cut off/)
    await refused([a, b, c, d, d, end], /row 4 is missing/)
    await refused(lines, /not of the owner/, generateKeyPairSync('ed25519').publicKey)
    assert.throws(() => parsePublicKey('no key'), refusedWith('USAGE', /public key/))
  })
})
