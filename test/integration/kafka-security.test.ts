import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createKafka, createPublisher, type KafkaMessage } from '../../workers/kafka/broker/client.js'
import { readConnection } from '../../scripts/cli/kafka-connection.js'
import { createTopics } from '../../workers/kafka/broker/create-topics.js'
import { startTopicReader } from '../../workers/kafka/broker/topic-reader.js'
import { topicName } from '../../workers/kafka/broker/topics.js'
import { createSilentLog } from '../../workers/service/log.js'
import { startBroker, type TestBroker } from '../support/broker.js'
import { cameo, temporaryDir, type CommandResult } from '../support/cameo.js'

const run = promisify(execFile)
const dir = temporaryDir()
const file = (name: string) => join(dir, name)
const password = 'correct horse battery staple'
const wrongPassword = 'wrong horse battery staple'

let broker: TestBroker

/** Variables that reach the broker; `undefined` removes one. */
function environment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    ...{ KAFKA_BROKERS: broker.brokers, KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: file('ca.pem') },
    ...{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: password },
    ...changes,
  }
}

/**
 * Runs a command and checks that no output has a password, plain or as PLAIN sends it, even with the most
 * detailed log.
 */
async function command(args: readonly string[], changes?: NodeJS.ProcessEnv): Promise<CommandResult> {
  const result = await cameo(args, { CAMEO_LOG_LEVEL: 'trace', ...environment(changes) })
  for (const secret of [password, wrongPassword])
    for (const shown of [secret, base64(secret), base64(`\0ada\0${secret}`)])
      assert.ok(!(result.stdout + result.stderr).includes(shown), 'no output has a password')
  return result
}

const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '')

function assertRefused({ code, stderr }: CommandResult, reason: RegExp): void {
  assert.equal(code, 2, stderr)
  assert.match(stderr, reason)
  assert.doesNotMatch(stderr, /should not have happened|\n\s+at /)
}

/** Makes an authority with its own name, and a certificate from it for the broker. */
async function makeCertificates(): Promise<void> {
  const key = (name: string) => [
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    file(`${name}.key`),
  ]
  const request = (name: string) => ['req', '-x509', ...key(name), '-out', file(`${name}.pem`)]
  for (const name of ['ca', 'other-ca']) await run('openssl', [...request(name), '-subj', `/CN=${name}`])
  const extensions = ['subjectAltName=IP:127.0.0.1', 'basicConstraints=critical,CA:false']
  await run('openssl', [
    ...[...request('broker'), '-subj', '/CN=broker'],
    ...['-CA', file('ca.pem'), '-CAkey', file('ca.key')],
    ...extensions.flatMap((extension) => ['-addext', extension]),
  ])
  appendFileSync(file('broker.key'), readFileSync(file('broker.pem')))
}

function brokerSettings(): string {
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  const users = `username="broker" password="own" user_broker="own" user_ada="${password}"`
  return [
    'listener.security.protocol.map=BROKER:SASL_SSL,CONTROLLER:PLAINTEXT',
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol=PLAIN',
    `listener.name.broker.plain.sasl.jaas.config=${login} ${users};`,
    `listener.name.broker.scram-sha-512.sasl.jaas.config=${scram} required;`,
    'ssl.keystore.type=PEM',
    `ssl.keystore.location=${file('broker.key')}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${file('ca.pem')}`,
    'compression.type=lz4',
    '',
  ].join('\n')
}

