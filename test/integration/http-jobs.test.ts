/** Long work that a server does: ingests, groupings, evaluations; how it ends when it is stopped or killed. Real models. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openAccess } from '../../index/access/access.js'
import { createApiKey } from '../../index/access/api-keys.js'
import { createUser } from '../../index/access/users.js'
import { listAudit } from '../../index/audit/list-audit.js'
import { verifyLog } from '../../index/audit/verify-log.js'
import { goodPassword } from '../support/access.js'
import { withLog } from '../support/audit.js'
import { startCameo, temporaryDir } from '../support/cameo.js'
import { faceNames, makeFaceClip, makeFacePhoto } from '../support/faces.js'
import {
  actorOf,
  fileForm,
  owner,
  problemIn,
  startServer,
  type Bodies,
  type TestServer,
} from '../support/http-server.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const films = at('films')
/** A folder that may be ingested, with a link to one that may not. */
const linked = at('linked')
const clips = 4

interface JobAnswer {
  readonly jobId: string
  readonly state: string
  readonly progress?: { readonly found: number; readonly done: number }
  readonly result?: {
    readonly results?: Readonly<Record<string, number>>
    readonly evaluationId?: string
    readonly map?: number
  }
  readonly error?: { readonly code: string }
}

const running = new Set<TestServer>()
async function start(archive: string, options: Parameters<typeof startServer>[1] = {}): Promise<TestServer> {
  const server = await startServer(archive, { threads: 1, ingestRoots: [films, linked], ...options })
  running.add(server)
  return server
}
after(() => Promise.all([...running].map((server) => server.close())))

async function startJob(server: TestServer, order: object): Promise<JobAnswer> {
  const { status, body } = await server.json('POST', '/api/v1/jobs', order)
  assert.equal(status, 202, JSON.stringify(body))
  return body as JobAnswer
}

const jobOf = async (server: TestServer, jobId: string) =>
  (await server.json('GET', `/api/v1/jobs/${jobId}`)).body as JobAnswer

/** The events of a job, read until `isEnough` or its end. */
async function eventsOf(
  server: TestServer,
  jobId: string,
  {
    last,
    isEnough = () => false,
  }: { last?: number; isEnough?: (event: Record<string, unknown>) => boolean } = {},
) {
  const headers: Record<string, string> = last === undefined ? {} : { 'last-event-id': `${last}` }
  const response = await server.fetch(`/api/v1/jobs/${jobId}/events`, { headers })
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/event-stream'])
  const events: { readonly id: number | undefined; readonly data: Record<string, unknown> }[] = []
  let rest = ''
  for await (const chunk of response.body ?? []) {
    rest += Buffer.from(chunk).toString('utf8')
    const parts = rest.split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const data = /^data: (.+)$/m.exec(part)?.[1]
      if (data === undefined) continue
      const id = /^id: (\d+)$/m.exec(part)?.[1]
      events.push({
        id: id === undefined ? undefined : Number(id),
        data: JSON.parse(data) as Record<string, unknown>,
      })
    }
    if (events.some(({ data }) => isEnough(data))) break
  }
  return events
}

before(async () => {
  mkdirSync(films)
  mkdirSync(at('elsewhere'))
  mkdirSync(linked)
  symlinkSync(at('elsewhere'), join(linked, 'link'))
  for (let i = 0; i < clips; i++)
    await makeFaceClip(join(films, `${i}.mp4`), faceNames[i] ?? 'sofa left', { seconds: 1 })
})

