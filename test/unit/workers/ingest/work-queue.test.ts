import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unknownStamp } from '../../../../workers/ingest/file-stamp.js'
import type { FoundClip, Job } from '../../../../workers/ingest/ingest-jobs.js'
import { WorkQueue } from '../../../../workers/ingest/work-queue.js'
import { ScriptedThread } from './scripted-thread.js'

const foundAt = (path: string): FoundClip => ({ kind: 'clip', folder: '/', path, sizeBytes: 1 })

function jobOf(path: string): Job {
  const file = {
    found: foundAt(path),
    path,
    rootId: 1,
    relativePath: path,
    stamp: unknownStamp,
    startedMs: 0,
  }
  const clip = { clipId: path, file, duplicates: [], jobs: 1, givenUp: [], failure: undefined }
  return { clip, request: { kind: 'open' }, attempt: 1 }
}

describe('WorkQueue', () => {
  it('gives jobs before files, each in order of arrival', () => {
    const thread = new ScriptedThread()
    const queue = new WorkQueue([thread])
    for (const path of ['/a', '/b']) queue.addFile(foundAt(path))
    queue.addJobs([jobOf('/c'), jobOf('/d')])
    const taken = Array.from({ length: 5 }, () => queue.next(thread))
    assert.deepEqual(
      taken.map((work) => (work?.kind === 'job' ? work.job.clip.clipId : work?.found.path)),
      ['/c', '/d', '/a', '/b', undefined],
    )
  })

  it('gives a busy thread nothing while another thread is less busy', async () => {
    const [busy, idle] = [new ScriptedThread(), new ScriptedThread()]
    const queue = new WorkQueue([busy, idle])
    queue.addFile(foundAt('/a'))
    await queue.during(busy, () => {
      assert.equal(queue.next(busy), undefined)
      assert.equal(queue.next(idle)?.kind, 'file')
      return Promise.resolve()
    })
  })

  it('gives a busy thread the next file if all threads are equally busy', async () => {
    const [one, other] = [new ScriptedThread(), new ScriptedThread()]
    const queue = new WorkQueue([one, other])
    queue.addFile(foundAt('/a'))
    await queue.during(one, () =>
      queue.during(other, () => {
        assert.equal(queue.next(one)?.kind, 'file')
        return Promise.resolve()
      }),
    )
  })

  it('is done only when the search has ended, nothing waits and no work is running', async () => {
    const thread = new ScriptedThread()
    const queue = new WorkQueue([thread])
    assert.equal(queue.isDone, false)
    queue.addFile(foundAt('/a'))
    queue.endSearch()
    assert.deepEqual([queue.isDone, queue.waitingFiles], [false, 1])
    assert.notEqual(queue.next(thread), undefined)
    // The file's plan may add jobs.
    await queue.during(thread, () => {
      assert.equal(queue.isDone, false)
      queue.addJobs([jobOf('/a')])
      return Promise.resolve()
    })
    assert.equal(queue.isDone, false)
    assert.notEqual(queue.nextJob(), undefined)
    assert.equal(queue.isDone, true)
  })

  it('wakes all waiting threads on every change', async () => {
    const thread = new ScriptedThread()
    const queue = new WorkQueue([thread])
    const changes: (() => void)[] = [
      () => queue.addFile(foundAt('/a')),
      () => queue.addJobs([jobOf('/b')]),
      () => queue.endSearch(),
      () => void queue.during(thread, () => Promise.resolve()),
    ]
    for (const change of changes) {
      const waiting = [queue.changed(), queue.changed()]
      change()
      await Promise.all(waiting)
    }
  })
})
