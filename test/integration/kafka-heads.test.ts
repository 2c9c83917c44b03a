import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { comparable, search } from '../support/answers.js'
import { dumpArchive } from '../support/archive-dump.js'
import { testBroker, type TestBroker } from '../support/broker.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { onnxFile } from '../support/onnx.js'
import { createQueue, heldAfterReplay, type Queue } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const embedded = join(dir, 'embedded')
const head = join(dir, 'head.onnx')
const otherHead = join(dir, 'other.onnx')

let broker: TestBroker

/**
 * Keeps some of the 512 values of an embedding, so that its descriptors differ from those without a head, and
 * from those of another head.
 */
function writeHead(path: string, from: number, to: number): void {
  const graph = {
    inputDims: [1, 512],
    outputDims: [1, to - from],
    nodes: [{ opType: 'Slice', inputs: ['x', 'from', 'to', 'axis'], output: 'descriptor' }],
    vectors: { from: [from], to: [to], axis: [1] },
    vectorsAs: 'initializers',
  } as const
  writeFileSync(path, onnxFile(graph))
}

const submit = (queue: Queue, ...args: readonly string[]) => queue.run('submit', folder, '--json', ...args)

describe('Kafka: a head over the embeddings', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'a.mp4'), 'costumes right')
    await makeFaceClip(join(folder, 'b.mp4'), 'sofa left')
    writeHead(head, 0, 256)
    writeHead(otherHead, 128, 384)
    broker = await testBroker()
  })

  after(() => broker.stop())

  it('gives the same archive and answers as an embedded ingest with the head', async () => {
    const own = await cameo(['ingest', folder, '--archive', embedded, '--head', head, '--threads', '1'])
    assert.equal(own.code, 0, own.stderr)
    const dump = dumpArchive(embedded)
    assert.ok(dump.some((line) => /^spaces .*dimension=256/.test(line)))

    const queue = await createQueue(broker, 'head')
    queue.start('faces')
    queue.start('describe', '--head', head)
    const index = queue.start('index', '--head', head)
    const run = await submit(queue, '--head', head)
    assert.equal(run.code, 0, run.stdout + run.stderr)
    assert.deepEqual(dumpArchive(queue.archive), dump)
    const photo = await makeFacePhoto(join(dir, 'photo.jpg'), 'costumes right')
    const ask = async (archive: string) =>
      comparable(await search(['--image', photo, '--archive', archive, '--min-score', '-1']))
    const answer = await ask(embedded)
    assert.equal(answer.results.length, 2)
    assert.deepEqual(await ask(queue.archive), answer)

    assert.equal(await index.stop(), 0)
    const replayed = await queue.run('replay', '--json')
    assert.deepEqual(heldAfterReplay(replayed.stdout), [{ clips: 2, tracks: 2 }], replayed.stderr)
    assert.deepEqual(dumpArchive(queue.archive), dump)
    assert.deepEqual(await ask(queue.archive), answer, 'a replay keeps the head')
    await queue.close()
  })

  const refusals = [
    { stage: 'describe', name: 'another', describe: { head: otherHead }, index: { head } },
    { stage: 'describe', name: 'no', describe: {}, index: { head } },
    { stage: 'index', name: 'another', describe: { head }, index: { head: otherHead } },
  ] as const
  for (const { stage, name, describe, index } of refusals)
    it(`is refused by a worker ${stage} with ${name} head, and the error says what to start`, async () => {
      const queue = await createQueue(broker, `${name}-${stage}`)
      queue.startHere('faces')
      queue.startHere('describe', describe)
      queue.startHere('index', index)
      const run = await submit(queue, '--head', head)
      assert.equal(run.code, 1, run.stdout + run.stderr)
      const lines = jsonLines(run.stdout)
      assert.equal(lines.length, 2)
      for (const { status, code, message } of lines) {
        assert.deepEqual([status, code], ['failed', 'RECIPE_MISMATCH'])
        assert.ok(String(message).includes(`start the ${stage} worker with the same head`), String(message))
      }
      assert.deepEqual(queue.counts(), { clips: 0, tracks: 0 })
      const letters = await queue.letters()
      assert.ok(letters.length > 0)
      assert.deepEqual(new Set(letters.map((letter) => letter.stage)), new Set([stage]))
      await queue.close()
    })

  it('that is missing is reported clearly', async () => {
    for (const args of [
      ['submit', folder],
      ['worker', 'describe'],
      ['worker', 'index', '--archive', join(dir, 'none')],
    ]) {
      const run = await cameo([...args, '--head', join(dir, 'none.onnx'), '--brokers', broker.brokers])
      assert.equal(run.code, 2)
      assert.match(run.stderr, /none\.onnx cannot be read .*\[MODEL_UNREADABLE\]/)
    }
  })
})
