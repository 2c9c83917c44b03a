import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Command } from 'commander'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import type { ErrorDetails, Remedy, RemedyData } from '../../../../pipeline/common/remedies.js'
import { adviceFor, adviceMessageOf } from '../../../../scripts/cli/advice.js'
import { deadLettersCommand } from '../../../../scripts/commands/dead-letters.js'
import { doctorCommand } from '../../../../scripts/commands/doctor.js'
import { enrollCommand } from '../../../../scripts/commands/enroll.js'
import { evalCommand } from '../../../../scripts/commands/eval.js'
import { forgetCommand } from '../../../../scripts/commands/forget.js'
import { headCommand } from '../../../../scripts/commands/head.js'
import { ingestCommand } from '../../../../scripts/commands/ingest.js'
import { modelsCommand } from '../../../../scripts/commands/models.js'
import { peopleCommand } from '../../../../scripts/commands/people.js'
import { confirmCommand } from '../../../../scripts/commands/correct.js'
import { replayCommand } from '../../../../scripts/commands/replay.js'
import { searchCommand } from '../../../../scripts/commands/search.js'
import { statusCommand } from '../../../../scripts/commands/status.js'
import { submitCommand } from '../../../../scripts/commands/submit.js'
import { topicsCommand } from '../../../../scripts/commands/topics.js'
import { workerCommand } from '../../../../scripts/commands/worker.js'
import { assertRefused } from '../../../support/answers.js'
import { cameo, temporaryDir } from '../../../support/cameo.js'

/** Data for each remedy. If the words depend on the data, one example per case. */
const examples: { readonly [R in Remedy]: readonly RemedyData[R][] } = {
  'pull-models': [{ path: 'det.onnx' }, { pack: 'sface' }],
  'install-cuda': [{ device: 'cuda:0' }],
  'use-cpu': [{ device: 'cuda:0' }],
  'install-ffmpeg': [{ oldest: '5.1' }],
  'add-embedder': [{ embedder: 'other' }],
  'ingest-first': [{ archive: 'films' }],
  reprocess: [
    { archive: 'films', differs: 'version' },
    { archive: 'films', differs: 'settings' },
  ],
  'free-space': [{ archive: 'films' }],
  'repair-archive': [{ archive: 'films' }],
  'check-archive': [{}],
  'upgrade-archive': [{ archive: 'films' }],
  'finish-erasure': [{ archive: 'films' }],
  'forget-clip': [{ clipId: 'abc' }],
  'choose-face': [{ path: 'a.jpg', faces: 2 }],
  'give-as': [{ kind: 'clip' }, { kind: 'image' }, { kind: 'embedder' }, { kind: 'context' }],
  'choose-setting': [{ between: 'mirror' }, { between: 'sampling' }],
  'choose-rate': [{}],
  'list-faces': [{ name: 'Ada' }],
  'give-range': [{}],
  'refresh-names': [{ name: 'Ada' }],
  'enroll-all-the-same': [{}],
  'enroll-first': [{ name: 'Ada' }],
  wait: [{ seconds: 30 }],
  'give-identities': [{}],
  'train-head': [{ path: 'head.onnx' }],
  'name-report': [{ path: 'report' }],
  'name-rankings': [{ path: 'report' }],
  'resume-training': [{}],
  'train-anew': [{ checkpoint: 'head.onnx.checkpoint' }],
  'mount-root': [{ folder: '/films' }],
  'allow-clip': [{ uri: 'https://example.org/a.mp4' }],
  'other-scratch': [{}],
  'enlarge-scratch': [{ folder: '/scratch', maxBytes: 1e9 }],
  'lower-fetch-rate': [{}],
  'check-credentials': [{ brokers: ['127.0.0.1:9092'] }],
  'trust-certificate': [{ brokers: ['127.0.0.1:9092'] }],
  'secure-connection': [{ brokers: ['127.0.0.1:9092'] }],
  'start-broker': [{ brokers: ['127.0.0.1:9092'] }],
  'create-topics': [{ topic: 'cameo.jobs' }],
  'replay-archive': [
    { archive: 'films', changed: 'topic' },
    { archive: 'films', changed: 'cluster' },
  ],
  'retry-message': [{}],
  'read-dead-letters': [{}],
  'use-same-head': [
    { stage: 'describe', headSha256: 'abc' },
    { stage: 'index', headSha256: undefined },
  ],
  'use-same-encoder': [
    { kind: 'embedder', name: 'other', digest: 'abc' },
    { kind: 'context', name: 'scene', digest: 'abc' },
  ],
  'fewer-contexts': [{ bytes: 2e6, maxBytes: 1e6 }],
  'fewer-faces': [{ bytes: 2e6, maxBytes: 1e6 }],
}

