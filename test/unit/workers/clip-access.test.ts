import assert from 'node:assert/strict'
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { FileStamp } from '../../../index/store/files.js'
import { CameoError } from '../../../pipeline/errors.js'
import { createClipAccess, parseHost, parseRoot, type AccessRules } from '../../../workers/clip-access.js'
import { temporaryDir } from '../../support/cameo.js'

const dir = realpathSync(temporaryDir())
const signal = new AbortController().signal
const closers: (() => void)[] = []
after(() => {
  for (const close of closers) close()
})

const access = (rules: Partial<AccessRules>, scratchBytes = 1e6) =>
  createClipAccess({
    rules: { roots: undefined, hosts: new Set(), ...rules },
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

describe('clip access: files', () => {
  const root = join(dir, 'root')
  mkdirSync(join(root, 'sub'), { recursive: true })
  writeFileSync(join(root, 'sub', 'a.mp4'), 'a clip')
  writeFileSync(join(dir, 'secret.mp4'), 'secret')
  symlinkSync(join(dir, 'secret.mp4'), join(root, 'out.mp4'))
  symlinkSync(join(root, 'sub'), join(root, 'inside'))

  it('opens what lies below a root, also where that is called otherwise here', async () => {
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

  it('refuses everything else, links and detours too', async () => {
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

  it('rules that make no sense are refused', () => {
    for (const text of ['relative', '/a=relative']) assert.throws(() => parseRoot(text), { code: 'USAGE' })
    for (const text of ['http://host', 'a b', 's3://'])
      assert.throws(() => parseHost(text), { code: 'USAGE' })
  })
})

describe('clip access: http', () => {
  it('fetches from allowed hosts only, and redirections do not lead elsewhere', async () => {
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

  it('tells what is gone or forbidden from what may pass', async () => {
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

  it('keeps the scratch folder within its size, and a clip that is in use', async () => {
    let fetches = 0
    const host = await serve((request, response) => {
      fetches++
      const bytes = Buffer.alloc(request.url === '/huge' ? 500 : 40, 'x')
      // Without a length, so that only what arrives tells.
      response.writeHead(200, request.url === '/chunked' ? {} : { 'content-length': bytes.length }).end(bytes)
    })
    rmSync(join(dir, 'scratch'), { recursive: true, force: true })
    const own = access({ hosts: new Set([host]) }, 100)
    const open = (name: string, planned?: FileStamp) => own.open(`http://${host}/${name}`, planned, signal)
    const files = () => readdirSync(join(dir, 'scratch', 'cameo-scratch')).length
    const first = await open('first')
    const again = await open('first', first.stamp)
    assert.equal(fetches, 1, 'segments of a clip share one copy')
    const second = await open('second')
    assert.deepEqual(await failure(open('chunked')), { code: 'SCRATCH_FULL', retriable: true })
    assert.deepEqual(await failure(open('huge')), { code: 'SCRATCH_FULL', retriable: false })
    first.release()
    assert.equal((await failure(open('third'))).code, 'SCRATCH_FULL', 'still used once')
    again.release()
    const third = await open('third')
    assert.equal(files(), 2)
    assert.throws(() => readFileSync(first.path))
    assert.equal(readFileSync(second.path).length + readFileSync(third.path).length, 80)
  })

  it('a clip that is submitted again is fetched again, and segments are given the copy they were planned by', async () => {
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
