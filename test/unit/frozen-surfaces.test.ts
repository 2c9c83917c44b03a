/**
 * The surfaces that others rely on. Scripts rely on codes, commands and options, dashboards on metrics,
 * brokers on topics and messages, archives on tables and digests. Snapshots in test/frozen hold all of them.
 * The wording of help and messages may change.
 */
import type { Command } from 'commander'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { rowChecksum } from '../../index/store/checksum.js'
import { databaseFileName } from '../../index/store/database.js'
import { schemaVersion } from '../../index/store/schema.js'
import { CameoError, errorCodes } from '../../pipeline/common/errors.js'
import { catalogPacks, findPack } from '../../pipeline/models/packs/catalog.js'
import type { ContextFile, EmbedderFile } from '../../pipeline/models/packs/encoder-file.js'
import {
  createRecipe,
  defaultSettings,
  settingsSchema,
  type Recipe,
  type Settings,
} from '../../pipeline/recipe/recipe.js'
import { exitCodes } from '../../scripts/cli/output.js'
import { aboutKey, clipKey, correctionKey, nameKey } from '../../workers/kafka/stages/names/name-keys.js'
import { defaultBrokers, readConnection } from '../../scripts/cli/kafka-connection.js'
import { deadLetter } from '../../workers/kafka/messages/dead-letters.js'
import { writeNote } from '../../workers/kafka/broker/crash-counts.js'
import { statusKey } from '../../workers/kafka/stages/index/status.js'
import {
  groupName,
  maxMessageBytes,
  maxReplicas,
  maxSentBytes,
  stageInput,
  topicName,
  topicSettings,
  topicSpecs,
  type Stage,
} from '../../workers/kafka/broker/topics.js'
import {
  encodeMessage,
  featuresVersion,
  jobKey,
  topicSchemas,
  wireVersion,
} from '../../workers/kafka/messages/schemas.js'
import { createMetrics, infoLabels, startHealthServer } from '../../workers/service/metrics.js'
import { temporaryDir } from '../support/cameo.js'
import { commandShape } from '../support/command-shape.js'
import { assertFrozen, byName } from '../support/frozen.js'
import { messageKinds } from '../support/message-schema.js'

describe('codes', () => {
  it('of errors, and whether they are retriable, are frozen', () =>
    assertFrozen(
      'error-codes',
      byName(Object.entries(errorCodes).map(([code, { retriable }]) => [code, { retriable }])),
    ))

  it('of commands are frozen', () => assertFrozen('exit-codes', byName(Object.entries(exitCodes))))
})

describe('the command line', () => {
  let program: Command
  before(async () => {
    // An empty variable would be missing from the options' help, which is fixed when they are created.
    delete process.env['CAMEO_ARCHIVE']
    const { createProgram } = await import('../../scripts/program.js')
    program = await createProgram()
  })

  it('commands, arguments and options are frozen', () => assertFrozen('command-line', commandShape(program)))
})

describe('topics', () => {
  // Without variables: default names and groups.
  const connection = readConnection(defaultBrokers, {})
  const settingsOf = (spec: (typeof topicSpecs)[number], replicas: number) =>
    byName(topicSettings(spec, replicas).map(({ name, value }) => [name, value]))

  it('names, keys, partitions, settings and groups are frozen', () => {
    const stages = Object.keys(stageInput) as Stage[]
    const received = { topic: 'cameo.jobs', partition: 3, offset: '7', key: null, value: null }
    const letter = deadLetter(connection, 'faces', received, new CameoError('CLIP_STUCK', ''), {
      attempts: 1,
    })
    return assertFrozen('topics', {
      topics: byName(
        topicSpecs.map((spec) => [
          topicName(connection, spec.kind),
          {
            ...{ kind: spec.kind, key: spec.key, partitions: spec.partitions, retention: spec.retention },
            settings: settingsOf(spec, 1),
            settingsOfReplicas: settingsOf(spec, maxReplicas),
          },
        ]),
      ),
      groups: byName(stages.map((stage) => [stage, groupName(connection, stage)])),
      reads: byName(stages.map((stage) => [stage, topicName(connection, stageInput[stage])])),
      keys: {
        job: jobKey('/films/a.mp4', 2),
        status: statusKey('RECIPE', '/films/a.mp4'),
        name: nameKey('Ada "A" Lovelace', '/photos/ada.jpg'),
        clip: clipKey('CLIP'),
        correction: correctionKey('Ada "A" Lovelace', 'CLIP'),
        about: aboutKey('Ada "A" Lovelace'),
        deadLetter: letter.key,
      },
      ...{ clientId: connection.clientId, brokers: connection.brokers },
      ...{ maxReplicas, maxMessageBytes, maxSentBytes },
    })
  })

  it('messages are frozen', () =>
    assertFrozen('messages', {
      versions: { usual: wireVersion, withFeatures: featuresVersion },
      topics: byName(Object.entries(topicSchemas).map(([kind, schema]) => [kind, messageKinds(schema)])),
      // MessagePack in hex. Absent fields are left out; numbers are as short as possible.
      encoded: encodeMessage({
        ...{ v: 1, kind: 'status', uri: '/a.mp4', recipe: 'f00d', state: 'partial', at: '2024-01-01' },
        ...{ tracks: 70_000, lostS: 0.25, truncated: true, clipId: undefined },
      }).toString('hex'),
      // Stored beside a group's committed offset.
      groupNote: writeNote('client', 5n, [
        { offset: 6n, deaths: 0, isInWork: true },
        { offset: 9n, deaths: 2, isInWork: false },
      ]),
    }))
})

