/** Photos and clips that are uploaded to a server, and searches with them. Real models, one ingested archive. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { photos } from '../../scripts/demo/demo-photos.js'
import { openCameo } from '../../workers/cameo.js'
import { temporaryDir } from '../support/cameo.js'
import { facePhotos, ffmpeg, makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { hugeJpeg, intactJpeg, svgFiles } from '../support/field-photos.js'
import { actorOf, fileForm, owner, startServer, type TestServer } from '../support/http-server.js'
import { zipOf } from '../support/zip.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const films = at('films')
const temporary = at('temporary')
/** What a killed server left there. A process with this id does not run. */
const left = join(temporary, `cameo-serve-${hostname()}-4194305-1-x`)

let server: TestServer
let photo: Buffer

interface UploadAnswer {
  readonly uploadId: string
  readonly kind: string
  readonly people: readonly {
    readonly number: number
    readonly isMain: boolean
    readonly thumbnail: string
  }[]
}

async function upload(bytes: Uint8Array | string, name?: string, query = '', own = server) {
  const response = await own.fetch(`/api/v1/uploads${query}`, { method: 'POST', body: fileForm(bytes, name) })
  return {
    status: response.status,
    body: (await response.json()) as UploadAnswer & { readonly code?: string },
  }
}

/** Every file below a folder. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())

interface SearchAnswer {
  readonly matches: readonly { readonly path: string; readonly clipId: string }[]
  readonly query: { readonly kind: string; readonly value: string }
  /** Of a refusal. */
  readonly code: string
  readonly detail: string
}

async function search(subject: object): Promise<{ readonly status: number; readonly body: SearchAnswer }> {
  const answer = await server.json('POST', '/api/v1/searches', { subject })
  return { status: answer.status, body: answer.body as SearchAnswer }
}

before(async () => {
  mkdirSync(films)
  mkdirSync(left, { recursive: true })
  writeFileSync(join(left, 'photo.jpg'), 'x')
  await makeFaceClip(join(films, 'costumes.mp4'), 'costumes right')
  await makeFaceClip(join(films, 'party.mp4'), 'party first')
  await using cameo = await openCameo({ archive: at('archive'), threads: 1 })
  await cameo.ingest(films)
  photo = await intactJpeg(at('photo.jpg'), 'costumes right')
  server = await startServer(at('archive'), { temporaryDir: temporary })
})
after(() => server.close())

