/** Clips that are played from a server: byte ranges of files, and streams of what browsers do not play. No models. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs' // prettier-ignore
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { openArchive } from '../../index/archive/open-archive.js'
import { AuditLog } from '../../index/audit/audit-log.js'
import { listAudit } from '../../index/audit/list-audit.js'
import { readMediaFacts } from '../../pipeline/decode/media-facts.js'
import { stampOf } from '../../workers/ingest/file-stamp.js'
import { temporaryDir } from '../support/cameo.js'
import {
  actorOf,
  owner,
  startServer,
  type TestServer,
  problemIn,
  type Bodies,
} from '../support/http-server.js'
import { madeClipId, peopleArchive } from '../support/people-archive.js'
import { frameGrey, numberedFrames } from './make-video.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const films = at('films')
const fps = 25
const seconds = 6

/** GOPs of 2 s with B-frames, unlike what the encoders for streams make. */
const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '50', '-bf', '2', '-sc_threshold', '0', '-pix_fmt', 'yuv420p'] // prettier-ignore
const aac = ['-c:a', 'aac']

/** Clips with numbered frames and sound, by name, with the arguments that encode them. */
const clips: Readonly<Record<string, readonly string[]>> = {
  'direct.mp4': [...h264, ...aac],
  'direct.webm': ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p', '-c:a', 'libopus'], // prettier-ignore
  'copied.mkv': [...h264, '-c:a', 'flac'],
  'transport.ts': [...h264, ...aac],
  'copied.mov': [...h264, ...aac],
  'sound.mp4': [...h264, '-c:a', 'ac3'],
  'hevc.mp4': ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-pix_fmt', 'yuv420p', '-c:a', 'aac'], // prettier-ignore
  'prores.mov': ['-c:v', 'prores', '-c:a', 'pcm_s16le'],
  'h264.avi': [...h264, '-c:a', 'mp3'],
  'mpeg4.avi': ['-c:v', 'mpeg4', '-q:v', '2', '-an'],
  // Noise makes a stream that does not fit into buffers.
  'long.mkv': ['-vf', 'scale=640:480,noise=alls=40:allf=t,loop=loop=20:size=100:start=0', '-c:v', 'mpeg4', '-q:v', '6', '-t', '80', '-an'], // prettier-ignore
  'wide.mkv': ['-vf', 'scale=1920:1080', '-c:v', 'mpeg2video', '-q:v', '4', '-t', '1', '-an'],
}
const names = Object.keys(clips)
const idOf = (name: string) => madeClipId(names.indexOf(name))
const bytesOf = (name: string) => readFileSync(join(films, name))

let server: TestServer

before(async () => {
  mkdirSync(films)
  const sound = ['-f', 'lavfi', '-i', `sine=d=${seconds}`]
  for (const [name, encoding] of Object.entries(clips))
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...numberedFrames({ seconds, fps }), ...sound, ...encoding, join(films, name)]) // prettier-ignore
  const made = names.map((path) => ({ path, tracks: [{ like: { Ada: 0.9 }, spansS: [[1, 2]] as const }] }))
  const archive = peopleArchive(at('archive'), ['Ada'], made)
  const before = archive.files.rootFor('/films').rootId
  const { rootId } = archive.files.rootFor(films)
  for (const name of names) {
    archive.files.removePath(before, name)
    archive.files.record(rootId, name, stampOf(join(films, name)), idOf(name))
  }
  archive.close()
  server = await startServer(at('archive'), {
    media: { mostStreams: 2, streamWaitMs: 300, stallTimeoutS: 20 },
  })
})
after(() => server.close())

const media = (name: string, headers: Record<string, string> = {}, method = 'GET') =>
  server.fetch(`/api/v1/clips/${idOf(name)}/media`, { method, headers })
const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer())
const playback = (name: string, range = '') =>
  server.json('GET', `/api/v1/clips/${idOf(name)}/playback${range}`)

