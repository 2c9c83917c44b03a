/**
 * Sends invalid messages to everything that reads a topic, in a thread with little memory: see
 * `hostile-messages.test.ts`. Good messages come in between, and each must have its normal effect.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { openArchive } from '../../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../../index/store/inbox.js'
import { CameoError, type ErrorCode } from '../../../../../pipeline/common/errors.js'
import { findPack } from '../../../../../pipeline/models/packs/catalog.js'
import { segmentSpans } from '../../../../../pipeline/segments/segment-spans.js'
import { createClipAccess } from '../../../../../workers/remote-clips/clip-access.js'
import { startDescriber } from '../../../../../workers/threads/describe-handle.js'
import { stampOf } from '../../../../../workers/ingest/file-stamp.js'
import { applyDescriptors } from '../../../../../workers/kafka/stages/index/apply-descriptors.js'
import { applyNames } from '../../../../../workers/kafka/stages/names/apply-names.js'
import { clipKey } from '../../../../../workers/kafka/stages/names/name-keys.js'
import type { OutMessage } from '../../../../../workers/kafka/broker/out-messages.js'
import { createDescribeHandler } from '../../../../../workers/kafka/stages/describe/describe-handler.js'
import { JobHandler } from '../../../../../workers/kafka/stages/faces/job-handler.js'
import { Submission } from '../../../../../workers/kafka/submit/submission.js'
import { maxSentBytes } from '../../../../../workers/kafka/broker/topics.js'
import {
  decodeDeadLetter,
  decodeDescriptors,
  decodeEmbeddings,
  decodeJob,
  decodeStatus,
  encodeMessage,
  type JobMessage,
  type WireMessage,
} from '../../../../../workers/kafka/messages/schemas.js'
import { createSilentLog } from '../../../../../workers/service/log.js'
import { createMetrics } from '../../../../../workers/service/metrics.js'
import type { SegmentThread } from '../../../../../workers/threads/segment-handle.js'
import { clipId, givenUp, good, recipeWith } from '../../../../support/described.js'
import { oddMessage } from '../../../../support/odd-messages.js'
import { seededRandom } from '../../../../support/random.js'

export interface HostileSetup {
  readonly seed: number
  readonly messages: number
  /** Removed by the caller. */
  readonly dir: string
}

/** Number of a topic's invalid messages that were refused, by reason, and that were accepted. */
export type HostileResult = Readonly<Record<string, Readonly<Record<string, number>>>>

const { seed, messages, dir } = workerData as HostileSetup
const random = seededRandom(seed)
const signal = new AbortController().signal
const log = createSilentLog()
const connection = { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined }
const about = { segments: 2, pass: 'first' }
const recipe = recipeWith()

const path = join(dir, 'a.mp4')
writeFileSync(path, 'a clip')
const source = { uri: path, root: dir }
const sent: OutMessage[] = []
const context = {
  ...{ connection, log, metrics: createMetrics('faces') },
  publisher: {
    send: (out: readonly OutMessage[]) => Promise.resolve(void sent.push(...out)),
    disconnect: () => Promise.resolve(),
  },
}

/** Plans every clip as two segments without any person. */
const thread: SegmentThread = {
  ready: () => Promise.resolve('cpu'),
  hash: () => Promise.resolve(clipId),
  process(_path, request, { onPlan, onSegment }) {
    const segments = request.kind === 'open' ? segmentSpans(2, 600) : request.segments
    const size = { widthPx: 640, heightPx: 360, sourceWidthPx: 640, sourceHeightPx: 360 }
    const info = { ...size, durationS: 1200, durationEstimated: false, cuttable: true, frameRate: 25 }
    if (request.kind === 'open')
      onPlan({ info: { ...info, codec: 'h264', container: 'mov' }, segments, taken: 1 })
    for (const segment of segments.slice(0, 1))
      onSegment({ segment, tracks: [], frames: 1, faces: 0, truncated: false, provider: 'cpu' })
    return Promise.resolve()
  },
  abort: () => undefined,
  stop: () => Promise.resolve(),
}

const decoders = new Map<string, (value: Uint8Array | null) => unknown>([
  ['test.jobs', decodeJob],
  ['test.embeddings', decodeEmbeddings],
  ['test.descriptors', decodeDescriptors],
  ['test.status', decodeStatus],
])

/**
 * Checks that everything a stage published can be read. Returns the reason if the message went to the dead
 * letters.
 */
function outcome(published: readonly OutMessage[]): string {
  let code: string | undefined
  for (const { topic, value } of published) {
    assert.ok((value?.byteLength ?? 0) <= maxSentBytes, 'a broker would not accept it')
    if (topic === 'test.dead-letters') code = decodeDeadLetter(value).failure.code
    else decoders.get(topic)?.(value)
  }
  return code ?? 'taken'
}

/** A reader of a topic. It returns `taken` or the reason of the refusal. */
interface Reader {
  readonly good: readonly WireMessage[]
  read(value: Buffer): Promise<string>
  /** Throws if a good message did not have its effect. */
  check(): void
}

function stageReader(
  topic: string,
  handle: (message: Parameters<ReturnType<typeof createDescribeHandler>>[0], deaths: number) => Promise<void>,
  goodOnes: readonly WireMessage[],
): Reader {
  return {
    good: goodOnes,
    async read(value) {
      sent.length = 0
      await handle({ topic, partition: 0, offset: '1', key: Buffer.from('key'), value }, 0)
      return outcome(sent)
    },
    check: () => assert.ok(sent.length > 0, 'nothing was published'),
  }
}

