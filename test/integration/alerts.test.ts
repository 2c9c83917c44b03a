/** Alerts of an ingest: once for each clip and name, also over crashes; and what a webhook gets. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openCameo, type Alert, type AlertOptions, type Cameo } from '../../workers/cameo.js'
import { openArchive } from '../../index/archive/open-archive.js'
import { startReceiver } from '../support/alert-receiver.js'
import { countInFiles } from '../support/archive-bytes.js'
import { cameo as command, jsonLines, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { until } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const at = (...names: string[]) => join(dir, ...names)
const archive = at('archive')
const library = new URL('../../workers/cameo.js', import.meta.url).href

let cameo: Cameo
const notices: string[] = []
let variant = 0

/** A new clip of Ada, or of somebody else. */
const newClip = (face: 'costumes right' | 'party first' = 'costumes right') =>
  makeFaceClip(at('clips', `${++variant}.mp4`), face, { variant })

/** Ingests the folder, and returns the paths in the alerts. */
async function alerted(options: Partial<AlertOptions> = {}): Promise<string[]> {
  const alerts: Alert[] = []
  await cameo.ingest(at('clips'), {
    alerts: { names: ['Ada'], onAlert: (alert) => alerts.push(alert), ...options },
  })
  return alerts.map(({ path, name }) => `${name} ${path}`)
}

/** Ingests in a process that is killed by what the code says. */
function killed(code: string): void {
  // Threads cannot start in a process whose program is given as text.
  const program = at('killed.mjs')
  writeFileSync(
    program,
    `import { openCameo } from '${library}'
    const [archive, clips] = process.argv.slice(2)
    const cameo = await openCameo({ archive, device: 'cpu', threads: 1 })
    const die = () => process.kill(process.pid, 'SIGKILL')
    await cameo.ingest(clips, { ${code} })
    await cameo.close()`,
  )
  const run = spawnSync(process.execPath, [program, archive, at('clips')])
  assert.equal(run.signal, 'SIGKILL', String(run.stderr))
}

const rows = (sql: string) => {
  const opened = openArchive(archive)
  try {
    return opened.database.prepare(sql).all()
  } finally {
    opened.close()
  }
}

before(async () => {
  mkdirSync(at('clips'))
  await makeFacePhoto(at('ada.jpg'), 'costumes right')
  await makeFaceClip(at('first.mp4'), 'bar middle')
  cameo = await openCameo({ archive, device: 'cpu', threads: 1, notify: (notice) => notices.push(notice) })
  await cameo.ingest(at('first.mp4'))
  await cameo.enroll('Ada', at('ada.jpg'))
})
after(() => cameo.close())

describe('alerts', { timeout: 10 * 60_000 }, () => {
  it('tell of a name in new clips, not of others, and not of clips that were there before', async () => {
    const ada = await newClip()
    await newClip('party first')
    assert.deepEqual(await alerted(), [`Ada ${ada}`])
    assert.deepEqual(await alerted(), [])
  })

  it('can be of all names, and of a name that is enrolled later', async () => {
    const ada = await newClip()
    assert.deepEqual(await alerted({ names: ['Bo'] }), [])
    assert.match(notices.join('\n'), /nobody is enrolled as "Bo" yet/)
    assert.deepEqual(await alerted({ names: 'all' }), [], 'the clip was looked at')
    const other = await newClip()
    assert.deepEqual(await alerted({ names: 'all' }), [`Ada ${other}`])
    assert.notEqual(ada, other)
  })

  it('are not lost if the process is killed between the clip and its alert', async () => {
    const clip = await newClip()
    killed(`
      onEvent: ({ kind, result }) => kind === 'result' && result.status === 'done' && die(),
      alerts: { names: ['Ada'], onAlert() {} },`)
    assert.equal(rows('SELECT 1 FROM alerts_due').length, 1)
    assert.deepEqual(await alerted(), [`Ada ${clip}`])
    assert.deepEqual(await alerted(), [])
  })

  it('come again if the process is killed while it tells, and then no more', async () => {
    const clip = await newClip()
    killed("alerts: { names: ['Ada'], onAlert: die }")
    assert.equal(rows("SELECT 1 FROM alerts WHERE state = 'new'").length, 1)
    assert.deepEqual(await alerted(), [`Ada ${clip}`])
    assert.deepEqual(await alerted(), [])
  })

  it('by the command: a line, or an object', async () => {
    const clip = await newClip()
    const text = await command(['ingest', at('clips'), '--archive', archive, '--alert', 'Ada'])
    assert.equal(text.code, 0, text.stderr)
    const line = text.stdout.split('\n').find((told) => told.includes('appears'))
    assert.match(line ?? '', /^Ada appears in .* at 0:00\.0–0:01\.\d \(0\.\d{3}\)$/)
    assert.ok(line?.includes(clip))
    const next = await newClip()
    const json = await command(['ingest', at('clips'), '--archive', archive, '--alert-all', '--json'])
    const alert = jsonLines(json.stdout).find((told) => 'alert' in told)
    assert.deepEqual([alert?.['alert'], alert?.['path']], ['Ada', next])
  })

  it('vanish with the clip, and with the name', async () => {
    const marks = () => rows('SELECT clip_id, name FROM alerts').length
    const before = marks()
    await cameo.forget({ clip: at('clips', '1.mp4') })
    assert.equal(marks(), before - 1)
    await cameo.forget({ name: 'Ada' })
    assert.equal(marks(), 0)
    await cameo.enroll('Ada', at('ada.jpg'))
  })
})