/** Files below a folder of this test that this process holds open, without those of the archive. */
const openFilms = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(films)
    } catch {
      return false
    }
  })

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe("a clip's file", () => {
  it('is sent whole, and in ranges, with its version', async () => {
    const bytes = bytesOf('direct.mp4')
    const whole = await media('direct.mp4')
    assert.deepEqual([whole.status, await bodyOf(whole)], [200, bytes])
    assert.equal(whole.headers.get('content-type'), 'video/mp4')
    assert.equal(whole.headers.get('accept-ranges'), 'bytes')
    const etag = whole.headers.get('etag') ?? ''
    for (const [range, first, last] of [
      ['bytes=0-99', 0, 99],
      ['bytes=100-', 100, bytes.length - 1],
      ['bytes=-7', bytes.length - 7, bytes.length - 1],
    ] as const) {
      const part = await media('direct.mp4', { range, 'if-range': etag })
      assert.equal(part.status, 206)
      assert.equal(part.headers.get('content-range'), `bytes ${first}-${last}/${bytes.length}`)
      assert.equal(part.headers.get('content-length'), String(last - first + 1))
      assert.deepEqual(await bodyOf(part), bytes.subarray(first, last + 1))
    }
    const other = await media('direct.mp4', { range: 'bytes=0-9', 'if-range': '"other"' })
    assert.deepEqual([other.status, (await bodyOf(other)).length], [200, bytes.length])
    const known = await media('direct.mp4', { 'if-none-match': etag })
    assert.deepEqual([known.status, (await bodyOf(known)).length], [304, 0])
  })

  it('answers a range behind its end with its size, as a problem', async () => {
    const response = await media('direct.mp4', { range: 'bytes=99999999-' })
    assert.equal(response.status, 416)
    assert.equal(response.headers.get('content-range'), `bytes */${bytesOf('direct.mp4').length}`)
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
    assert.equal(((await response.json()) as { code: string }).code, 'RANGE_INVALID')
  })

  it('answers HEAD with the headers only', async () => {
    const response = await media('direct.mp4', { range: 'bytes=0-99' }, 'HEAD')
    assert.deepEqual([response.status, (await bodyOf(response)).length], [206, 0])
    assert.equal(response.headers.get('content-length'), '100')
  })

  it('is offered as a download if browsers do not play it', async () => {
    const response = await media('mpeg4.avi')
    assert.deepEqual(await bodyOf(response), bytesOf('mpeg4.avi'))
    assert.equal(response.headers.get('content-type'), 'application/octet-stream')
    assert.equal(response.headers.get('content-disposition'), 'attachment')
  })

  it('is not held open after a reader has gone', async () => {
    const file = join(films, 'big.mp4')
    writeFileSync(file, Buffer.concat([bytesOf('direct.mp4'), Buffer.alloc(40_000_000)]))
    record('big.mp4', idOf('direct.mp4'), file)
    renameSync(join(films, 'direct.mp4'), at('direct.mp4'))
    try {
      const gone = new AbortController()
      const address = `/api/v1/clips/${idOf('direct.mp4')}/media`
      const response = await server.fetch(address, { signal: gone.signal })
      assert.equal(response.status, 200)
      await response.body?.getReader().read()
      assert.ok(openFilms().length > 0)
      gone.abort()
      await until(() => openFilms().length === 0)
    } finally {
      putBack(at('direct.mp4'), 'direct.mp4')
      unrecord('big.mp4')
      rmSync(file)
    }
  })
})

function record(name: string, clipId: string, file: string): void {
  withArchive((archive) =>
    archive.files.record(archive.files.rootFor(films).rootId, name, stampOf(file), clipId),
  )
}

const unrecord = (name: string) =>
  withArchive((archive) => archive.files.removePath(archive.files.rootFor(films).rootId, name))