describe('uploads', () => {
  it('finds the clips of the person in an uploaded photo, without its file name mattering', async () => {
    const { status, body } = await upload(photo, '../../etc/m.m3u8')
    assert.equal(status, 201)
    assert.deepEqual(
      [body.kind, body.people.map(({ number, isMain }) => [number, isMain])],
      ['image', [[1, true]]],
    )
    const found = await search({ uploadId: body.uploadId })
    assert.equal(found.status, 200)
    assert.deepEqual(
      found.body.matches.map(({ path }) => path),
      [join(films, 'costumes.mp4')],
    )
    assert.deepEqual([found.body.query.kind, found.body.query.value], ['image', 'm.m3u8'])
  })

  it('keeps the file private, and removes it when it is deleted', async () => {
    const { body } = await upload(photo)
    const [file] = filesIn(temporary).filter(({ parentPath }) => parentPath.endsWith(body.uploadId))
    assert.ok(file !== undefined)
    const path = join(file.parentPath, file.name)
    assert.deepEqual(readFileSync(path), photo)
    assert.deepEqual([statSync(path).mode & 0o777, statSync(file.parentPath).mode & 0o777], [0o600, 0o700])
    const { status } = await server.fetch(`/api/v1/uploads/${body.uploadId}`, { method: 'DELETE' })
    assert.equal(status, 204)
    assert.deepEqual(
      filesIn(temporary).filter(({ parentPath }) => parentPath.endsWith(body.uploadId)),
      [],
    )
    assert.equal((await search({ uploadId: body.uploadId })).status, 404)
  })

  it('removed what a killed server left', () => {
    assert.ok(!readdirSync(temporary).some((name) => left.endsWith(name)))
  })

  it("gives a face's picture, and nothing of it to anybody else", async () => {
    const { body } = await upload(photo)
    const address = body.people[0]?.thumbnail ?? ''
    const answer = await server.fetch(address)
    assert.equal(answer.headers.get('content-type'), 'image/jpeg')
    assert.equal(answer.headers.get('cache-control'), 'private, no-cache')
    const bytes = Buffer.from(await answer.arrayBuffer())
    assert.deepEqual(bytes.subarray(0, 2), Buffer.from([0xff, 0xd8]))
    const again = await server.fetch(address, {
      headers: { 'if-none-match': answer.headers.get('etag') ?? '' },
    })
    assert.equal(again.status, 304)
    server.as(actorOf('viewer'))
    assert.equal((await server.fetch(address)).status, 404)
    assert.equal((await search({ uploadId: body.uploadId })).status, 404)
    assert.equal((await server.fetch(`/api/v1/uploads/${body.uploadId}`, { method: 'DELETE' })).status, 404)
    server.as(owner)
    assert.equal((await server.fetch(address)).status, 200)
  })

  it('asks which of several faces is meant, and searches for the chosen one', async () => {
    const group = readFileSync(join(await facePhotos(), photos.party.file))
    const { body } = await upload(group)
    assert.ok(body.people.length > 2)
    assert.ok(body.people.every(({ isMain }) => !isMain))
    const unclear = await search({ uploadId: body.uploadId })
    assert.deepEqual([unclear.status, unclear.body.code], [422, 'IMAGE_SEVERAL_FACES'])
    const paths: string[] = []
    for (const { number } of body.people) {
      const found = await search({ uploadId: body.uploadId, face: number })
      paths.push(...found.body.matches.map(({ path }) => path))
    }
    assert.deepEqual(paths, [join(films, 'party.mp4')])
    const unknown = await search({ uploadId: body.uploadId, face: 99 })
    assert.deepEqual([unknown.status, unknown.body.code], [400, 'FACE_UNKNOWN'])
  })

  it('finds the person of an uploaded clip, and of a clip of the archive', async () => {
    const clip = await makeFaceClip(at('asked.mp4'), 'party first', { variant: 3 })
    const { body } = await upload(readFileSync(clip), 'photo.jpg')
    assert.equal(body.kind, 'clip')
    const found = await search({ uploadId: body.uploadId })
    assert.deepEqual(
      found.body.matches.map(({ path }) => path),
      [join(films, 'party.mp4')],
    )
    const clipId = createHash('sha256')
      .update(readFileSync(join(films, 'party.mp4')))
      .digest('hex')
    const own = await search({ clipId })
    assert.deepEqual(
      own.body.matches.map((match) => match.clipId),
      [clipId],
    )
    assert.equal((await search({ clipId: '0'.repeat(64) })).status, 404)
  })

  it('does not search with a clip or a track out of sight', async () => {
    const clipId = createHash('sha256')
      .update(readFileSync(join(films, 'party.mp4')))
      .digest('hex')
    server.as(actorOf('viewer', ['/elsewhere']))
    const hidden = await search({ clipId })
    const absent = await search({ clipId: '0'.repeat(64) })
    assert.deepEqual([hidden.status, hidden.body.code], [absent.status, absent.body.code])
    assert.equal(hidden.body.detail.replace(clipId, ''), absent.body.detail.replace('0'.repeat(64), ''))
    assert.equal((await search({ trackId: 1 })).status, 404)
    server.as(owner)
    assert.equal((await search({ trackId: 1 })).status, 200)
  })
})

