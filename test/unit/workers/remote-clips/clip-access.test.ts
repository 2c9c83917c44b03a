import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { FileStamp } from '../../../../index/store/file-facts.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import {
  createClipAccess,
  everywhere,
  parseHost,
  parseRoot,
  type AccessRules,
  withoutSecrets,
} from '../../../../workers/remote-clips/clip-access.js'
import { temporaryDir } from '../../../support/cameo.js'
import type { OpenedClip } from '../../../../workers/remote-clips/opened-clip.js'

const dir = realpathSync(temporaryDir())
const signal = new AbortController().signal
const closers: (() => void)[] = []
after(() => {
  for (const close of closers) close()
})

const access = (rules: Partial<AccessRules>, scratchBytes = 1e6) =>
  createClipAccess({
    rules: { roots: [everywhere], hosts: new Set(), ...rules },
    scratchDir: join(dir, 'scratch'),
    scratchBytes,
  })

async function failure(work: Promise<unknown>): Promise<{ code: string; retriable: boolean }> {
  try {
    await work
  } catch (error) {
    assert.ok(error instanceof CameoError, String(error))
    return { code: error.code, retriable: error.retriable }
  }
  return assert.fail('it was opened')
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server, and a scratch folder of 100 bytes for its files. */
async function smallScratch(listener: RequestListener) {
  const host = await serve(listener)
  const scratchDir = mkdtempSync(join(dir, 'scratch-'))
  const rules = { roots: [everywhere], hosts: new Set([host]) }
  const own = createClipAccess({ rules, scratchDir, scratchBytes: 100 })
  const files = () =>
    readdirSync(join(scratchDir, 'cameo-scratch'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => statSync(join(parentPath, name)).size)
  return {
    open: (name: string, planned?: FileStamp, stop = signal) =>
      own.open(`http://${host}/${name}`, planned, stop),
    files,
    heldBytes: () => files().reduce((sum, bytes) => sum + bytes, 0),
  }
}

/** A clip that may have to wait for room. */
function later(clip: Promise<OpenedClip>) {
  clip.catch(() => undefined)
  return { clip, soon: () => Promise.race([clip, pause(100).then(() => 'waits')]) }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5)
}

describe('clip access: files', () => {
  const root = join(dir, 'root')
  mkdirSync(join(root, 'sub'), { recursive: true })
  writeFileSync(join(root, 'sub', 'a.mp4'), 'a clip')
  writeFileSync(join(dir, 'secret.mp4'), 'secret')
  symlinkSync(join(dir, 'secret.mp4'), join(root, 'out.mp4'))
  symlinkSync(join(root, 'sub'), join(root, 'inside'))

  it('opens files below a root, also if the root has another path on this machine', async () => {
    for (const [rule, uri] of [
      [root, join(root, 'sub', 'a.mp4')],
      [`/archive=${root}`, '/archive/sub/a.mp4'],
      [root, join(root, 'inside', 'a.mp4')],
    ] as const) {
      const clip = await access({ roots: [parseRoot(rule)] }).open(uri, undefined, signal)
      assert.equal(readFileSync(clip.path, 'utf8'), 'a clip')
      assert.equal(clip.stamp.sizeBytes, 6)
      clip.checkUnchanged()
    }
  })

  it('refuses everything else, including links and detours', async () => {
    const own = access({ roots: [parseRoot(root)] })
    for (const uri of [
      join(dir, 'secret.mp4'),
      join(root, 'out.mp4'),
      `${root}/sub/../../secret.mp4`,
      `${root}2/a.mp4`,
      'sub/a.mp4',
      'file:///etc/passwd',
      'ftp://host/a.mp4',
      'http://host/a.mp4',
      's3://bucket/a.mp4',
    ])
      assert.deepEqual(
        await failure(own.open(uri, undefined, signal)),
        { code: 'CLIP_NOT_ALLOWED', retriable: false },
        uri,
      )
    assert.equal((await failure(own.open(join(root, 'none.mp4'), undefined, signal))).code, 'CLIP_GONE')
  })

  it('permanently refuses other kinds than files before opening them, and names the kind', async () => {
    execFileSync('mkfifo', [join(root, 'pipe.mp4')])
    const listener = createNetServer().listen(join(root, 'socket.mp4'))
    closers.push(() => listener.close())
    await once(listener, 'listening')
    symlinkSync('sub', join(root, 'folder.mp4'))
    for (const [path, kind] of [
      [join(root, 'sub'), 'a folder'],
      [join(root, 'folder.mp4'), 'a folder'],
      [join(root, 'pipe.mp4'), 'a pipe'],
      [join(root, 'socket.mp4'), 'a socket'],
      ['/dev/zero', 'a device'],
    ] as const)
      await assert.rejects(access({}).open(path, undefined, signal), (error) => {
        assert.ok(error instanceof CameoError)
        assert.deepEqual([error.code, error.retriable], ['CLIP_NOT_VIDEO', false])
        assert.match(error.message, new RegExp(`is ${kind}, not a video file`))
        return true
      })
  })

  it('reads the opened file even if it is replaced, and reports the change', async () => {
    const path = join(root, 'exchanged.mp4')
    writeFileSync(path, 'a clip')
    const clip = await access({ roots: [parseRoot(root)] }).open(path, undefined, signal)
    renameSync(join(root, 'out.mp4'), path)
    assert.equal(readFileSync(clip.path, 'utf8'), 'a clip')
    assert.equal(execFileSync('cat', [clip.path], { encoding: 'utf8' }), 'a clip')
    assert.throws(() => clip.checkUnchanged(), { code: 'CLIP_CHANGED' })
    clip.release()
    clip.release()
    assert.equal(existsSync(clip.path), false)
  })

  it('shows addresses without password and signature', () => {
    for (const [uri, shown] of [
      ['https://user:password@host:1/a/b.mp4?signature=x#part', 'https://host:1/a/b.mp4'],
      ['s3://bucket/a.mp4?versionId=1', 's3://bucket/a.mp4'],
      ['/clips/100%?#1.mp4', '/clips/100%?#1.mp4'],
      // Not a URL: the password's slash ends the host.
      ['http://user:pass/word@host/a.mp4', 'http://…'],
    ] as const)
      assert.equal(withoutSecrets(uri), shown)
  })

  it('a root that is not mounted does not fail its clips', async () => {
    const mounted = join(dir, 'share')
    const own = access({ roots: [{ submitted: '/archive', mounted }] })
    const open = () => failure(own.open('/archive/a.mp4', undefined, signal))
    assert.deepEqual(await open(), { code: 'ROOT_MISSING', retriable: false })
    mkdirSync(mounted)
    assert.deepEqual(await open(), { code: 'CLIP_GONE', retriable: false })
  })

  it('refuses invalid rules', () => {
    for (const text of ['relative', '/a=relative']) assert.throws(() => parseRoot(text), { code: 'USAGE' })
    for (const text of ['http://host', 'a b', 's3://'])
      assert.throws(() => parseHost(text), { code: 'USAGE' })
  })
})

describe('clip access: http', () => {
  it('fetches only from allowed hosts, also after redirects', async () => {
    const other = await serve((_, response) => response.end('elsewhere'))
    const host = await serve((request, response) => {
      if (request.url === '/moved.mp4') response.writeHead(302, { location: '/a%20clip.mp4' }).end()
      else if (request.url === '/away.mp4') response.writeHead(302, { location: `http://${other}/x` }).end()
      else if (request.url === '/loop.mp4') response.writeHead(302, { location: '/loop.mp4' }).end()
      else response.end('a clip')
    })
    const own = access({ hosts: new Set([host]) })
    for (const name of ['a%20clip.mp4', 'moved.mp4']) {
      const clip = await own.open(`http://${host}/${name}`, undefined, signal)
      assert.equal(readFileSync(clip.path, 'utf8'), 'a clip')
      clip.release()
    }
    assert.equal(
      (await failure(own.open(`http://${other}/x.mp4`, undefined, signal))).code,
      'CLIP_NOT_ALLOWED',
    )
    assert.equal(
      (await failure(own.open(`http://${host}/away.mp4`, undefined, signal))).code,
      'CLIP_NOT_ALLOWED',
    )
    assert.deepEqual(await failure(own.open(`http://${host}/loop.mp4`, undefined, signal)), {
      code: 'CLIP_FETCH_FAILED',
      retriable: false,
    })
  })

  it('refuses an address with a password, also as a redirect target, with a message that does not show it', async () => {
    const host: string = await serve((_, response) =>
      response.writeHead(302, { location: `http://user:secret@${host}/b.mp4` }).end(),
    )
    const own = access({ hosts: new Set([host, 's3://bucket']) })
    for (const uri of [
      `http://user:secret@${host}/a.mp4`,
      `http://user:secret@${host}`,
      'http://:secret@elsewhere',
      's3://secret@bucket/a.mp4',
      `http://${host}/a.mp4?signature=secret`,
    ])
      await assert.rejects(own.open(uri, undefined, signal), (error) => {
        assert.ok(error instanceof CameoError)
        assert.deepEqual([error.code, error.message.includes('secret')], ['CLIP_NOT_ALLOWED', false], uri)
        return true
      })
  })

  it('an allowed default port also matches addresses without a port', async () => {
    const isAllowed = async (host: string, uri: string) => {
      const own = access({ hosts: new Set([parseHost(host)]) })
      // Nothing is fetched, because the signal is already aborted.
      const error: unknown = await own
        .open(uri, undefined, AbortSignal.abort())
        .catch((thrown: unknown) => thrown)
      return !(error instanceof CameoError && error.code === 'CLIP_NOT_ALLOWED')
    }
    for (const [host, uri, expected] of [
      ['Example.com:443', 'https://example.com/a.mp4', true],
      ['example.com:443', 'https://example.com:443/a.mp4', true],
      ['example.com:80', 'http://example.com/a.mp4', true],
      ['example.com:8080', 'http://example.com:8080/a.mp4', true],
      ['example.com', 'https://example.com:8443/a.mp4', true],
      ['example.com:443', 'http://example.com/a.mp4', false],
      ['example.com:443', 'https://example.com:8443/a.mp4', false],
      ['example.com:80', 'https://example.com/a.mp4', false],
      ['example.com:443', 'https://elsewhere.com/a.mp4', false],
    ] as const)
      assert.equal(await isAllowed(host, uri), expected, `${host} ${uri}`)
  })

  it('receives the clip uncompressed, also from a server that compresses without being asked', async () => {
    const content = 'a clip '.repeat(100)
    const host = await serve((request, response) => {
      const isPlain = request.url === '/a.mp4' && request.headers['accept-encoding'] === 'identity'
      const body = isPlain ? Buffer.from(content) : gzipSync(content)
      if (!isPlain) response.setHeader('content-encoding', 'gzip')
      response.setHeader('content-length', body.length).end(body)
    })
    const own = access({ hosts: new Set([host]) })
    for (const name of ['a.mp4', 'unasked.mp4']) {
      const clip = await own.open(`http://${host}/${name}`, undefined, signal)
      assert.equal(readFileSync(clip.path, 'utf8'), content)
    }
  })

  it('distinguishes missing and forbidden files from temporary errors', async () => {
    const host = await serve((request, response) => {
      const status = Number(request.url?.slice(1))
      if (status === 200) {
        response.writeHead(200, { 'content-length': 100 }).write('cut off')
        response.destroy()
      } else response.writeHead(status).end()
    })
    const own = access({ hosts: new Set(['127.0.0.1']) })
    const of = (status: number) => failure(own.open(`http://${host}/${status}`, undefined, signal))
    assert.deepEqual(await of(404), { code: 'CLIP_GONE', retriable: false })
    assert.deepEqual(await of(403), { code: 'CLIP_UNREADABLE', retriable: false })
    assert.deepEqual(await of(400), { code: 'CLIP_FETCH_FAILED', retriable: false })
    assert.deepEqual(await of(503), { code: 'CLIP_FETCH_FAILED', retriable: true })
    assert.deepEqual(await of(200), { code: 'CLIP_FETCH_FAILED', retriable: true })
    assert.deepEqual(await failure(own.open('http://127.0.0.1:1/a.mp4', undefined, signal)), {
      code: 'CLIP_FETCH_FAILED',
      retriable: true,
    })
  })

  it('fetches a clip again when it is submitted again, and gives segments the copy of their plan', async () => {
    let content = 'the old one'
    const host = await serve((_, response) => response.setHeader('etag', content).end(content))
    const own = access({ hosts: new Set([host]) })
    const open = (planned?: FileStamp) => own.open(`http://${host}/a.mp4`, planned, signal)
    const text = ({ path }: { readonly path: string }) => readFileSync(path, 'utf8')
    const old = await open()
    old.release()
    content = 'a new one!!'
    const renewed = await open()
    assert.deepEqual([text(old), text(renewed)], ['the old one', 'a new one!!'])
    assert.equal(text(await open(old.stamp)), 'the old one')
    assert.equal(text(await open(renewed.stamp)), 'a new one!!')
    content = 'a third one'
    assert.equal(text(await open({ ...old.stamp, mtimeNs: 'another' })), 'a third one')
  })
})

describe('clip access: the scratch folder', { timeout: 60_000 }, () => {
  it('keeps the scratch folder within its size, and keeps clips in use', async () => {
    let fetches = 0
    const { open, files } = await smallScratch((request, response) => {
      fetches++
      const bytes = Buffer.alloc(request.url === '/huge' ? 500 : 40, 'x')
      // Without a length, so that only the received bytes count.
      response.writeHead(200, request.url === '/chunked' ? {} : { 'content-length': bytes.length }).end(bytes)
    })
    const first = await open('first')
    const again = await open('first', first.stamp)
    assert.equal(fetches, 1, 'segments of a clip share one copy')
    const second = await open('second')
    assert.deepEqual(await failure(open('huge')), { code: 'SCRATCH_FULL', retriable: false })
    const third = later(open('third'))
    assert.equal(await third.soon(), 'waits')
    first.release()
    assert.equal(await third.soon(), 'waits', 'still used once')
    again.release()
    again.release()
    assert.equal(readFileSync(second.path).length + readFileSync((await third.clip).path).length, 80)
    assert.throws(() => readFileSync(first.path))
    const chunked = later(open('chunked'))
    assert.equal(await chunked.soon(), 'waits')
    second.release()
    await chunked.clip
    assert.equal(files().length, 2)
  })

  it('closes the unread connection of a clip that is too large', async () => {
    let closed: Promise<unknown> | undefined
    const { open } = await smallScratch((_, response) => {
      closed = once(response, 'close')
      response.writeHead(200, { 'content-length': 500 }).write('the start')
    })
    assert.equal((await failure(open('huge'))).code, 'SCRATCH_FULL')
    await closed
  })

  it('a waiting clip keeps no connection, and is requested again when a failed download makes room', async () => {
    const pending: ServerResponse[] = []
    const { open } = await smallScratch((_, response) => {
      response.writeHead(200, { 'content-length': 60 }).write('the start')
      pending.push(response)
    })
    const failing = failure(open('failing'))
    await until(() => pending.length === 1)
    const waits = later(open('waits'))
    await until(() => pending[1]?.destroyed === true)
    assert.equal(await waits.soon(), 'waits')
    pending[0]?.destroy()
    assert.deepEqual(await failing, { code: 'CLIP_FETCH_FAILED', retriable: true })
    await until(() => pending.length === 3)
    pending[2]?.end(Buffer.alloc(51))
    assert.equal((await waits.clip).stamp.sizeBytes, 60)
  })

  it('a waiting clip can be stopped', async () => {
    const { open } = await smallScratch((_, response) => response.end(Buffer.alloc(60)))
    const first = await open('first')
    const stop = new AbortController()
    const waits = later(open('second', undefined, stop.signal))
    assert.equal(await waits.soon(), 'waits')
    stop.abort()
    await assert.rejects(waits.clip, { name: 'AbortError' })
    first.release()
    await open('third')
  })

  it('if two clips fill the folder and wait for each other, one fails and the other continues', async () => {
    const pending: ServerResponse[] = []
    const { open, heldBytes } = await smallScratch((_, response) => {
      response.write(Buffer.alloc(50))
      pending.push(response)
    })
    const clips = ['a', 'b'].map((name) => open(name).catch((error: unknown) => error))
    await until(() => heldBytes() === 100)
    for (const response of pending) response.end(Buffer.alloc(30))
    const [error, ...others] = (await Promise.all(clips)).filter((result) => result instanceof Error)
    assert.ok(error instanceof CameoError && others.length === 0)
    assert.deepEqual([error.code, error.retriable], ['SCRATCH_FULL', true])
    assert.equal(heldBytes(), 80)
  })

  it('a download that breaks off while it waits takes no room afterwards', async () => {
    const pending: ServerResponse[] = []
    const { open } = await smallScratch((request, response) => {
      if (request.url === '/broken') pending.push(response)
      else response.end(Buffer.alloc(request.url === '/whole' ? 100 : 60))
    })
    const held = await open('held')
    const broken = later(open('broken'))
    await until(() => pending.length === 1)
    pending[0]?.write(Buffer.alloc(50))
    assert.equal(await broken.soon(), 'waits')
    pending[0]?.destroy()
    // Node 20 reports a lost connection at once. From Node 24 on, `fetch` reports it when the body is read again: when there is room.
    await broken.soon().catch(() => undefined)
    held.release()
    assert.deepEqual(await failure(broken.clip), { code: 'CLIP_FETCH_FAILED', retriable: true })
    assert.equal((await open('whole')).stamp.sizeBytes, 100)
  })
})