/** A new name is a change of the file, as far as its stamp tells. */
function putBack(from: string, name: string): void {
  renameSync(from, join(films, name))
  record(name, idOf(name), join(films, name))
}

function withArchive(work: (archive: ReturnType<typeof openArchive>) => void): void {
  const archive = openArchive(at('archive'))
  try {
    work(archive)
  } finally {
    archive.close()
  }
}

describe('a file that is no longer the one that was ingested', () => {
  const file = join(films, 'direct.webm')
  const kept = at('kept.webm')

  it('is refused if another one has its place, even of the same size and time', async () => {
    const answer = await playback('direct.webm')
    const { direct, mime } = answer.body as Bodies['Playback']
    assert.deepEqual([answer.status, direct, mime], [200, true, 'video/webm'])
    const { mtimeMs, size } = { mtimeMs: Number(stampOf(file).mtimeNs) / 1e6, size: stampOf(file).sizeBytes }
    renameSync(file, kept)
    try {
      writeFileSync(file, Buffer.alloc(size, 7))
      utimesSync(file, mtimeMs / 1000, mtimeMs / 1000)
      for (const part of ['media', 'playback', 'stream']) {
        const answer = await server.json('GET', `/api/v1/clips/${idOf('direct.webm')}/${part}`)
        assert.deepEqual(
          [answer.status, problemIn(answer).code, problemIn(answer).retriable],
          [409, 'CLIP_CHANGED', false],
          part,
        )
      }
      rmSync(file)
      writeFileSync(file, 'short')
      assert.equal(problemIn(await playback('direct.webm')).code, 'CLIP_CHANGED')
    } finally {
      putBack(kept, 'direct.webm')
    }
  })

  it('answers that it is gone if no file is there', async () => {
    renameSync(file, kept)
    try {
      const answer = await playback('direct.webm')
      assert.deepEqual([answer.status, problemIn(answer).code], [404, 'CLIP_GONE'])
    } finally {
      putBack(kept, 'direct.webm')
    }
  })

  it('is refused if it is a link to a folder or a device', async () => {
    renameSync(file, kept)
    try {
      mkdirSync(file)
      assert.notEqual((await playback('direct.webm')).status, 200)
      rmSync(file, { recursive: true })
      execFileSync('ln', ['-s', '/dev/zero', file])
      assert.notEqual((await playback('direct.webm')).status, 200)
    } finally {
      rmSync(file, { recursive: true, force: true })
      putBack(kept, 'direct.webm')
    }
  })
})

/** RGB grey of the first frame of a video. */
function firstGrey(file: string): number {
  const crop = [
    '-vf',
    'crop=iw/2:ih/2:iw/2:ih/2,scale=1:1:flags=area',
    '-pix_fmt',
    'rgb24',
    '-f',
    'rawvideo',
    '-',
  ]
  return execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-frames:v', '1', ...crop])[0] ?? -1
}

