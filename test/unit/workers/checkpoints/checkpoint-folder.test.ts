import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CheckpointUpdate } from '../../../../pipeline/segments/segment-checkpoint.js'
import {
  openCheckpointFolder,
  type CheckpointFolder,
} from '../../../../workers/checkpoints/checkpoint-folder.js'
import { noteMessage } from '../../../../workers/kafka/stages/faces/forgotten-clips.js'
import { JobCheckpoints, resumedRequest } from '../../../../workers/kafka/stages/faces/job-checkpoints.js'
import { temporaryDir } from '../../../support/cameo.js'

const key = { clipId: 'ab'.repeat(32), recipe: 'cd'.repeat(32) }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Each update lists the parts before it, too. */
function updateOf(segment: number, ...parts: readonly string[]): CheckpointUpdate {
  const bytes = parts.map((part) => Buffer.from(part))
  const newPart = bytes.at(-1)
  return {
    ...{ segment, timeS: parts.length, state: Buffer.from(`state ${segment}/${parts.length}`) },
    parts: bytes.map(sha256),
    ...(newPart === undefined ? {} : { newPart }),
  }
}

const place = temporaryDir()
let folders = 0

function newFolder(limits?: { maxBytes: number; maxAgeMs: number }) {
  const dir = join(place, `${folders++}`, 'checkpoints')
  const troubles: string[] = []
  const open = () => openCheckpointFolder(dir, (text) => troubles.push(text), limits)
  return { dir, troubles, open, folder: open() }
}

const shown = (folder: CheckpointFolder) =>
  folder
    .read(key)
    .map(({ segment, job, state, parts }) => [
      ...[segment, job, Buffer.from(state).toString()],
      ...parts.map((part) => Buffer.from(part).toString()),
    ])

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
}

describe('the folder of checkpoints', () => {
  it('returns the last written checkpoint, also to another process', () => {
    const { folder, open } = newFolder()
    folder.write(key, 'job', updateOf(3, 'one'))
    folder.write(key, 'job', updateOf(3, 'one', 'two'))
    folder.write(key, 'other', updateOf(0))
    for (const reader of [folder, open()])
      assert.deepEqual(shown(reader), [
        [0, 'other', 'state 0/0'],
        [3, 'job', 'state 3/2', 'one', 'two'],
      ])
  })

  it('is readable only by its owner, whatever the umask', () => {
    const before = process.umask(0)
    const { folder, dir } = newFolder()
    try {
      folder.write(key, 'job', updateOf(0, 'one'))
    } finally {
      process.umask(before)
    }
    for (const name of ['.', ...filesBelow(dir)]) {
      const { mode } = statSync(join(dir, name))
      assert.equal(mode & 0o077, 0, name)
    }
    assert.equal(filesBelow(dir).length, 5)
  })

  it('leaves nothing behind when its last segment is done', () => {
    const { folder, dir } = newFolder()
    assert.equal(existsSync(dir), false)
    folder.write(key, 'job', updateOf(0, 'one'))
    folder.write(key, 'job', updateOf(1))
    folder.drop(key, 0)
    assert.deepEqual(shown(folder), [[1, 'job', 'state 1/0']])
    folder.drop(key, 1)
    assert.equal(existsSync(dir), false)
  })

  it('two workers can safely work on one segment', () => {
    const { folder, open } = newFolder()
    const other = open()
    folder.write(key, 'a', updateOf(0, 'one'))
    other.write(key, 'b', updateOf(0, 'o', 'ne'))
    // The first part of b is missing, so the checkpoint is incomplete and the segment starts again.
    assert.deepEqual(shown(folder), [])
    folder.write(key, 'a', updateOf(0, 'one', 'two'))
    assert.deepEqual(shown(other), [[0, 'a', 'state 0/2', 'one', 'two']])
    folder.drop(key, 0)
    other.write(key, 'b', updateOf(0, 'o', 'ne', '!'))
    assert.deepEqual(shown(other), [])
  })

  it('keeps and accepts nothing of a forgotten clip until the clip is allowed again', () => {
    const { folder, dir } = newFolder()
    folder.write(key, 'job', updateOf(0, 'one'))
    const topicKey = Buffer.from(`clip/${key.clipId}`)
    noteMessage(folder, topicKey, Buffer.from('forgotten'))
    assert.equal(existsSync(dir), false)
    folder.write(key, 'job', updateOf(0, 'one'))
    assert.deepEqual(shown(folder), [])
    noteMessage(folder, topicKey, null)
    folder.write(key, 'job', updateOf(0, 'one'))
    assert.equal(shown(folder).length, 1)
  })

  it('no message can name a folder outside it', () => {
    const { folder, dir } = newFolder()
    folder.write(key, 'job', updateOf(0))
    const beside = join(dir, '..', 'beside')
    mkdirSync(beside)
    for (const name of ['clip/../beside', 'clip/', 'clip/.', 'name/["a","b"]'])
      noteMessage(folder, Buffer.from(name), Buffer.from('x'))
    assert.ok(existsSync(beside))
    assert.equal(shown(folder).length, 1)
  })

  it('removes old checkpoints, and the oldest ones if there are too many', () => {
    const { folder, dir } = newFolder({ maxBytes: 1200, maxAgeMs: 3_600_000 })
    for (const segment of [0, 1, 2, 3]) {
      folder.write(key, 'job', updateOf(segment, 'x'.repeat(400)))
      const minutes = [90, 30, 20, 10][segment] ?? 0
      const at = Date.now() / 1000 - minutes * 60
      const own = join(dir, key.clipId, key.recipe, `${segment}`)
      for (const name of readdirSync(own)) utimesSync(join(own, name), at, at)
    }
    folder.sweep()
    assert.deepEqual(shown(folder).map(([segment]) => segment), [2, 3]) // prettier-ignore
  })

  it('a folder that is a link or not writable fails no clip', () => {
    const troubles: string[] = []
    mkdirSync(join(place, 'real'))
    symlinkSync(join(place, 'real'), join(place, 'link'))
    writeFileSync(join(place, 'file'), '')
    for (const name of ['link', 'file']) {
      const folder = openCheckpointFolder(join(place, name), (text) => troubles.push(text))
      folder.write(key, 'job', updateOf(0))
      folder.write(key, 'job', updateOf(1))
      assert.deepEqual(folder.read(key), [])
    }
    assert.equal(troubles.length, 2, troubles.join())
    assert.deepEqual(readdirSync(join(place, 'real')), [])
  })
})