function facesReader(): Reader {
  const access = createClipAccess({
    rules: { roots: [{ submitted: dir, mounted: dir }], hosts: new Set() },
    ...{ scratchDir: join(dir, 'scratch'), scratchBytes: 1000 },
  })
  const pools = {
    borrow: () =>
      Promise.resolve({
        thread,
        ...{ pack: findPack('lite'), provider: 'cpu' as const, release: () => undefined },
      }),
    stop: () => Promise.resolve(),
  }
  const handler = new JobHandler({
    ...{ context, pools, access, threads: 1, maxDeaths: 3 },
    // The root exists, and ffmpeg is not used.
    onFatal: (error) => assert.fail(String(error)),
  })
  const [closing] = good(0, about).flatMap((message) => (message.kind === 'closing' ? [message] : []))
  assert.ok(closing !== undefined)
  const plan = { ...closing.plan, stamp: stampOf(path) }
  const jobs: JobMessage[] = [
    { v: 1, kind: 'clip', recipe, source },
    { v: 1, kind: 'segment', recipe, source, plan, segment: 1 },
  ]
  return stageReader('test.jobs', (message, deaths) => handler.handle(message, signal, deaths), jobs)
}

const [described, closing] = good(0, about)
assert.ok(described?.kind === 'described' && closing !== undefined)

function describeReader(): Reader {
  const describer = startDescriber({ headFile: undefined, device: { kind: 'cpu' } })
  const handle = createDescribeHandler({ context, describer, head: undefined })
  const tracks = described?.kind === 'described' ? { ...described, kind: 'tracks' as const } : undefined
  assert.ok(tracks !== undefined && closing?.kind === 'closing')
  return stageReader('test.embeddings', (message) => handle(message, signal), [tracks, closing])
}

function indexReader(): Reader {
  const archive = openArchive(join(dir, 'archive'), { create: true })
  const inbox = createInbox(archive.database)
  return {
    good: [
      ...good(0, about),
      ...good(1, about),
      givenUp(1, 'CLIP_STUCK', { ...about, clip: 'd'.repeat(64) }),
    ],
    read(value) {
      const { refused } = archive.database.transaction(() =>
        applyDescriptors([{ value, timestamp: '1' }], {
          ...{ archive, inbox, connection, reprocess: false, head: undefined },
        }),
      )()
      return Promise.resolve(refused[0]?.error.code ?? 'taken')
    },
    check: () => assert.equal(archive.clips.run({ clipId, recipe: recipe.digest })?.state, 'done'),
  }
}

function namesReader(): Reader {
  const { database } = openArchive(join(dir, 'names'), { create: true })
  const vector = new Uint8Array(1024)
  const face = { source: '/a.jpg', embedder: 'e'.repeat(16), norm: 5, vector, quality: 0.5 }
  return {
    good: [
      { v: 1, kind: 'enrolled', name: 'Ada', faces: [face] },
      { v: 1, kind: 'forgotten', clipId },
    ],
    read(value) {
      applyNames(database, new Map([[clipKey(clipId), value]]), 0, log)
      return Promise.resolve('told')
    },
    check: () =>
      assert.equal(
        database.prepare<[], number>("SELECT count(*) FROM identities WHERE name = 'Ada'").pluck().get(),
        1,
      ),
  }
}

function statusReader(): Reader {
  let results = 0
  const submission = new Submission({
    ...{ connection, recipe, again: false, wait: true, signal, publisher: context.publisher },
    events: {
      onFound: () => undefined,
      onAllFound: () => undefined,
      onSubmitted: () => undefined,
      onResult: () => results++,
    },
  })
  const at = new Date(0).toISOString()
  return {
    good: [{ v: 1, kind: 'status', uri: path, recipe: recipe.digest, state: 'failed', at }],
    read(value) {
      const message = { key: null, value, timestamp: '1', attributes: 0, offset: '1', headers: {} }
      submission.onStatus(message)
      return Promise.resolve('told')
    },
    check: () => assert.equal(results, 0),
  }
}

function lettersReader(): Reader {
  const failure = { code: 'CLIP_STUCK' satisfies ErrorCode, message: 'it is stuck' }
  const place = { topic: 'test.jobs', partition: 1, offset: '12' }
  const at = new Date(0).toISOString()
  const original = new Uint8Array(500)
  return {
    good: [{ v: 1, kind: 'dead-letter', stage: 'faces', failure, attempts: 4, original, ...place, at }],
    read(value) {
      try {
        decodeDeadLetter(value)
        return Promise.resolve('taken')
      } catch (error) {
        assert.ok(error instanceof CameoError, String(error))
        return Promise.resolve(error.code)
      }
    },
    check: () => undefined,
  }
}

async function readAll(reader: Reader): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {}
  for (let i = 0; i < messages; i++) {
    const message = reader.good[i % reader.good.length]
    assert.ok(message !== undefined)
    const value = Buffer.from(oddMessage(random, encodeMessage(message)))
    const code = await reader.read(value)
    outcomes[code] = (outcomes[code] ?? 0) + 1
  }
  for (const message of reader.good) {
    const code = await reader.read(Buffer.from(encodeMessage(message)))
    assert.ok(code === 'taken' || code === 'told', `a good message is ${code}`)
  }
  reader.check()
  return outcomes
}

const readers = {
  ...{ jobs: facesReader, embeddings: describeReader, descriptors: indexReader },
  ...{ status: statusReader, names: namesReader, 'dead-letters': lettersReader },
}
const result: Record<string, Record<string, number>> = {}
for (const [topic, reader] of Object.entries(readers)) result[topic] = await readAll(reader())
parentPort?.postMessage(result)
