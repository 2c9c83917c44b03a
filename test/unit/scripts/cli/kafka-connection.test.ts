import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { readConnection } from '../../../../scripts/cli/kafka-connection.js'
import { temporaryDir } from '../../../support/cameo.js'

const refused = (environment: Record<string, string>, brokers = 'a:1') => {
  try {
    readConnection(brokers, environment)
  } catch (error) {
    assert.ok(error instanceof CameoError)
    assert.equal(error.code, 'USAGE')
    return error.message
  }
  return assert.fail('it was taken')
}

describe('readConnection', () => {
  it('uses no TLS and no SASL by default', () => {
    const connection = readConnection('one:9092, [::1]:9093', { PATH: '/bin', KAFKA_SSL: '' })
    assert.deepEqual(connection.brokers, ['one:9092', '[::1]:9093'])
    assert.deepEqual([connection.prefix, connection.tls, connection.sasl], ['cameo', undefined, undefined])
  })

  it('takes the session timeout in seconds, and 30 s by default', () => {
    const timeoutMs = (environment: Record<string, string>) =>
      readConnection('a:1', environment).sessionTimeoutMs
    assert.deepEqual([timeoutMs({}), timeoutMs({ KAFKA_SESSION_TIMEOUT_S: '6' })], [30_000, 6000])
    for (const wrong of ['0', '1801', 'soon', '-6'])
      assert.match(refused({ KAFKA_SESSION_TIMEOUT_S: wrong }), /KAFKA_SESSION_TIMEOUT_S /)
  })

  it('takes TLS files and a SASL password file', () => {
    const dir = temporaryDir()
    const file = (name: string, text: string) => {
      writeFileSync(join(dir, name), text)
      return join(dir, name)
    }
    const connection = readConnection('a:1', {
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA_FILE: file('ca', 'CA'),
      KAFKA_SSL_CERT_FILE: file('cert', 'CERT'),
      KAFKA_SSL_KEY_FILE: file('key', 'KEY'),
      KAFKA_SSL_KEY_PASSWORD: 'open',
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: 'ada',
      KAFKA_SASL_PASSWORD_FILE: file('password', 'secret\n'),
      KAFKA_TOPIC_PREFIX: 'film-archive',
    })
    assert.deepEqual(connection.tls, { ca: 'CA', cert: 'CERT', key: 'KEY', passphrase: 'open' })
    assert.deepEqual(connection.sasl, { mechanism: 'scram-sha-512', username: 'ada', password: 'secret' })
    assert.equal(connection.prefix, 'film-archive')
  })

  it('names the wrong variable, never a secret', () => {
    assert.match(refused({ KAFKA_SSL: 'maybe' }), /KAFKA_SSL /)
    assert.match(refused({ KAFKA_SSL_CA_FILE: '/ca' }), /KAFKA_SSL=true/)
    assert.match(refused({ KAFKA_SSL: '1', KAFKA_SSL_CERT_FILE: '/c' }), /belong together/)
    assert.match(
      refused({ KAFKA_SSL: '1', KAFKA_SSL_CA_FILE: '/no/such' }),
      /KAFKA_SSL_CA_FILE .*cannot be read/,
    )
    const message = refused({ KAFKA_SASL_PASSWORD: 'secret' })
    assert.match(message, /KAFKA_SASL_USERNAME/)
    assert.doesNotMatch(message, /secret/)
    assert.match(refused({ KAFKA_SASL_MECHANISM: 'oauth' }), /KAFKA_SASL_MECHANISM/)
    assert.match(refused({ KAFKA_TOPIC_PREFIX: 'a b' }), /KAFKA_TOPIC_PREFIX/)
    assert.match(refused({}, 'localhost'), /"localhost" is not a broker/)
  })
})
