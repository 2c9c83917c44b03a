import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { openVectorCache } from '../../index/vectors/archive/cached-index.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { assertRefused, foundFiles, ingest, ingested, search } from '../support/answers.js'
import { cameo, startCameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { lateFfmpeg } from '../support/late-ffmpeg.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const archive = join(dir, 'archive')
let photo: string

/** A copy of the archive that a test may damage. */
function copyOf(name: string): string {
  const copy = join(dir, name)
  cpSync(archive, copy, { recursive: true })
  return copy
}

const status = (of: string) => cameo(['status', '--archive', of, '--json'])

before(async () => {
  mkdirSync(folder)
  await makeFaceClip(join(folder, 'costumes.mp4'), 'costumes right')
  await makeFaceClip(join(folder, 'bar.mp4'), 'bar middle')
  await makeFaceClip(join(folder, 'party.mp4'), 'party first')
  photo = await makeFacePhoto(join(dir, 'photo.jpg'), 'costumes right')
  const run = await ingest([folder, '--archive', archive])
  assert.equal(run.code, 0, run.stderr)
})

describe('archive: two commands at once', () => {
  it('refuses a second ingest with ARCHIVE_BUSY while the first runs; searching, enrolling and status still work', async () => {
    const shared = copyOf('busy')
    const film = join(dir, 'film.mp4')
    await makeFaceClip(film, 'sofa left', { seconds: 20 })
    const ffmpeg = lateFfmpeg(dir)
    const args = [
      'ingest',
      film,
      '--archive',
      shared,
      '--threads',
      '1',
      '--segment',
      '5',
      '--reprocess',
      '--json',
    ]
    const first = startCameo(args, ffmpeg.environment)
    // It holds the lock when it has planned the clip, and runs until ffmpeg is released.
    await first.until(() => isPlanned(shared))
    const second = cameo(['ingest', folder, '--archive', shared, '--json'])
    assertRefused(await second, 'ARCHIVE_BUSY', shared)
    const forget = await cameo(['forget', '--clip', join(folder, 'bar.mp4'), '--archive', shared, '--json'])
    assertRefused(forget, 'ARCHIVE_BUSY', shared)
    assert.deepEqual(foundFiles(await search(['--image', photo, '--archive', shared])), [
      'costumes.mp4',
      'bar.mp4',
    ])
    assert.equal((await cameo(['enroll', 'Ada', photo, '--archive', shared])).code, 0)
    assert.equal((await status(shared)).code, 0)
    ffmpeg.release()
    const run = ingested(await first.finished)
    assert.equal(run.code, 0, run.stderr)
    assert.equal(run.of('film.mp4').status, 'done')
    const after = await ingest([folder, '--archive', shared])
    assert.equal(after.code, 0, 'the lock is free again')
  })
})

function isPlanned(dir: string): boolean {
  const opened = openArchive(dir)
  try {
    return opened.database.prepare("SELECT 1 FROM runs WHERE state = 'working'").get() !== undefined
  } finally {
    opened.close()
  }
}

describe('archive: its schema and models', () => {
  it('every command refuses an archive with a newer schema with ARCHIVE_NEWER', async () => {
    const newer = copyOf('newer')
    const opened = openArchive(newer)
    opened.database.pragma('user_version = 99')
    opened.close()
    const commands = [['ingest', folder], ['search', '--image', photo], ['status'], ['enroll', 'Ada', photo]]
    for (const command of commands)
      assertRefused(
        await cameo([...command, '--archive', newer, '--json']),
        'ARCHIVE_NEWER',
        newer,
        'schema 99',
      )
  })

  it('an archive with another model is refused with ARCHIVE_OTHER_RECIPE, and both models are named', async () => {
    const models = join(dir, 'models')
    const environment = { CAMEO_MODELS: models }
    const lite = findPack('lite')
    const liteFolder = packDir(lite, defaultModelsDir())
    const embedder = { ...lite.embedder, input: { ...lite.embedder.input, channelOrder: 'rgb' } }
    const source = { kind: 'folder', folder: liteFolder }
    const file = join(dir, 'mine.json')
    writeFileSync(file, JSON.stringify({ ...lite, name: 'mine', source, embedder }))
    cpSync(liteFolder, join(models, 'lite'), { recursive: true })

    const absent = await cameo(
      ['ingest', folder, '--archive', archive, '--pack', file, '--json'],
      environment,
    )
    assertRefused(absent, 'MODEL_UNREADABLE', 'mine', 'cameo models pull')
    const pulled = await cameo(['models', 'pull', file, '--json'], environment)
    assert.equal(pulled.code, 0, pulled.stderr)
    assert.deepEqual(JSON.parse(pulled.stdout), {
      ...{ name: 'mine', licence: lite.licence },
      folder: join(models, 'mine'),
    })
    const other = await cameo(['ingest', folder, '--archive', archive, '--pack', file, '--json'], environment)
    assertRefused(other, 'ARCHIVE_OTHER_RECIPE', archive, 'models lite', 'mine.json', '--reprocess')

    const own = join(dir, 'own models')
    const made = ingested(
      await cameo(['ingest', folder, '--archive', own, '--pack', file, '--json'], environment),
    )
    assert.equal(made.code, 0, made.stderr)
    const again = ingested(await cameo(['ingest', folder, '--archive', own, '--json'], environment))
    assert.ok(
      again.lines.every((line) => line.status === 'unchanged'),
      'an archive knows its models',
    )
    writeFileSync(file, JSON.stringify({ ...lite, name: 'mine', source }))
    const changed = await cameo(['search', '--image', photo, '--archive', own, '--json'], environment)
    assertRefused(changed, 'ARCHIVE_OTHER_RECIPE', 'mine.json')
    rmSync(file)
    assertRefused(await cameo(['models', 'pull', file, '--json'], environment), 'PACK_INVALID', 'mine.json')
    const gone = await cameo(['search', '--image', photo, '--archive', own, '--json'], environment)
    assertRefused(gone, 'PACK_INVALID', 'mine.json')
  })
})

describe('archive: a model pack that does not match its files', () => {
  const models = join(dir, 'unfit models')
  const lite = findPack('lite')
  const source = { kind: 'folder', folder: packDir(lite, defaultModelsDir()) }
  const { detector, embedder, landmarker } = lite
  const size = { widthPx: 160, heightPx: 160 }
  const unfit: readonly (readonly [what: string, changes: object, file: string, difference: string])[] = [
    [
      'another dimension',
      { embedder: { ...embedder, dimension: 128 }, hiddenFaces: undefined },
      embedder.file.name,
      'returns 512 values, but its pack states 128',
    ],
    [
      'another decoder',
      { detector: { ...detector, decoder: 'scrfd' } },
      detector.file.name,
      'no output of 2400 rows',
    ],
    [
      'another size of canvas',
      { detector: { ...detector, input: { ...detector.input, ...size } } },
      detector.file.name,
      'Got: 160 Expected: 240',
    ],
    [
      'another size of face',
      { embedder: { ...embedder, input: { ...embedder.input, ...size } } },
      embedder.file.name,
      '160×160 pixels, but the image has 112×112',
    ],
    [
      'a model in the place of another',
      { landmarker: { ...landmarker, file: embedder.file } },
      embedder.file.name,
      'landmarker',
    ],
  ]

  for (const [index, [what, changes, file, difference]] of unfit.entries())
    it(`${what} ends the ingest with PACK_INVALID, and leaves no settings`, async () => {
      const environment = { CAMEO_MODELS: models }
      const pack = join(dir, `unfit ${index}.json`)
      writeFileSync(pack, JSON.stringify({ ...lite, name: 'mine', source, ...changes }))
      const pulled = await cameo(['models', 'pull', pack], environment)
      assert.equal(pulled.code, 0, pulled.stderr)
      const own = join(dir, `unfit ${index}`)
      const args = ['ingest', folder, '--archive', own, '--pack', pack, '--json']
      assertRefused(await cameo(args, environment), 'PACK_INVALID', 'mine', file, difference)
      const { recipe } = JSON.parse((await status(own)).stdout) as { recipe: unknown }
      assert.equal(recipe, null)
    })
})

describe('archive: damage', () => {
  it('a file that is not a database is refused with ARCHIVE_DAMAGED', async () => {
    const damaged = copyOf('damaged')
    writeFileSync(join(damaged, 'cameo.sqlite'), 'no database '.repeat(1000))
    for (const command of [['ingest', folder], ['search', '--image', photo], ['status']])
      assertRefused(await cameo([...command, '--archive', damaged, '--json']), 'ARCHIVE_DAMAGED', damaged)
  })

  it('an archive that is a file, or does not exist, is refused, and named', async () => {
    const file = join(dir, 'a file')
    writeFileSync(file, '')
    assertRefused(await cameo(['ingest', folder, '--archive', file, '--json']), 'ARCHIVE_READ_ONLY', file)
    const missing = join(dir, 'missing')
    assertRefused(
      await cameo(['search', '--image', photo, '--archive', missing, '--json']),
      'ARCHIVE_MISSING',
      missing,
    )
  })

  it('the default archive is used without a name, also if the variable is empty', async () => {
    const within = ['env', '-C', dir]
    for (const environment of [{}, { CAMEO_ARCHIVE: '' }]) {
      const run = await cameo(['status', '--json'], environment, within)
      assertRefused(run, 'ARCHIVE_MISSING', 'no archive in ./cameo-data')
    }
    const given = await cameo(['status', '--json'], { CAMEO_ARCHIVE: 'archive' }, within)
    assert.equal(given.code, 0, given.stderr)
    assertRefused(await status(''), 'USAGE', '--archive')
  })

  it('a damaged snapshot of the vectors is rebuilt with a notice, and the answer is the same', async () => {
    const spoiled = copyOf('snapshot')
    const before = await search(['--image', photo, '--archive', spoiled])
    const snapshot = await writeSnapshot(spoiled)
    writeFileSync(snapshot, 'damaged', { flag: 'r+' })
    const run = await cameo(['search', '--image', photo, '--archive', spoiled, '--json'])
    assert.equal(run.code, 0)
    assert.match(run.stderr, /the snapshot of the vector index is damaged .*: rebuilt from the archive/)
    assert.deepEqual(JSON.parse(run.stdout), before)
    const next = await cameo(['search', '--image', photo, '--archive', spoiled, '--json'])
    assert.doesNotMatch(next.stderr, /damaged/, 'it is repaired')
  })
})

/** Makes a snapshot as an archive of more than 10,000 tracks has one; returns its file. */
async function writeSnapshot(of: string): Promise<string> {
  const opened = openArchive(of)
  const vectors = join(of, 'vectors')
  const cache = await openVectorCache({ database: opened.database, spaceId: 1, dir: vectors, exactUpTo: 0 })
  await cache.snapshot()
  await cache.close()
  opened.close()
  const manifest = JSON.parse(readFileSync(join(vectors, 'vectors-1.json'), 'utf8')) as { file: string }
  return join(vectors, manifest.file)
}