describe('Kafka: a broker that requires TLS and a password', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    await makeCertificates()
    writeFileSync(file('broker.properties'), brokerSettings())
    broker = await startBroker({
      CAMEO_KAFKA_SETTINGS: file('broker.properties'),
      CAMEO_KAFKA_SCRAM: `SCRAM-SHA-512=[name=grace,password=${password}]`,
    })
  })

  after(() => broker.stop())

  it('is reached with the authority, user and password from the environment', async () => {
    const created = await command(['topics', 'create'])
    assert.equal(created.code, 0, created.stderr)
    writeFileSync(file('password'), `${password}\n`)
    const secret = { KAFKA_SASL_PASSWORD: undefined, KAFKA_SASL_PASSWORD_FILE: file('password') }
    const status = await command(['topics', 'status', '--json'], secret)
    assert.equal(status.code, 0, status.stderr)
    const { topics } = JSON.parse(status.stdout) as { topics: { topic: string }[] }
    assert.ok(topics.some(({ topic }) => topic === 'cameo.descriptors'))
  })

  it('refuses a wrong password: commands and workers say so', async () => {
    const refusal = /refuses the user name or password: check KAFKA_SASL_USERNAME .*\[BROKER_REFUSED\]/
    for (const args of [
      ['topics', 'status'],
      ['worker', 'index', '--archive', file('archive')],
    ])
      assertRefused(await command(args, { KAFKA_SASL_PASSWORD: wrongPassword }), refusal)
  })

  it('is reached by SCRAM too, and refuses a wrong password there', async () => {
    const scram = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'grace' }
    const status = await command(['topics', 'status', '--json'], scram)
    assert.equal(status.code, 0, status.stderr)
    const wrong = await command(['topics', 'status'], { ...scram, KAFKA_SASL_PASSWORD: wrongPassword })
    assertRefused(wrong, /refuses the user name or password/)
  })

  it('refuses an unknown SASL mechanism', async () => {
    const run = await command(['topics', 'status'], { KAFKA_SASL_MECHANISM: 'scram-sha-256' })
    assertRefused(run, /does not support the requested SASL mechanism.*\[BROKER_REFUSED\]/)
  })

  it('is not trusted without its authority, with another one, or under a name that is not in its certificate', async () => {
    const untrusted = /is not trusted \(.*\): set KAFKA_SSL_CA_FILE .*\[BROKER_UNTRUSTED\]/
    const port = broker.brokers.split(':').at(-1) ?? ''
    const runs = await Promise.all([
      command(['topics', 'status'], { KAFKA_SSL_CA_FILE: undefined }),
      command(['topics', 'status'], { KAFKA_SSL_CA_FILE: file('other-ca.pem') }),
      command(['topics', 'status'], { KAFKA_BROKERS: `localhost:${port}` }),
    ])
    for (const run of runs) assertRefused(run, untrusted)
  })

  it('returns messages as they were sent, whatever its own compression is', async () => {
    const connection = readConnection(broker.brokers, environment({ KAFKA_TOPIC_PREFIX: 'packed' }))
    const log = createSilentLog()
    const kafka = createKafka(connection, log, 'prompt')
    await createTopics(kafka, connection)
    const publisher = await createPublisher(kafka)
    const topics = [topicName(connection, 'jobs'), topicName(connection, 'names')]
    await publisher.send(topics.map((topic) => ({ topic, key: 'a key', value: Buffer.from(topic) })))
    await publisher.disconnect()
    for (const topic of topics) {
      const values: string[] = []
      const onMessage = ({ value }: KafkaMessage) => values.push(`${value?.toString()}`)
      const reader = await startTopicReader({ kafka, connection, topic, log, onMessage })
      await Promise.race([reader.caughtUp, pause(30_000, undefined, { ref: false })])
      await reader.stop()
      assert.deepEqual(values, [topic])
    }
  })

  it('closes connections without TLS or without a user, and the error suggests what it requires', async () => {
    const closed = /closes the connection; .*KAFKA_SSL=true or KAFKA_SASL_\*.*\[BROKER_UNREACHABLE\]/
    const withoutUser = {
      KAFKA_SASL_MECHANISM: undefined,
      KAFKA_SASL_USERNAME: undefined,
      KAFKA_SASL_PASSWORD: undefined,
    }
    const runs = await Promise.all([
      command(['topics', 'status'], { KAFKA_SSL: undefined, KAFKA_SSL_CA_FILE: undefined }),
      command(['topics', 'status'], withoutUser),
    ])
    for (const run of runs) assertRefused(run, closed)
  })
})
