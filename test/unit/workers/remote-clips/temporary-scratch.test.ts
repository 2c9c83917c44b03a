import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { temporaryScratch } from '../../../../workers/remote-clips/temporary-scratch.js'
import { temporaryDir } from '../../../support/cameo.js'

it('a temporary scratch folder: deletes the folders of killed processes on this host, also with the same id, and nothing else', () => {
  const parent = temporaryDir()
  const dead = spawnSync('true').pid
  const left = (name: string) => {
    const dir = join(parent, name)
    mkdirSync(dir)
    writeFileSync(join(dir, 'clip.mp4'), 'clip')
    return dir
  }
  const ofDead = [dead, process.pid].map((pid) => left(`cameo-scratch-${hostname()}-${pid}-abc`))
  const others = [
    left(`cameo-scratch-${hostname()}-${process.ppid}-abc`),
    left(`cameo-scratch-elsewhere-${dead}-abc`),
    left(`cameo-scratch-${hostname()}-mine`),
    left('holiday'),
  ]
  const own = temporaryScratch(parent)
  assert.ok(existsSync(own))
  for (const dir of ofDead) assert.ok(!existsSync(dir), dir)
  for (const other of others) assert.ok(existsSync(join(other, 'clip.mp4')), other)
})
