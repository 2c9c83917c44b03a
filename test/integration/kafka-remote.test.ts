import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import S3rver from 's3rver'
import { dumpArchive } from '../support/archive-dump.js'
import { testBroker, startWorker, type TestBroker } from '../support/broker.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'
import { createQueue, type Queue } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const scratch = join(dir, 'scratch')
const names = ['a film.mp4', 'b.mp4'] as const

let broker: TestBroker
let http: Server
let s3: S3rver
let httpHost = ''
let queue: Queue

describe('Kafka: clips from http and S3', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, names[0]), 'costumes right', { seconds: 4, then: ['sofa left'] })
    await makeFaceClip(join(folder, names[1]), 'party third')
    http = createServer((request, response) => {
      const name = decodeURIComponent(request.url ?? '').replace('/clips/', '')
      if (!(names as readonly string[]).includes(name)) response.writeHead(404).end()
      else response.end(readFileSync(join(folder, name)))
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    httpHost = `127.0.0.1:${(http.address() as AddressInfo).port}`
    s3 = new S3rver({
      ...{ port: 0, address: '127.0.0.1', silent: true, directory: join(dir, 's3') },
      configureBuckets: [{ name: 'films', configs: [] }],
    })
    const { port } = await s3.run()
    const aws = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER', AWS_REGION: 'us-east-1' }
    const endpoint = `http://127.0.0.1:${port}`
    const client = new S3Client({
      ...{ endpoint, forcePathStyle: true, region: 'us-east-1', requestChecksumCalculation: 'WHEN_REQUIRED' },
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    })
    for (const name of names)
      await client.send(
        new PutObjectCommand({
          Bucket: 'films',
          Key: `2026/${name}`,
          Body: readFileSync(join(folder, name)),
        }),
      )
    broker = await testBroker()
    queue = await createQueue(broker, 'remote')
    Object.assign(queue.environment, { ...aws, CAMEO_SCRATCH: scratch, AWS_ENDPOINT_URL_S3: endpoint })
    const root = join(dir, 'nothing')
    mkdirSync(root)
    const rules = ['--root', root, '--allow-host', httpHost, '--allow-host', 's3://films']
    queue.start('faces', ...rules)
    queue.startHere('describe')
    queue.startHere('index')
  })

  after(async () => {
    await queue.close()
    http.close()
    await s3.close()
    await broker.stop()
  })

  it('give the same archive as the files', async () => {
    const urls = [
      ...names.map((name) => `http://${httpHost}/clips/${encodeURIComponent(name)}`),
      ...names.map((name) => `s3://films/2026/${encodeURIComponent(name)}`),
    ]
    const settings = ['--segment', '1']
    const run = await queue.run('submit', ...urls, ...settings, '--json')
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(new Set(jsonLines(run.stdout).map(({ path }) => path)), new Set(urls))
    const embedded = join(dir, 'embedded')
    assert.equal((await cameo(['ingest', folder, '--archive', embedded, ...settings])).code, 0)
    assert.deepEqual(dumpArchive(queue.archive), dumpArchive(embedded))
    const again = await queue.run('submit', ...urls, ...settings, '--json')
    assert.ok(jsonLines(again.stdout).every(({ status }) => status === 'unchanged'))
  })

  it('answers name the address', async () => {
    const run = await queue.run('search', '--clip', join(folder, names[1]), '--json')
    assert.equal(run.code, 0, run.stderr)
    const { results } = JSON.parse(run.stdout) as { results: { path: string }[] }
    assert.match(results[0]?.path ?? '', /^(http|s3):\/\/[^/].*b\.mp4$/)
  })

  it('missing clips and refused clips fail with their own codes', async () => {
    const run = await queue.run(
      'submit',
      ...[`http://${httpHost}/clips/none.mp4`, 's3://films/none.mp4', 's3://others/a.mp4'],
      ...[join(folder, names[1]), '--json'],
    )
    assert.equal(run.code, 1, run.stderr)
    const codes = new Map(jsonLines(run.stdout).map(({ path, code }) => [path, code]))
    assert.deepEqual(Object.fromEntries(codes), {
      [`http://${httpHost}/clips/none.mp4`]: 'CLIP_GONE',
      's3://films/none.mp4': 'CLIP_GONE',
      's3://others/a.mp4': 'CLIP_NOT_ALLOWED',
      [join(folder, names[1])]: 'CLIP_NOT_ALLOWED',
    })
  })

  it('leaves only copies within the size limit in the scratch folder', () => {
    const [own, ...others] = readdirSync(scratch)
    assert.ok(own !== undefined && others.length === 0, 'one folder per process')
    assert.ok(readdirSync(join(scratch, own, 'cameo-scratch')).length <= 4)
  })

  it('a worker without --scratch removes its temporary folder when it ends', async () => {
    const temporary = join(dir, 'temporary')
    mkdirSync(temporary)
    const worker = startWorker('faces', { ...queue.environment, CAMEO_SCRATCH: undefined, TMPDIR: temporary })
    await worker.said('joined the group')
    const own = () => readdirSync(temporary).filter((name) => name.startsWith('cameo-'))
    assert.equal(own().length, 1, readdirSync(temporary).join())
    assert.equal(await worker.stop(), 0)
    assert.deepEqual(own(), [])
  })
})
