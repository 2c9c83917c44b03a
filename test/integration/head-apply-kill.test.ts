import assert from 'node:assert/strict'
import { cpSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import type { Database } from '../../index/store/sqlite.js'
import { fillArchive } from '../../scripts/bench/archive-data.js'
import { writeUntrainedHead } from '../../scripts/bench/bench-head.js'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, startCameo, temporaryDir, type RunningCommand } from '../support/cameo.js'

const dir = realpathSync(temporaryDir())
const plain = join(dir, 'plain')
const whole = join(dir, 'whole')
const killed = join(dir, 'killed')
const head = join(dir, 'head.onnx')
const size = { clips: 1000, tracksPerClip: 2, facesPerTrack: 2 }
const tracks = size.clips * size.tracksPerClip

/** Rows of one state: what is searched and under which recipe. */
function searchable(archive: string): readonly string[] {
  const active = /^spaces .*active=1/
  const dump = dumpArchive(archive)
  const digest = / digest=("[0-9a-f]+") /.exec(dump.find((line) => active.test(line)) ?? '')?.[1] ?? ''
  return dump.filter((line) =>
    line.startsWith('descriptor ') ? line.includes(digest) : !line.startsWith('spaces ') || active.test(line),
  )
}

interface Counts {
  readonly active: number
  readonly other: number
}

/** How many descriptors each space has, by whether it is searched. */
function countsOf(database: Database): Counts {
  const count = (active: number) =>
    database
      .prepare<[number], number>(
        'SELECT count(*) FROM descriptors JOIN spaces USING (space_id) WHERE active = ?',
      )
      .pluck()
      .get(active) ?? 0
  return { active: count(1), other: count(0) }
}

function counts(archive: string): Counts {
  const opened = openArchive(archive)
  try {
    return countsOf(opened.database)
  } finally {
    opened.close()
  }
}

const start = (archive: string) => startCameo(['head', 'apply', head, '--archive', archive, '--json'])

/** Kills it at the moment. It can write nothing from the look that finds the moment to its end. */
async function killAt(running: RunningCommand, moment: (counts: Counts) => boolean): Promise<void> {
  const left = join(dir, 'left')
  const opened = openArchive(killed)
  try {
    await running.until(() => {
      opened.database.exec('BEGIN IMMEDIATE')
      if (moment(countsOf(opened.database))) return true
      opened.database.exec('ROLLBACK')
      return false
    })
    running.kill('SIGKILL')
    await running.finished
    // The last to close a database tidies up what a killed process leaves: the next run is to find that.
    cpSync(killed, left, { recursive: true })
  } finally {
    opened.close()
  }
  rmSync(killed, { recursive: true })
  renameSync(left, killed)
}

describe('head apply: killed at any moment', () => {
  before(async () => {
    fillArchive(plain, size)
    const opened = openArchive(plain)
    const digest = opened.recipe?.embedderDigest ?? ''
    opened.close()
    const embedders = [{ digest, name: 'lite', dimension: 512 }]
    writeUntrainedHead(head, { embedders, classes: 3, width: 256, change: 1 })
    cpSync(plain, whole, { recursive: true })
    cpSync(plain, killed, { recursive: true })
    const run = await start(whole).finished
    assert.equal(run.code, 0, run.stderr)
  })

  it('the archive is searched by the old descriptors or by the new ones, and a second run completes', async (test) => {
    const [old, next] = [searchable(plain), searchable(whole)]
    assert.notDeepEqual(old, next)
    const states = new Set<string>()
    // After so many descriptors are written, and while the old ones are erased.
    for (const moment of [
      ({ other }: Counts) => other > 0,
      ({ other }: Counts) => other > tracks / 2,
      ({ other }: Counts) => other >= tracks || other === 0,
    ]) {
      await killAt(start(killed), moment)
      const copy = join(dir, 'copy')
      cpSync(killed, copy, { recursive: true })
      const [now, { active, other }] = [searchable(copy), counts(copy)]
      rmSync(copy, { recursive: true })
      const state = JSON.stringify(now) === JSON.stringify(old) ? 'old' : 'new'
      assert.deepEqual(now, state === 'old' ? old : next)
      assert.equal(active, tracks)
      states.add(state)
      test.diagnostic(`killed with ${other} descriptors beside those that are searched, the ${state} ones`)
    }
    assert.ok(states.has('old'))
    const last = await start(killed).finished
    assert.equal(last.code, 0, last.stderr)
    const told = JSON.parse(last.stdout) as { described: number; tracks: number }
    assert.equal(told.tracks, tracks)
    assert.ok(told.described < tracks, 'what was described is not described again')
    assert.deepEqual(dumpArchive(killed), dumpArchive(whole))
    assert.deepEqual(counts(killed), { active: tracks, other: 0 })
  })

  it('a finished run leaves no vectors of the old space', async () => {
    const back = await cameo(['head', 'apply', '--none', '--archive', killed])
    assert.equal(back.code, 0, back.stderr)
    assert.deepEqual(dumpArchive(killed), dumpArchive(plain))
    const names = readdirSync(killed, { recursive: true }).map(String)
    assert.deepEqual(
      names.filter((name) => name.endsWith('.hnsw') || name.endsWith('.tmp')),
      [],
    )
  })
})