describe('a clip that browsers do not play', () => {
  it('is played as it is if they do', async () => {
    const body = (await playback('direct.mp4', '?startS=3&endS=4')).body as Bodies['Playback']
    assert.equal(body.url, `/api/v1/clips/${idOf('direct.mp4')}/media`)
    assert.deepEqual([body.direct, body.mime, body.mediaStartS, body.seekToS], [true, 'video/mp4', 0, 3])
  })

  for (const name of names.filter((each) => !/^(direct|wide|long)/.test(each)))
    it(`begins at the time that it states: ${name}`, async () => {
      const plan = (await playback(name, '?startS=3.2&endS=4.4')).body as Bodies['Playback']
      assert.equal(plan.direct, false)
      assert.ok(plan.mediaStartS <= 3.2, `${plan.mediaStartS}`)
      assert.ok(Math.abs(plan.mediaStartS + plan.seekToS - 3.2) < 1e-6)
      const isCopied = name.startsWith('copied') || name.startsWith('sound')
      // Copies begin with a key frame; key frames come every 2 s.
      assert.equal(plan.mediaStartS < 3.1, isCopied)
      const response = await server.fetch(plan.url)
      assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'video/mp4'])
      assert.equal(Number(response.headers.get('cameo-media-start-s')), Number(plan.mediaStartS.toFixed(3)))
      const file = at(`${name}.made.mp4`)
      writeFileSync(file, await bodyOf(response))
      const facts = await readMediaFacts(file)
      assert.deepEqual([facts.container, facts.videoCodec, facts.pixelFormat], ['mp4', 'h264', 'yuv420p'])
      assert.equal(facts.audioCodec, name === 'mpeg4.avi' ? undefined : 'aac')
      // AVI has no times of presentation: with B-frames, the first picture is shown when the second next one is there.
      const late = name === 'h264.avi' ? 2 : 0
      const expected = frameGrey(Math.round(plan.mediaStartS * fps) - late)
      const grey = firstGrey(file)
      assert.ok(Math.abs(grey - expected) <= 4, `grey ${grey}, expected ${expected}`)
      const durationS = Number(execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file])) // prettier-ignore
      assert.ok(Math.abs(durationS - (4.4 - plan.mediaStartS)) < 0.3, `${durationS} s`)
    })

  it('is made smaller if it is larger than 720 lines', async () => {
    const response = await server.fetch(`/api/v1/clips/${idOf('wide.mkv')}/stream`)
    writeFileSync(at('wide.mp4'), await bodyOf(response))
    const size = execFileSync('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', at('wide.mp4')]) // prettier-ignore
    // The source's pixels are not of 160:120 any more: 4:3 was stretched to 16:9 without square pixels.
    assert.match(size.toString().trim(), /^\d+,720$/)
  })

  it('refuses a start behind its end, and a range that ends before it begins', async () => {
    const late = await server.json('GET', `/api/v1/clips/${idOf('hevc.mp4')}/stream?startS=60`)
    assert.deepEqual([late.status, problemIn(late).code], [416, 'RANGE_INVALID'])
    assert.equal((await playback('hevc.mp4', '?startS=3&endS=2')).status, 400)
    assert.equal((await playback('hevc.mp4', '?startS=-1')).status, 400)
    assert.equal((await playback('hevc.mp4', '?startS=NaN')).status, 400)
  })
})

/** Ids of the ffmpeg processes that read a clip of this server. */
const ffmpegs = () =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      return (
        Number(parent) === process.pid &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('frag_keyframe')
      )
    } catch {
      return false
    }
  })

describe('processes', () => {
  const address = () => `/api/v1/clips/${idOf('long.mkv')}/stream`

  it('are bounded in number, end when their readers go, and make room for others', async () => {
    const gone = new AbortController()
    const start = () => server.fetch(address(), { signal: gone.signal })
    const both = await Promise.all([start(), start()])
    assert.deepEqual(
      both.map(({ status }) => status),
      [200, 200],
    )
    await until(() => ffmpegs().length === 2)
    const third = await server.fetch(address())
    assert.deepEqual([third.status, third.headers.get('retry-after')], [503, '2'])
    const problem = (await third.json()) as { code: string; retriable: boolean }
    assert.deepEqual([problem.code, problem.retriable], ['SERVER_BUSY', true])
    gone.abort()
    await until(() => ffmpegs().length === 0)
    await until(() => openFilms().length === 0)
    const again = new AbortController()
    assert.equal((await server.fetch(address(), { signal: again.signal })).status, 200)
    again.abort()
    await until(() => ffmpegs().length === 0)
  })

  it('end when their readers stand still, and when the server stops', async () => {
    const own = await startServer(at('archive'), { media: { stallTimeoutS: 0.5 } })
    const still = await own.fetch(address())
    assert.equal(still.status, 200)
    await until(() => ffmpegs().length === 1)
    await until(() => ffmpegs().length === 0)
    await assert.rejects(bodyOf(still))
    const other = await startServer(at('archive'), {})
    const running = await other.fetch(address())
    assert.equal(running.status, 200)
    await until(() => ffmpegs().length === 1)
    await other.close()
    assert.equal(ffmpegs().length, 0)
    await assert.rejects(bodyOf(running))
    await own.close()
  })
})