describe('an ingest by a server', () => {
  let server: TestServer

  it('is ready before there is an archive, and ingests only from allowed folders', async () => {
    server = await start(at('archive'))
    while ((await server.fetch('/readyz')).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 20))
    for (const path of [
      '/etc',
      at('elsewhere'),
      join(films, '..'),
      join(linked, 'link'),
      'films',
      'http://localhost/a.mp4',
    ]) {
      const answer = await server.json('POST', '/api/v1/jobs', { kind: 'ingest', paths: [path] })
      assert.deepEqual([answer.status, problemIn(answer).code], [403, 'CLIP_NOT_ALLOWED'], path)
    }
    server.as(actorOf('viewer'))
    assert.equal((await server.json('POST', '/api/v1/jobs', { kind: 'ingest', paths: [films] })).status, 403)
    server.as(owner)
  })

  it('keeps what was finished when the server stops, and the next ingest does the rest', async () => {
    const { jobId } = await startJob(server, { kind: 'ingest', paths: [films] })
    const busy = await server.json('POST', '/api/v1/jobs', { kind: 'ingest', paths: [films] })
    const { code, retriable } = problemIn(busy)
    assert.deepEqual([busy.status, code, retriable], [409, 'ARCHIVE_BUSY', true])
    // It goes on although its reader goes.
    await eventsOf(server, jobId, { isEnough: ({ kind }) => kind === 'result' })
    const watching = eventsOf(server, jobId)
    await server.close()
    running.delete(server)
    const end = (await watching).at(-1)?.data
    assert.equal((end?.['job'] as JobAnswer | undefined)?.state, 'interrupted', JSON.stringify(end))

    server = await start(at('archive'))
    const { clips: kept } = (await server.json('GET', '/api/v1/status')).body as { clips: number }
    assert.ok(kept >= 1 && kept < clips, `${kept} clips`)
    const next = await startJob(server, { kind: 'ingest', paths: [films] })
    const events = await eventsOf(server, next.jobId)
    const job = await jobOf(server, next.jobId)
    assert.equal(job.state, 'done')
    assert.deepEqual(job.result?.results, { unchanged: kept, done: clips - kept })
    assert.deepEqual([job.progress?.found, job.progress?.done], [clips, clips])
    assert.equal(events.at(-1)?.data['kind'], 'end')
    // A reader who comes again gets only what is new to it.
    const last = events.at(-2)?.id ?? 0
    const again = await eventsOf(server, next.jobId, { last })
    assert.deepEqual(
      again.map(({ id }) => id),
      [undefined, last + 1],
    )
    assert.equal((await server.fetch('/readyz')).status, 200)
  })

  it('does not follow a link out of an allowed folder, and says so', async () => {
    const own = await start(at('archive of links'))
    const { jobId } = await startJob(own, { kind: 'ingest', paths: [linked] })
    const results = (await eventsOf(own, jobId)).flatMap(({ data: { kind, path, result } }) =>
      kind === 'result' ? [[path, (result as { readonly code?: string }).code]] : [],
    )
    assert.deepEqual(results, [[join(linked, 'link'), 'CLIP_NOT_ALLOWED']])
  })

  it('is stopped by a person', async () => {
    const own = await start(at('stopped'))
    const { jobId } = await startJob(own, { kind: 'ingest', paths: [films] })
    await eventsOf(own, jobId, { isEnough: ({ kind }) => kind === 'result' })
    assert.equal((await own.json('DELETE', `/api/v1/jobs/${jobId}`)).status, 202)
    await eventsOf(own, jobId)
    assert.equal((await jobOf(own, jobId)).state, 'stopped')
    const { clips: kept } = (await own.json('GET', '/api/v1/status')).body as { clips: number }
    assert.ok(kept >= 1 && kept < clips, `${kept} clips`)
  })

  it('is not there for those who may not see it', async () => {
    const { jobs } = (await server.json('GET', '/api/v1/jobs')).body as { jobs: JobAnswer[] }
    const [job] = jobs
    assert.ok(job !== undefined)
    for (const other of [actorOf('viewer'), actorOf('ingester', ['/elsewhere'])]) {
      server.as(other)
      assert.deepEqual((await server.json('GET', '/api/v1/jobs')).body, { jobs: [] })
      for (const [method, part] of [
        ['GET', ''],
        ['GET', '/events'],
        ['DELETE', ''],
      ] as const) {
        const answer = await server.json(method, `/api/v1/jobs/${job.jobId}${part}`)
        assert.deepEqual([answer.status, problemIn(answer).code], [404, 'NOT_FOUND'])
      }
    }
    server.as(owner)
  })

  it('groups people, adds a face of an upload to a name without the path of its file, and measures', async () => {
    const group = await startJob(server, { kind: 'group' })
    await eventsOf(server, group.jobId)
    assert.equal((await jobOf(server, group.jobId)).state, 'done')

    const photo = readFileSync(await makeFacePhoto(at('photo.jpg'), faceNames[0] ?? 'sofa left'))
    const uploaded = await server.fetch('/api/v1/uploads', { method: 'POST', body: fileForm(photo) })
    const { uploadId } = (await uploaded.json()) as { uploadId: string }
    const added = await server.json('POST', '/api/v1/names/Ada/faces', { uploadId })
    assert.deepEqual([added.status, added.body], [200, { name: 'Ada', faces: 1 }])
    const [face] = ((await server.json('GET', '/api/v1/names/Ada')).body as Bodies['Name']).faces
    assert.match(face?.source ?? '', /^uploaded \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(photo\.jpg\)$/)

    const labels = Array.from({ length: clips }, (_, i) => `${i}.mp4 ${i === 0 ? 'Ada' : 'nobody'}\n`)
    const list = await server.fetch('/api/v1/uploads?as=list', {
      method: 'POST',
      body: fileForm(labels.filter((line) => line.includes('Ada')).join(''), 'list.txt', 'text/plain'),
    })
    const { uploadId: groundTruthUploadId } = (await list.json()) as { uploadId: string }
    const evaluation = await startJob(server, { kind: 'evaluate', groundTruthUploadId })
    await eventsOf(server, evaluation.jobId)
    const job = await jobOf(server, evaluation.jobId)
    assert.deepEqual([job.state, job.result?.map], ['done', 1], JSON.stringify(job.error))
    const { evaluations } = (await server.json('GET', '/api/v1/evaluations')).body as Bodies['EvaluationList']
    assert.deepEqual(
      evaluations.map(({ evaluationId }) => evaluationId),
      [job.result?.evaluationId],
    )
    const report = await server.json('GET', `/api/v1/evaluations/${evaluations[0]?.evaluationId}`)
    assert.equal((report.body as Bodies['Evaluation']).map, 1)
    const [file = ''] = readdirSync(at('archive', 'reports'))
    assert.equal(statSync(at('archive', 'reports', file)).mode & 0o777, 0o600)
  })

  it('tells what is in the archive, and of a viewer only what he sees', async () => {
    const coverage = await server.json('GET', '/api/v1/coverage?state=complete&limit=3')
    assert.equal(coverage.status, 200)
    const first = coverage.body as Bodies['Coverage']
    assert.deepEqual([first.sum.clips, first.clips.length], [clips, 3])
    const next = await server.json(
      'GET',
      `/api/v1/coverage?state=complete&after=${encodeURIComponent(first.next ?? '')}`,
    )
    assert.equal((next.body as Bodies['Coverage']).clips.length, clips - 3)
    assert.deepEqual((await server.json('GET', '/api/v1/failures')).body, { failures: [] })
    server.as(actorOf('viewer', ['/elsewhere']))
    const body = (await server.json('GET', '/api/v1/status')).body as Bodies['Status']
    assert.deepEqual([body.clips, body.tracks, body.coverage.clips], [0, 0, 0])
    const { folders } = (await server.json('GET', '/api/v1/coverage')).body as Bodies['Coverage']
    assert.deepEqual(folders, [])
    assert.equal((await server.fetch('/metrics')).status, 403)
    server.as(actorOf('auditor'))
    const metrics = await (await server.fetch('/metrics')).text()
    assert.match(
      metrics,
      /cameo_http_requests_total\{method="GET",route="\/api\/v1\/status",status="200"\} \d/,
    )
    assert.match(metrics, /^cameo_ready 1$/m)
    assert.match(metrics, /^cameo_jobs_running\{kind="ingest"\} 0$/m)
    assert.match(metrics, /^nodejs_eventloop_lag_seconds /m)
    assert.ok(!metrics.includes('Ada'), 'metrics name nobody')
    server.as(owner)
  })

  it("erases a clip under its user's name, with a receipt", async () => {
    const list = (await server.json('GET', '/api/v1/clips?limit=1')).body as Bodies['ClipList']
    const clipId = list.clips[0]?.clipId ?? ''
    server.as(actorOf('curator', [films]))
    assert.equal((await server.json('DELETE', `/api/v1/clips/${clipId}`)).status, 403)
    server.as(actorOf('curator', 'all', 'u7'))
    const answer = await server.json('DELETE', `/api/v1/clips/${clipId}`)
    const body = answer.body as Bodies['Forgotten']
    assert.deepEqual([answer.status, body.forgotten, body.clipId], [200, 'clip', clipId])
    server.as(owner)
    assert.equal((await server.json('GET', `/api/v1/clips/${clipId}`)).status, 404)
    await withLog(at('archive'), (log) => {
      const [entry, ...more] = listAudit(log, { action: 'forget-clip' }).entries
      assert.deepEqual(
        [entry?.actor.id, entry?.details['receiptId'], more.length],
        ['u7', body.receipt?.receiptId, 0],
      )
    })
    const detailsOf = (action: string) =>
      withLog(at('archive'), (log) => listAudit(log, { action, order: 'oldest' }).entries.map((each) => each.details)) // prettier-ignore
    const ingests = await detailsOf('ingest')
    // The start and the end of each.
    assert.deepEqual(
      ingests.map(({ state, found, processed }) => [state, state === 'done' ? [found, processed] : undefined]), // prettier-ignore
      [[undefined, undefined], ['interrupted', undefined], [undefined, undefined], ['done', [clips, clips]]], // prettier-ignore
    )
    const [grouping, ...moreGroupings] = await detailsOf('group')
    assert.deepEqual([grouping?.['state'], moreGroupings], ['done', []])
    const [evaluation] = await detailsOf('evaluate')
    assert.deepEqual([evaluation?.['state'], evaluation?.['map']], ['done', 1])
    assert.doesNotMatch(JSON.stringify([ingests, grouping, evaluation]), /mp4|Ada|films/)
  })
})