describe('metrics', () => {
  it('names, types, labels and paths are frozen', async () => {
    const metrics = createMetrics('describe')
    metrics.setInfo({ head: 'none' })
    metrics.finished('done', 0.1)
    metrics.finished('failed', 0.1)
    const server = await startHealthServer({ host: '127.0.0.1', port: 0 }, metrics, () => true)
    try {
      const read = async (path: string) => {
        const answer = await fetch(`http://127.0.0.1:${server.port}${path}`)
        return { status: answer.status, text: await answer.text() }
      }
      const { text } = await read('/metrics')
      await assertFrozen('metrics', {
        '/metrics': metricsIn(text),
        '/healthz': await read('/healthz'),
        workerInfo: infoLabels,
      })
    } finally {
      await server.close()
    }
  })
})

/** Only Cameo's own metrics: those of the process come from prom-client and differ between systems. */
function metricsIn(text: string) {
  const types = [...text.matchAll(/^# TYPE (cameo_\S+) (\S+)$/gm)]
  const samples = [...text.matchAll(/^(cameo_\w+)(?:\{(.*)\})? \S+$/gm)].map(
    ([, name = '', labels = '']) => ({
      name,
      labels: new Map(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
      ),
    }),
  )
  const shapeOf = (name: string, type: string) => {
    const own = samples.filter((sample) => sample.name.replace(/_(bucket|sum|count)$/, '') === name)
    const series = byName(own.map((sample) => [sample.name, [...sample.labels.keys()].sort()]))
    const buckets = own.flatMap(({ labels }) => labels.get('le') ?? [])
    return { type, series, ...(buckets.length > 0 ? { buckets } : {}) }
  }
  return byName(types.map(([, name = '', type = '']) => [name, shapeOf(name, type)]))
}

describe('archives', () => {
  it('tables, columns, indexes and triggers are frozen', () => {
    const archive = openArchive(temporaryDir(), { create: true })
    const { database } = archive
    try {
      const objects = database
        .prepare<[], { type: string; name: string; sql: string }>(
          'SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL',
        )
        .all()
      return assertFrozen('archive-schema', {
        file: databaseFileName,
        version: schemaVersion,
        userVersion: database.pragma('user_version', { simple: true }),
        pageSize: database.pragma('page_size', { simple: true }),
        meta: database.prepare<[], string>('SELECT key FROM meta ORDER BY key').pluck().all(),
        // With another checksum, all rows written before would count as damaged.
        rowChecksum: String(rowChecksum('text', 1, 2.5, null, Buffer.from([1, 2]))),
        objects: byName(objects.map(({ type, name, sql }) => [`${type} ${name}`, clausesOf(sql)])),
      })
    } finally {
      archive.close()
    }
  })
})

/** A definition without comments and line breaks, one line per column or rule. */
function clausesOf(sql: string): string[] {
  const plain = sql
    .replace(/--[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  const clauses = ['']
  let depth = 0
  for (const letter of plain) {
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (letter === ',' && depth === 1) clauses.push('')
    else clauses.push(`${clauses.pop() ?? ''}${letter}`)
  }
  return clauses.map((clause) => clause.trim())
}

describe('recipes', () => {
  const lite = findPack('lite')
  const settings = (own: Partial<Settings>) => settingsSchema.parse(own)
  const head = 'a'.repeat(64)
  const input = lite.embedder.input
  const located = { source: '/encoders/x.json', file: '/encoders/x.onnx', sha256: 'b'.repeat(64) }
  const embedder: EmbedderFile = { ...located, kind: 'embedder', name: 'further', dimension: 512, input }
  const context: ContextFile = {
    ...{ ...located, kind: 'context', name: 'scene', dimension: 1000 },
    ...{ input: { ...input, resize: 'crop' }, output: 'features', pool: 'average' },
  }
  const encoders = { embedders: [embedder], contexts: [context] }

  const recipes: Record<string, Recipe> = {
    ...Object.fromEntries(
      catalogPacks().map((pack) => [`pack ${pack.name}`, createRecipe(pack, defaultSettings)]),
    ),
    'pack lite+sface': createRecipe(findPack('lite+sface'), defaultSettings),
    mirror: createRecipe(lite, settings({ mirror: true })),
    keepMirrored: createRecipe(lite, settings({ keepMirrored: true })),
    'fps 2': createRecipe(lite, settings({ sampling: { kind: 'fps', fps: 2 } })),
    keyframes: createRecipe(lite, settings({ sampling: { kind: 'keyframes' } })),
    'minFacePx 24': createRecipe(lite, settings({ minFacePx: 24 })),
    'facesPerTrack 3': createRecipe(lite, settings({ facesPerTrack: 3 })),
    'segmentS 60': createRecipe(lite, settings({ segmentS: 60 })),
    head: createRecipe(lite, defaultSettings, head),
    'head, mirror': createRecipe(lite, settings({ mirror: true }), head),
    features: createRecipe(lite, defaultSettings, undefined, encoders),
    'features, mirror, head': createRecipe(lite, settings({ mirror: true }), head, encoders),
  }

  it('digests that identify models and settings for archives and workers are frozen', () =>
    assertFrozen('recipes', { defaultSettings, recipes }))
})
