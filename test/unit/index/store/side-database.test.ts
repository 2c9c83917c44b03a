import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openDatabase } from '../../../../index/store/database.js'
import { createChangeReader } from '../../../../index/store/change-reader.js'
import { openSideDatabase } from '../../../../index/store/side-database.js'
import { temporaryDir } from '../../../support/cameo.js'
import { refusedWith } from '../../../support/refused-with.js'

const side = { fileName: 'side.sqlite', version: 1, tablesSql: 'CREATE TABLE t (x INTEGER)' }

describe('a database beside the archive', () => {
  it('is only made beside an archive, unless it is wanted', () => {
    const dir = join(temporaryDir(), 'archive')
    assert.throws(() => openSideDatabase(dir, side), refusedWith('ARCHIVE_MISSING', /no archive/))
    assert.equal(existsSync(dir), false)
    openDatabase(dir, { create: true }).close()
    openSideDatabase(dir, side).close()
    const other = join(temporaryDir(), 'archive')
    openSideDatabase(other, side, { create: true }).close()
    openSideDatabase(other, side).close()
  })

  it('can be read by its owner only, with its log', () => {
    const dir = join(temporaryDir(), 'archive')
    const database = openSideDatabase(dir, side, { create: true })
    database.exec('INSERT INTO t VALUES (1)')
    const files = readdirSync(dir)
    assert.deepEqual(files.sort(), ['side.sqlite', 'side.sqlite-shm', 'side.sqlite-wal'])
    for (const file of files) assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file)
    assert.equal(statSync(dir).mode & 0o777, 0o700)
    database.close()
  })

  it('flushes each change to disk and overwrites what is deleted', () => {
    const database = openSideDatabase(temporaryDir(), side, { create: true })
    const pragma = (name: string) => database.pragma(name, { simple: true })
    assert.deepEqual(
      ['journal_mode', 'synchronous', 'secure_delete', 'foreign_keys', 'busy_timeout'].map(pragma),
      ['wal', 2, 1, 1, 10_000],
    )
    database.close()
  })

  it('of a newer version, or that is something else, is refused', () => {
    const dir = temporaryDir()
    openSideDatabase(dir, { ...side, version: 2 }, { create: true }).close()
    assert.throws(() => openSideDatabase(dir, side), refusedWith('ARCHIVE_NEWER', /schema 2/))
    writeFileSync(join(dir, 'other.sqlite'), 'not a database '.repeat(100))
    assert.throws(
      () => openSideDatabase(dir, { ...side, fileName: 'other.sqlite' }),
      refusedWith('ARCHIVE_DAMAGED', /other\.sqlite is damaged/),
    )
  })

  it('says when it has changed, by this connection or another', () => {
    const dir = temporaryDir()
    const own = openSideDatabase(dir, side, { create: true })
    const other = openSideDatabase(dir, side)
    const change = createChangeReader(own)
    const seen = [change()]
    assert.equal(change(), seen[0])
    for (const database of [own, other, own, other]) {
      database.exec('INSERT INTO t VALUES (1)')
      seen.push(change())
      assert.equal(change(), seen.at(-1))
    }
    assert.equal(new Set(seen).size, seen.length)
    own.close()
    other.close()
  })
})
