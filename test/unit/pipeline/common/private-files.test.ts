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

describe('private files', () => {
  for (const mask of [0o000, 0o022, 0o077])
    it(`have mode 0600 in folders with mode 0700 under umask ${mask.toString(8)}`, () =>
      withUmask(mask, () => {
        const dir = join(temporaryDir(), 'above', 'own')
        makePrivateFolder(dir)
        createPrivateFile(join(dir, 'a'))
        writePrivateFile(join(dir, 'b'), 'text')
        assert.deepEqual([dir, join(dir, 'a'), join(dir, 'b')].map(modeOf), ['700', '600', '600'])
        // A parent folder gets the mode of the user's umask.
        assert.equal(modeOf(join(dir, '..')), (0o777 & ~mask).toString(8))
      }))

  it('closes an open file to other users when it is written again', () => {
    const file = join(temporaryDir(), 'sheet.html')
    writeFileSync(file, 'a long older text')
    chmodSync(file, 0o644)
    writePrivateFile(file, 'text')
    assert.deepEqual([readFileSync(file, 'utf8'), modeOf(file)], ['text', '600'])
  })

  it('writes to a device and keeps its permissions', () => {
    const before = modeOf('/dev/null')
    writePrivateFile('/dev/null', 'text')
    assert.equal(modeOf('/dev/null'), before)
  })

  it('keeps the content of an existing file and the permissions of an existing folder', () => {
    const dir = temporaryDir()
    chmodSync(dir, 0o755)
    const file = join(dir, 'a')
    writeFileSync(file, 'content')
    createPrivateFile(file)
    makePrivateFolder(dir)
    assert.deepEqual([readFileSync(file, 'utf8'), modeOf(dir)], ['content', '755'])
  })

  it('are closed to other users; the owner loses no permission', () => {
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