describe('tracks', () => {
  it('say where they are, and show their picture', async () => {
    const answer = await server.json('GET', '/api/v1/tracks/1')
    assert.equal(answer.status, 200)
    const body = answer.body as Bodies['Track']
    assert.deepEqual([body.clipId, body.ranges, body.name], [madeClipId(0), [{ startS: 1, endS: 2 }], 'Ada'])
    const picture = await server.fetch(body.thumbnail)
    assert.equal(picture.headers.get('content-type'), 'image/jpeg')
    assert.deepEqual(await bodyOf(picture), Buffer.of(0xff, 0xd8, 0))
    for (const id of ['999', '0', 'x', '1e99'])
      assert.ok([400, 404].includes((await server.fetch(`/api/v1/tracks/${id}/thumbnail`)).status), id)
  })
})

describe('a viewer of other folders', () => {
  it('gets the same answers about what he may not see as about what is not there', async () => {
    const hidden = idOf('direct.mp4')
    const absent = madeClipId(700)
    server.as(actorOf('viewer', ['/elsewhere', `${films}-more`]))
    try {
      for (const part of ['media', 'playback', 'stream']) {
        const [one, other] = await Promise.all(
          [hidden, absent].map((id) => server.json('GET', `/api/v1/clips/${id}/${part}`)),
        )
        assert.ok(one !== undefined && other !== undefined)
        assert.equal(one.status, 404)
        const bare = ({ detail, code }: ReturnType<typeof problemIn>, id: string) => [
          code,
          detail.replace(id, 'ID'),
        ]
        assert.deepEqual(bare(problemIn(one), hidden), bare(problemIn(other), absent))
      }
      for (const part of ['', '/thumbnail']) {
        const [one, other] = await Promise.all(
          ['1', '999'].map((id) => server.json('GET', `/api/v1/tracks/${id}${part}`)),
        )
        assert.ok(one !== undefined && other !== undefined)
        assert.deepEqual([one.status, problemIn(one).code], [404, 'TRACK_UNKNOWN'])
        assert.equal(problemIn(one).detail.replace('1', '999'), problemIn(other).detail)
      }
      server.as(actorOf('viewer', [films]))
      assert.equal((await media('direct.mp4')).status, 200)
      assert.equal((await server.fetch('/api/v1/tracks/1/thumbnail')).status, 200)
      server.as(actorOf('auditor'))
      assert.equal((await media('direct.mp4')).status, 403)
    } finally {
      server.as(owner)
    }
  })
})

describe('the audit log', () => {
  it('says once who plays a clip, however many parts of its file are read', async () => {
    const before = playsOf('copied.mkv')
    assert.equal((await playback('copied.mkv')).status, 200)
    for (const range of ['bytes=0-9', 'bytes=10-19'])
      assert.equal((await media('copied.mkv', { range })).status, 206)
    assert.equal(playsOf('copied.mkv'), before + 1)
    server.as(actorOf('viewer', 'all', 'somebody'))
    try {
      assert.equal((await media('copied.mkv', { range: 'bytes=0-9' })).status, 206)
      assert.equal(playsOf('copied.mkv', 'somebody'), 1)
    } finally {
      server.as(owner)
    }
  })
})

function playsOf(name: string, actorId = owner.id): number {
  const log = AuditLog.open(at('archive'))
  try {
    return listAudit(log, { action: 'play', actor: actorId, limit: 500 }).entries.filter(({ parts }) =>
      parts.some((part) => part.state === 'readable' && part.subject.label === idOf(name)),
    ).length
  } finally {
    log.close()
  }
}
