import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  closeToOthers,
  createPrivateFile,
  makePrivateFolder,
  writePrivateFile,
} from '../../../../pipeline/common/private-files.js'
import { temporaryDir } from '../../../support/cameo.js'
import { withUmask } from '../../../support/modes.js'

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

describe('files that are their owner’s alone', () => {
  for (const mask of [0o000, 0o022, 0o077])
    it(`are made 0600 in folders of 0700 under umask ${mask.toString(8)}`, () =>
      withUmask(mask, () => {
        const dir = join(temporaryDir(), 'above', 'own')
        makePrivateFolder(dir)
        createPrivateFile(join(dir, 'a'))
        writePrivateFile(join(dir, 'b'), 'text')
        assert.deepEqual([dir, join(dir, 'a'), join(dir, 'b')].map(modeOf), ['700', '600', '600'])
        // A folder above is no more private than its user wants.
        assert.equal(modeOf(join(dir, '..')), (0o777 & ~mask).toString(8))
      }))

  it('an open file that is written anew is closed to others', () => {
    const file = join(temporaryDir(), 'sheet.html')
    writeFileSync(file, 'a long older text')
    chmodSync(file, 0o644)
    writePrivateFile(file, 'text')
    assert.deepEqual([readFileSync(file, 'utf8'), modeOf(file)], ['text', '600'])
  })

  it('what is no file is written to and keeps its permissions', () => {
    const before = modeOf('/dev/null')
    writePrivateFile('/dev/null', 'text')
    assert.equal(modeOf('/dev/null'), before)
  })

  it('a file that is there keeps its content, and a folder its permissions', () => {
    const dir = temporaryDir()
    chmodSync(dir, 0o755)
    const file = join(dir, 'a')
    writeFileSync(file, 'content')
    createPrivateFile(file)
    makePrivateFolder(dir)
    assert.deepEqual([readFileSync(file, 'utf8'), modeOf(dir)], ['content', '755'])
  })

  it('are closed to others without a loss for their owner', () => {
    const file = join(temporaryDir(), 'a')
    writeFileSync(file, '')
    for (const [before, after, state] of [
      [0o666, '600', 'tightened'],
      [0o444, '400', 'tightened'],
      [0o600, '600', 'private'],
    ] as const) {
      chmodSync(file, before)
      assert.deepEqual([closeToOthers(file), modeOf(file)], [state, after])
    }
    assert.equal(closeToOthers(`${file} that is gone`), 'private')
  })
})