const errorWith = (details: ErrorDetails, message = 'something is wrong') =>
  new CameoError('USAGE', message, { details })

const words = Object.entries(examples).flatMap(([remedy, all]) =>
  all.map((data) => ({
    remedy,
    // The type of the table ensures that each remedy has its own data.
    advice: adviceFor(errorWith({ remedy, ...data } as ErrorDetails)) ?? '',
  })),
)

const commands = [
  ...[
    deadLettersCommand,
    doctorCommand,
    enrollCommand,
    evalCommand,
    forgetCommand,
    headCommand,
    ingestCommand,
  ],
  ...[
    modelsCommand,
    peopleCommand,
    confirmCommand,
    replayCommand,
    searchCommand,
    statusCommand,
    submitCommand,
    topicsCommand,
    workerCommand,
  ],
]

/** "ingest", "models", "models pull", … with the options of each. */
function optionsByCommand(all: readonly Command[], before = ''): Map<string, readonly string[]> {
  return new Map(
    all.flatMap((command) => {
      const name = `${before}${command.name()}`
      const options = command.options.flatMap(({ long }) => long ?? [])
      return [[name, options] as const, ...optionsByCommand(command.commands, `${name} `)]
    }),
  )
}

const known = optionsByCommand(commands)

describe('the advice for a remedy', () => {
  it('exists as a clause for every remedy', () => {
    for (const { remedy, advice } of words) assert.match(advice, /^[^\n]{10,200}[^.\n]$/, remedy)
  })

  it('names only existing commands', () => {
    for (const { remedy, advice } of words)
      for (const [, command = '', sub = ''] of advice.matchAll(/\bcameo ([a-z-]+)(?: ([a-z-]+))?/g)) {
        const isKnown = known.has(`${command} ${sub}`.trim()) || (sub.startsWith('--') && known.has(command))
        assert.ok(isKnown, `${remedy}: cameo ${command} ${sub}`)
      }
  })

  it('names only existing options', () => {
    const all = new Set([...known.values()].flat())
    for (const { remedy, advice } of words)
      for (const [option] of advice.matchAll(/--[a-z-]+/g)) assert.ok(all.has(option), `${remedy}: ${option}`)
  })

  it('is absent if the error needs none, or is not an error of Cameo', () => {
    assert.equal(adviceFor(new CameoError('CLIP_EMPTY', 'a.mp4 is empty')), undefined)
    assert.equal(adviceFor(new Error('a bug')), undefined)
    assert.equal(adviceMessageOf(new Error('a bug')), 'a bug')
  })
})

describe('a message with its advice', () => {
  it('continues with the advice after a colon', () => {
    const error = errorWith({ remedy: 'pull-models', path: 'det.onnx' }, 'the model file det.onnx is missing')
    assert.equal(adviceMessageOf(error), 'the model file det.onnx is missing: run "cameo models pull"')
  })

  it('has the advice before a list', () => {
    const list = '  1: left\n  2: right'
    const error = errorWith({ remedy: 'choose-face', path: 'a.jpg', faces: 2 }, `choose one:\n${list}`)
    assert.equal(adviceMessageOf(error), `choose one (give its number with --face NUMBER):\n${list}`)
  })
})

describe('a missing archive', () => {
  const archive = join(temporaryDir(), 'none')

  it('is reported to a program without a command line', () => {
    assert.throws(() => openArchive(archive), {
      code: 'ARCHIVE_MISSING',
      message: `there is no archive in ${archive}; ingest some clips first`,
      details: { remedy: 'ingest-first', archive },
    })
  })

  it('is reported in a shell with a command line, to a person and to a script', async () => {
    const run = await cameo(['status', '--archive', archive, '--json'])
    const message = assertRefused(run, 'ARCHIVE_MISSING', `"cameo ingest FOLDER --archive ${archive}"`)
    assert.equal(run.stderr, `cameo: ${message} [ARCHIVE_MISSING]\n`)
    assert.deepEqual(Object.keys(JSON.parse(run.stdout) as object), ['code', 'message', 'retriable'])
  })
})