describe('a server that is killed', () => {
  const archive = at('killed')
  let key = ''

  /** A server in a process of its own. */
  async function serveApart() {
    const command = startCameo(['serve', '--archive', archive, '--port', '0', '--threads', '1', '--ingest-root', films, '--json']) // prettier-ignore
    await command.until(() => command.stdoutNow().includes('\n'))
    const { url } = JSON.parse(command.stdoutNow()) as { url: string }
    const ask = async (method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const response = await fetch(`${url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }) // prettier-ignore
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    return { command, ask }
  }
  type Apart = Awaited<ReturnType<typeof serveApart>>

  async function ingest({ ask }: Apart, isEnough: (job: JobAnswer) => boolean): Promise<JobAnswer> {
    const started = await ask('POST', '/jobs', { kind: 'ingest', paths: [films] })
    assert.equal(started.status, 202, JSON.stringify(started.body))
    for (;;) {
      const job = (await ask('GET', `/jobs/${String(started.body['jobId'])}`)).body as unknown as JobAnswer
      if (isEnough(job) || job.state !== 'running') return job
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  const isIntact = () => withLog(archive, async (log) => (await verifyLog(log)).isIntact)

  before(async () => {
    const access = openAccess(archive, { create: true })
    const { userId } = await createUser(access, {
      name: 'Root',
      roles: ['administrator'],
      password: goodPassword,
    })
    const expiresAt = new Date(Date.now() + 3_600_000)
    key = createApiKey(access, { userId, name: 'test', roles: ['administrator'], expiresAt }).text
    access.close()
  })

  it('during an ingest and during writes has an intact archive and audit log, and the next one goes on', async () => {
    const first = await serveApart()
    const cut = await ingest(first, ({ progress }) => (progress?.done ?? 0) >= 1)
    assert.equal(cut.state, 'running')
    first.command.kill('SIGKILL')
    await first.command.finished
    assert.ok(await isIntact())

    const second = await serveApart()
    const job = await ingest(second, () => false)
    assert.equal(job.state, 'done', JSON.stringify(job.error))
    const { unchanged = 0, done = 0 } = job.result?.results ?? {}
    assert.ok(unchanged >= 1, `${unchanged}`)
    assert.equal(unchanged + done, clips)

    // Writes that were answered are there; the others are there or not.
    const answered: string[] = []
    const write = async (number: number) => {
      const name = `person ${number}`
      const { status } = await second.ask('POST', `/names/${name}/tracks`, { trackId: 1, force: true })
      if (status === 200) answered.push(name)
    }
    const writing = (async () => {
      for (let i = 0; ; i += 4) await Promise.all([0, 1, 2, 3].map((k) => write(i + k)))
    })().catch(() => undefined)
    while (answered.length < 10) await new Promise((resolve) => setTimeout(resolve, 10))
    second.command.kill('SIGKILL')
    await Promise.all([second.command.finished, writing])
    assert.ok(await isIntact())
    const enrolled = await withLog(
      archive,
      (log) => listAudit(log, { action: 'enroll', limit: 500 }).entries.length,
    )
    assert.ok(enrolled >= answered.length)

    const third = await serveApart()
    const { body } = await third.ask('GET', '/names?limit=500')
    const names = new Set((body['people'] as { name: string }[]).map(({ name }) => name))
    for (const name of answered) assert.ok(names.has(name), name)
    third.command.kill('SIGTERM')
    assert.equal((await third.command.finished).code, 0)
    assert.ok(await isIntact())
  })
})