describe('the checkpoints of a job', () => {
  it('a job for a whole clip skips what it published; another job does not', () => {
    const { folder } = newFolder()
    folder.write(key, 'job', updateOf(2))
    const { resume, ...own } = resumedRequest({ kind: 'open' }, folder, key, 'job')
    assert.deepEqual([own, resume === undefined], [{ kind: 'open', from: 2 }, false])
    assert.deepEqual(resumedRequest({ kind: 'open' }, folder, key, 'other'), { kind: 'open', resume: undefined, from: 0 }) // prettier-ignore
  })

  it('a checkpoint is written when everything published before it is durable, and only then the finished ones are deleted', async () => {
    const { folder } = newFolder()
    const kept = new JobCheckpoints(folder, key, 'job')
    kept.save(updateOf(0), [])
    await kept.settled()
    let publish: () => void = () => undefined
    const sent = new Promise<void>((resolve) => (publish = resolve))
    kept.finished(0)
    kept.save(updateOf(1), [sent])
    await new Promise(setImmediate)
    assert.deepEqual(shown(folder), [[0, 'job', 'state 0/0']])
    publish()
    await kept.settled()
    assert.deepEqual(shown(folder), [[1, 'job', 'state 1/0']])
    kept.finished(1)
    await kept.close()
    assert.deepEqual(shown(folder), [])
  })

  it('the earlier checkpoint stays if publishing fails', async () => {
    const { folder } = newFolder()
    const kept = new JobCheckpoints(folder, key, 'job')
    kept.save(updateOf(0), [])
    const failed = Promise.reject(new Error('no broker'))
    failed.catch(() => undefined)
    kept.finished(0)
    kept.save(updateOf(1), [failed])
    await kept.settled()
    assert.deepEqual(shown(folder), [[0, 'job', 'state 0/0']])
  })
})
