import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { create } from 'tar'
import { openAccess } from '../../../../index/access/access.js'
import { beginWrite, finishWrite } from '../../../../index/access/kept-answers.js'
import { openArchive, openFilledArchive } from '../../../../index/archive/open-archive.js'
import { listAudit } from '../../../../index/audit/list-audit.js'
import { verifyLog } from '../../../../index/audit/verify-log.js'
import { backUp } from '../../../../index/backup/back-up.js'
import { restore, type RestoreRequest } from '../../../../index/backup/restore.js'
import { listReceipts } from '../../../../index/erasure/list-receipts.js'
import { restoreFolderName } from '../../../../index/store/restore-files.js'
import { isForgotten } from '../../../../index/store/forgotten-clips.js'
import { listIdentities } from '../../../../index/store/identities.js'
import { forget } from '../../../../workers/archive/forget.js'
import { searchEntry, withLog } from '../../../support/audit.js'
import { countInFiles } from '../../../support/archive-bytes.js'
import { temporaryDir } from '../../../support/cameo.js'
import { madeClipId, peopleArchive, quietCaller } from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

const ada = 'Augusta Ada King, Countess of Lovelace'
const quiet = () => undefined
const track = (name: string) => ({ like: { [name]: 0.9 }, spansS: [[0, 3]] as const })

/** An archive with its backup, from which a name and a clip are forgotten afterwards. */
async function forgottenSince(): Promise<{ dir: string; file: string }> {
  const dir = join(temporaryDir(), 'archive')
  peopleArchive(
    dir,
    [ada, 'Grace'],
    [
      { path: 'a.mp4', tracks: [track(ada)] },
      { path: 'b.mp4', tracks: [track('Grace')] },
    ],
  ).close()
  await withLog(dir, (log) => log.append(searchEntry(ada, [madeClipId(0), madeClipId(1)])))
  const file = join(dirname(dir), 'backup.tar')
  keepAnswer(dir, JSON.stringify({ name: ada }))
  await backUp({ archiveDir: dir, file }, quiet)
  const opened = openFilledArchive(dir, quiet)
  await forget(opened, { name: ada, waitMs: 0 }, quietCaller())
  await forget(opened, { clip: madeClipId(0), waitMs: 0 }, quietCaller())
  opened.archive.close()
  return { dir, file }
}

/** As a server does that answered a request with a name. */
function keepAnswer(dir: string, body: string): void {
  const access = openAccess(dir, { create: true })
  const key = { actor: 'user 1', idempotencyKey: 'k' }
  beginWrite(access, key, 'digest')
  finishWrite(access, key, { status: 200, body })
  access.close()
}

const restoring = (request: RestoreRequest) => restore(request, quietCaller())

function contentOf(dir: string) {
  const archive = openArchive(dir)
  try {
    return {
      names: listIdentities(archive.database).map(({ name }) => name),
      clips: archive.clips.counts().clips,
      isForgotten: isForgotten(archive.database, madeClipId(0)),
    }
  } finally {
    archive.close()
  }
}

const withoutForgotten = { names: ['Grace'], clips: 1, isForgotten: true }