describe('the webhook', { timeout: 10 * 60_000 }, () => {
  it('gets each alert once; its host alone is told', async () => {
    const receiver = await startReceiver([200])
    const clip = await newClip()
    notices.length = 0
    await alerted({ webhook: { url: `${receiver.url}/token` } })
    await alerted({ webhook: { url: `${receiver.url}/token` } })
    const bodies = receiver.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    assert.deepEqual(bodies.map(({ name, clip: file }) => [name, file]), [['Ada', `${variant}.mp4`]]) // prettier-ignore
    assert.ok(clip.endsWith(`${variant}.mp4`))
    assert.match(notices.join('\n'), /alerts are posted to 127\.0\.0\.1:\d+: names, clips and times only/)
    assert.doesNotMatch(notices.join('\n'), /token/)
    await receiver.close()
  })

  it('that fails stops no ingest; the alert waits in the archive and is posted later', async () => {
    const receiver = await startReceiver([403])
    const webhook = { url: receiver.url }
    const clip = await newClip()
    notices.length = 0
    assert.deepEqual(await alerted({ webhook }), [`Ada ${clip}`])
    assert.match(
      notices.join('\n'),
      /webhook failed: 127\.0\.0\.1:\d+ answers with status 403; 1 alert will be posted later/,
    )
    assert.deepEqual(await alerted(), [], 'it was told here')
    assert.equal(receiver.requests.length, 1, 'without a webhook nothing is posted')
    receiver.answerWith(200)
    assert.deepEqual(await alerted({ webhook }), [])
    assert.deepEqual(receiver.requests.length, 2)
    assert.deepEqual(await alerted({ webhook }), [])
    assert.deepEqual(receiver.requests.length, 2)
    await receiver.close()
  })

  it('that refuses one alert gets the others', async () => {
    const receiver = await startReceiver([400, 200])
    await newClip()
    await newClip()
    await alerted({ webhook: { url: receiver.url } })
    assert.equal(receiver.requests.length, 2)
    assert.equal(rows("SELECT 1 FROM alerts WHERE state = 'waiting'").length, 1)
    await receiver.close()
  })

  it('that hangs holds nothing up, and what waits vanishes with a forgotten clip', async () => {
    const receiver = await startReceiver(['hang'])
    const clip = await newClip()
    const stop = new AbortController()
    const ingest = cameo.ingest(at('clips'), {
      signal: stop.signal,
      alerts: { names: 'all', onAlert: () => undefined, webhook: { url: receiver.url } },
    })
    await receiver.asked(1)
    await until('the clip is searched', () => rows("SELECT 1 FROM alerts WHERE state = 'waiting'").length > 0)
    const stoppedAtMs = performance.now()
    stop.abort()
    await ingest
    // The webhook may take 30 s in all for its answers.
    assert.ok(performance.now() - stoppedAtMs < 10_000, 'also if the clips were done before')
    const path = Buffer.from(JSON.stringify(clip))
    assert.equal(countInFiles(archive, [path]), 1)
    await cameo.forget({ clip })
    assert.equal(countInFiles(archive, [path]), 0)
    await receiver.close()
  })

  it('is refused if its address is not safe', async () => {
    const webhook = { url: 'http://hooks.example/secret' }
    await assert.rejects(alerted({ webhook }), { code: 'USAGE' })
  })
})
