import assert from 'node:assert/strict'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { dumpArchive } from '../support/archive-dump.js'
import { testBroker, type TestBroker } from '../support/broker.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { createQueue, type Queue } from '../support/queue.js'
import { tinyContext, writeJson, writeTinyContext } from '../support/encoders.js'
import { ffmpeg, makeFaceClip } from '../support/faces.js'
import { numberedFrames } from './make-video.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const settings = ['--segment', '2', '--keep-mirrored']

let broker: TestBroker
let queue: Queue
let encoders: string[] = []

describe('Kafka: further embedders and context encoders', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'a.mp4'), 'costumes right', { seconds: 4, then: ['sofa left'] })
    await ffmpeg(...numberedFrames({ seconds: 3 }), '-c:v', 'libx264', join(folder, 'without a face.mp4'))
    const lite = findPack('lite')
    const { file, dimension, input } = lite.embedder
    const embedder = writeJson(join(dir, 'rgb.json'), {
      ...{ kind: 'embedder', name: 'rgb', dimension, input: { ...input, channelOrder: 'rgb' } },
      file: join(packDir(lite, defaultModelsDir()), file.name),
    })
    encoders = ['--embedder', embedder, '--context', writeTinyContext(dir)]
    broker = await testBroker()
    queue = await createQueue(broker, 'features')
    queue.start('faces', ...encoders)
    queue.startHere('describe')
    queue.startHere('index')
  })

  after(async () => {
    await queue.close()
    await broker.stop()
  })

  it('give the same rows as the embedded mode', async () => {
    const run = await queue.run('submit', folder, ...settings, ...encoders, '--json')
    assert.equal(run.code, 0, run.stderr)
    const embedded = join(dir, 'embedded')
    const ingested = await cameo(['ingest', folder, '--archive', embedded, ...settings, ...encoders])
    assert.equal(ingested.code, 0, ingested.stderr)
    const dump = dumpArchive(queue.archive)
    assert.deepEqual(dump, dumpArchive(embedded))
    // Two segments of each clip.
    assert.equal(dump.filter((line) => line.startsWith('context ')).length, 4)
    const faces = dump.filter((line) => line.startsWith('face '))
    // Two embedders, each with embeddings of the faces and of their mirror images.
    assert.equal(new Set(faces.map((line) => /embedder=\S+/.exec(line)?.[0])).size, 4)
  })

  it('the archive says what its vectors are, but not where the files are', () => {
    const opened = openArchive(queue.archive)
    const features = opened.recipe?.features ?? []
    opened.close()
    assert.deepEqual(
      features.map(({ kind, name, dimension, source }) => [kind, name, dimension, source]),
      [
        ['embedder', 'rgb', 512, undefined],
        ['context', 'tiny', 2, undefined],
      ],
    )
  })

  it('a clip submitted with an encoder that the workers do not have fails, and names the encoder', async () => {
    const other = writeJson(join(dir, 'other.json'), { ...tinyContext, name: 'other', output: 'pooled' })
    const clip = join(folder, 'a.mp4')
    const run = await queue.run('submit', clip, '--context', other, '--json')
    assert.equal(run.code, 1, run.stderr)
    const [line] = jsonLines(run.stdout)
    assert.equal(line?.['code'], 'RECIPE_MISMATCH')
    assert.match(
      String(line['message']),
      /the context encoder other \([0-9a-f]{12}\), this worker has rgb, tiny/,
    )
  })
})