describe('refused uploads', () => {
  const refused = async (bytes: Uint8Array | string, code: string, name = 'photo.jpg', status = 422) => {
    const answer = await upload(bytes, name)
    assert.deepEqual([answer.status, answer.body.code], [status, code], name)
  }

  it('refuses drawings, pages, playlists, archives, sound and text, whatever they are called', async () => {
    for (const [name, bytes] of Object.entries(svgFiles())) await refused(bytes, 'IMAGE_UNREADABLE', name)
    const playlist = `#EXTM3U\n#EXTINF:1,\nfile://${join(films, 'party.mp4')}\n`
    for (const name of ['a.m3u8', 'a.mp4', 'a.jpg']) await refused(playlist, 'IMAGE_UNREADABLE', name)
    await refused(`ffconcat version 1.0\nfile '${join(films, 'party.mp4')}'\n`, 'IMAGE_UNREADABLE', 'a.mp4')
    await refused('<!doctype html><title>x</title><img src=x>', 'IMAGE_UNREADABLE', 'a.png')
    await refused(gzipSync(photo), 'IMAGE_UNREADABLE', 'photo.jpg.gz')
    await refused(zipOf({ 'photo.jpg': photo }), 'IMAGE_UNREADABLE', 'photo.jpg')
    await refused('hello', 'IMAGE_UNREADABLE')
    await refused('', 'IMAGE_UNREADABLE')
    await refused(Buffer.from('ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x44', 'latin1'), 'IMAGE_UNREADABLE', 'a.mp3')
  })

  it('refuses pictures and clips that would take much memory, and damaged ones', async () => {
    await refused(hugeJpeg(photo), 'IMAGE_UNREADABLE')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=300x260:r=12:d=0.3', '-c:v', 'ffv1', at('huge.mkv'))
    const bytes = readFileSync(at('huge.mkv'))
    for (const widthOrHeight of ['b082012c', 'ba820104'])
      bytes.writeUInt16BE(16_000, bytes.indexOf(Buffer.from(widthOrHeight, 'hex')) + 2)
    await refused(bytes, 'CLIP_FRAME_TOO_LARGE', 'huge.mkv')
    await refused(photo.subarray(0, 40), 'IMAGE_UNREADABLE')
  })

  it('refuses a photo without a face, and a clip without one', async () => {
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x240', '-frames:v', '1', at('no-face.png'))
    await refused(readFileSync(at('no-face.png')), 'IMAGE_NO_FACE')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=12:d=0.5', at('no-face.mp4'))
    await refused(readFileSync(at('no-face.mp4')), 'QUERY_NO_TRACK')
  })

  it('refuses what is no form with a file', async () => {
    assert.equal((await server.json('POST', '/api/v1/uploads', { file: 'x' })).status, 400)
    const response = await server.fetch('/api/v1/uploads', { method: 'POST', body: new FormData() })
    assert.equal(response.status, 400)
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary=']) {
      const init = { method: 'POST', body: '--x--', headers: { 'content-type': type } }
      const broken = await server.fetch('/api/v1/uploads', init)
      assert.deepEqual([broken.status, ((await broken.json()) as { code: string }).code], [400, 'USAGE'])
    }
  })

  it('refuses a file that is too large, by what it is, and leaves nothing of anything that it refused', async () => {
    const own = mkdtempSync(at('small-'))
    const limits = { photoBytes: photo.length - 1, clipBytes: 200_000 }
    const small = await startServer(at('archive'), { temporaryDir: own, uploads: limits })
    try {
      const asPhoto = await upload(photo, 'photo.jpg', '', small)
      assert.deepEqual([asPhoto.status, asPhoto.body.code], [413, 'UPLOAD_TOO_LARGE'])
      const clip = Buffer.concat([readFileSync(join(films, 'party.mp4')), Buffer.alloc(3_000_000)])
      const asClip = await upload(clip, 'clip.mp4', '', small)
      assert.deepEqual([asClip.status, asClip.body.code], [413, 'UPLOAD_TOO_LARGE'])
      await upload('hello', 'photo.jpg', '', small)
      assert.deepEqual(filesIn(own), [])
      const list = await upload('a.mp4 Ada\n', 'list.txt', '?as=list', small)
      assert.deepEqual([list.status, list.body.kind], [201, 'list'])
      assert.equal((await upload(photo, 'list.txt', '?as=list', small)).body.code, 'GROUND_TRUTH_INVALID')
    } finally {
      await small.close()
    }
    assert.deepEqual(readdirSync(own), [])
  })

  it('stops to look at a clip when whoever uploads goes away', async () => {
    const before = filesIn(temporary).length
    const clip = await makeFaceClip(at('long.mp4'), 'sofa left', { seconds: 40 })
    const gone = new AbortController()
    const asked = server.fetch('/api/v1/uploads', { method: 'POST', body: fileForm(readFileSync(clip)), signal: gone.signal }) // prettier-ignore
    const isThere = () => filesIn(temporary).length > before
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5))
    gone.abort()
    await assert.rejects(asked)
    while (isThere()) await new Promise((resolve) => setTimeout(resolve, 5))
    await makeFacePhoto(at('next.jpg'), 'sofa left')
    assert.equal((await upload(readFileSync(at('next.jpg')))).status, 201)
  })
})