describe('backup and restore', () => {
  it('write one private file, of an archive that is in use, and leave nothing else', async () => {
    const dir = join(temporaryDir(), 'archive')
    const archive = peopleArchive(dir, [ada], [{ path: 'a.mp4', tracks: [track(ada)] }])
    archive.database.exec('BEGIN; CREATE TABLE unfinished (x)')
    const out = temporaryDir()
    const file = join(out, 'backup.tar')
    const report = await backUp({ archiveDir: dir, file }, quiet)
    archive.database.exec('ROLLBACK')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(out), ['backup.tar'])
    assert.deepEqual(
      report.files.map(({ path }) => path),
      ['audit.sqlite', 'cameo.sqlite', 'keys/audit-mac.key', 'keys/signing.pem'],
    )
    await assert.rejects(backUp({ archiveDir: dir, file }, quiet), refusedWith('USAGE', /there already/))
    await withLog(dir, (log) => assert.equal(listAudit(log).entries[0]?.action, 'backup'))
    archive.close()
    const target = join(temporaryDir(), 'new')
    await restoring({ file, archiveDir: target, withoutErasureList: true })
    assert.deepEqual(contentOf(target), { names: [ada], clips: 1, isForgotten: false })
  })

  it('erase again what the replaced archive has forgotten, also in the log, before anybody sees it', async () => {
    const { dir, file } = await forgottenSince()
    await assert.rejects(
      restoring({ file, archiveDir: dir }),
      refusedWith('ARCHIVE_EXISTS', /there is an archive/),
    )
    const report = await restoring({ file, archiveDir: dir, replace: true })
    assert.deepEqual([report.receipts, report.erasedAgain.names, report.erasedAgain.clips], [2, 1, 1])
    assert.deepEqual(contentOf(dir), withoutForgotten)
    assert.equal(countInFiles(dir, [Buffer.from(ada)]), 0)
    await withLog(dir, async (log) => {
      const { entries } = listAudit(log, { order: 'oldest' })
      assert.deepEqual(
        entries.map(({ action }) => action),
        ['search', 'restore'],
      )
      assert.deepEqual(
        entries[0]?.parts.map(({ state }) => state),
        ['erased', 'erased', 'readable'],
      )
      assert.equal(listReceipts(log).length, 2, 'the proofs are kept')
      assert.deepEqual((await verifyLog(log)).problems, [])
    })
    assert.ok(!readdirSync(dir).some((name) => name.startsWith('restore.') && name !== 'restore.lock'))
  })

  it('erase again what a list of receipts says, where no archive is left', async () => {
    const { dir, file } = await forgottenSince()
    const list = join(dirname(dir), 'receipts.json')
    const receipts = await withLog(dir, (log) => listReceipts(log))
    writeFileSync(list, JSON.stringify({ receipts }))
    rmSync(dir, { recursive: true })
    await assert.rejects(
      restoring({ file, archiveDir: dir }),
      refusedWith('ERASURES_UNKNOWN', /may come back/),
    )
    assert.equal(existsSync(join(dir, 'cameo.sqlite')), false)
    await restoring({ file, archiveDir: dir, erasuresFile: list })
    assert.deepEqual(contentOf(dir), { ...withoutForgotten, isForgotten: true })
    assert.equal(countInFiles(dir, [Buffer.from(ada)]), 0)
    await withLog(dir, (log) => {
      const [first] = listAudit(log, { order: 'oldest' }).entries
      assert.deepEqual(
        first?.parts.map(({ state }) => state),
        ['erased', 'erased', 'readable'],
      )
    })
  })

  it('refuse a list with a changed receipt, and say so when a restore may bring people back', async () => {
    const { dir, file } = await forgottenSince()
    const receipts = await withLog(dir, (log) => listReceipts(log))
    const list = join(dirname(dir), 'receipts.json')
    writeFileSync(list, JSON.stringify([{ ...receipts[0], at: '2020-01-01T00:00:00.000Z' }]))
    const target = join(temporaryDir(), 'new')
    await assert.rejects(
      restoring({ file, archiveDir: target, erasuresFile: list }),
      refusedWith('RECEIPT_INVALID', /was changed/),
    )
    const report = await restoring({ file, archiveDir: target, withoutErasureList: true })
    assert.equal(report.receipts, undefined)
    assert.deepEqual(contentOf(target), { names: [ada, 'Grace'], clips: 2, isForgotten: false })
  })

  it('refuse a damaged, cut, or strange file, and leave the archive as it is', async () => {
    const { dir, file } = await forgottenSince()
    const bytes = readFileSync(file)
    const bad = join(dirname(dir), 'bad.tar')
    const at = Math.floor(bytes.length / 2)
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    const strange = join(dirname(dir), 'strange')
    mkdirSync(strange)
    writeFileSync(join(strange, 'manifest.json'), '{}')
    writeFileSync(join(strange, 'evil.sh'), '')
    await create({ file: join(dirname(dir), 'strange.tar'), cwd: strange }, ['manifest.json', 'evil.sh'])
    for (const content of [
      flipped,
      bytes.subarray(0, at),
      Buffer.from('no tar'),
      readFileSync(`${strange}.tar`),
    ]) {
      writeFileSync(bad, content)
      await assert.rejects(
        restoring({ file: bad, archiveDir: dir, replace: true }),
        refusedWith('BACKUP_INVALID', /not a backup, or it is damaged/),
      )
    }
    assert.deepEqual(contentOf(dir), withoutForgotten)
  })

  it('refuse to replace an archive that another process has open', async () => {
    const { dir, file } = await forgottenSince()
    const holder = openArchive(dir)
    await assert.rejects(
      restoring({ file, archiveDir: dir, replace: true }),
      refusedWith('ARCHIVE_BUSY', /has the archive .* open/),
    )
    holder.close()
    assert.deepEqual(contentOf(dir), withoutForgotten)
  })

  it('leave the old archive or the whole new one when the process is killed', async () => {
    const { dir, file } = await forgottenSince()
    const worker = fileURLToPath(new URL('../../../support/restore-worker.js', import.meta.url))
    for (const afterMs of [100, 400, 800]) {
      const copy = join(temporaryDir(), 'archive')
      cpSync(dir, copy, { recursive: true })
      const child = fork(worker, ['restore', file, copy])
      await once(child, 'message')
      const ended = once(child, 'exit')
      setTimeout(() => child.kill('SIGKILL'), afterMs)
      await ended
      assert.deepEqual(contentOf(copy), withoutForgotten, `killed after ${afterMs} ms`)
      await withLog(copy, async (log) => assert.deepEqual((await verifyLog(log)).problems, []))
    }
    // Killed while a backup is written over an earlier one.
    const before = readFileSync(file)
    const child = fork(worker, ['backup', file, dir])
    await once(child, 'message')
    const ended = once(child, 'exit')
    setTimeout(() => child.kill('SIGKILL'), 20)
    await ended
    assert.ok(readFileSync(file).equals(before), 'the earlier backup is whole')
    await backUp({ archiveDir: dir, file, overwrite: true }, quiet)
    assert.deepEqual(readdirSync(dirname(file)).sort(), ['archive', 'backup.tar'], 'nothing is left of it')
    // Killed after the decision, before the files were moved.
    const decided = join(temporaryDir(), 'archive')
    cpSync(dir, decided, { recursive: true })
    const staged = join(decided, restoreFolderName)
    const fresh = openArchive(staged, { create: true })
    fresh.close()
    const files = ['cameo.sqlite']
    writeFileSync(join(decided, 'restore.commit'), JSON.stringify({ files }))
    assert.deepEqual(contentOf(decided), { names: [], clips: 0, isForgotten: false })
    assert.equal(existsSync(join(decided, 'audit.sqlite')), false, 'what the backup lacks is gone')
  })
})
