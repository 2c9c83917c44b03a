/** A server whose clips are processed by workers. Real models. */
import assert from 'node:assert/strict'
import { realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { testBroker, type TestBroker } from '../support/broker.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'
import { startServer, type TestServer } from '../support/http-server.js'
import { createQueue, messagesIn, until, type Queue } from '../support/queue.js'

const films = realpathSync(temporaryDir())
const films2 = realpathSync(temporaryDir())

let broker: TestBroker
let queue: Queue
let server: TestServer

interface JobAnswer {
  readonly jobId: string
  readonly state: string
  readonly progress: { readonly found: number; readonly isAllFound: boolean; readonly done: number }
  readonly result?: {
    readonly status: string
    readonly failed: number
    readonly results: Readonly<Record<string, number>>
  }
}

const startJob = async (path: string): Promise<JobAnswer> => {
  const answer = await server.json('POST', '/api/v1/jobs', { kind: 'ingest', paths: [path] })
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  return answer.body as JobAnswer
}

async function ended({ jobId }: JobAnswer, within = 120_000): Promise<JobAnswer> {
  for (const until = Date.now() + within; Date.now() < until;) {
    const job = (await server.json('GET', `/api/v1/jobs/${jobId}`)).body as JobAnswer
    if (job.state !== 'running') return job
    await pause(100)
  }
  throw new Error('the job does not end')
}

describe('Kafka: a server that puts clips into the queue', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    broker = await testBroker()
    queue = await createQueue(broker, 'served')
    await makeFaceClip(join(films, 'film.mp4'), 'sofa left', { seconds: 1 })
    writeFileSync(join(films, 'broken.mp4'), 'no video')
    await makeFaceClip(join(films2, 'late.mp4'), 'sofa right', { seconds: 1 })
    server = await startServer(queue.archive, { kafka: queue.connection, ingestRoots: [films, films2] })
  })

  after(async () => {
    await server.close()
    await queue.close()
    await broker.stop()
  })

  it('has workers process them, reports the progress, and shows what they found', async () => {
    const job = await startJob(films)
    const workers = (['faces', 'describe', 'index'] as const).map((stage) => queue.startHere(stage))
    const { state, progress, result } = await ended(job)
    assert.deepEqual([state, progress], ['done', { found: 2, isAllFound: true, done: 2 }])
    assert.deepEqual(result, { status: 'done', failed: 1, results: { done: 1, failed: 1 } })
    const shown = await server.json('GET', '/api/v1/clips')
    assert.deepEqual(
      (shown.body as { readonly clips: readonly { readonly path: string }[] }).clips.map(({ path }) => path),
      [join(films, 'film.mp4')],
    )
    const again = await ended(await startJob(join(films, 'film.mp4')))
    assert.deepEqual(again.result, { status: 'done', failed: 0, results: { unchanged: 1 } })
    await Promise.all(workers.map((worker) => worker.stop()))
  })

  it('stops waiting when it is told to; the clips stay in the queue', async () => {
    const before = await messagesIn(queue.connection, 'jobs')
    const job = await startJob(films2)
    await until('the clip is in the queue', async () => (await messagesIn(queue.connection, 'jobs')) > before)
    await server.json('DELETE', `/api/v1/jobs/${job.jobId}`)
    assert.equal((await ended(job)).state, 'stopped')
    for (const stage of ['faces', 'describe', 'index'] as const) queue.startHere(stage)
    await until('the clip is in the archive', () => queue.counts().clips === 2)
  })
})
