import { InvalidArgumentError, Option } from 'commander'
import { defaultBrokers } from './kafka-connection.js'
import { everywhere, parseHost, parseRoot, type AccessRules } from '../../workers/remote-clips/clip-access.js'
import { messageOf } from '../../pipeline/common/errors.js'

/** `--brokers`, else `KAFKA_BROKERS`, else the broker on this machine. */
export const brokersOption = () =>
  new Option('-b, --brokers <list>', 'host:port of the brokers, separated by commas')
    .env('KAFKA_BROKERS')
    .default(defaultBrokers)

export const kafkaHelp = `
TLS and SASL come from the environment: KAFKA_SSL=true, KAFKA_SSL_CA_FILE, KAFKA_SSL_CERT_FILE, KAFKA_SSL_KEY_FILE,
KAFKA_SSL_KEY_PASSWORD; KAFKA_SASL_MECHANISM (plain, scram-sha-256, scram-sha-512), KAFKA_SASL_USERNAME,
KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE. KAFKA_TOPIC_PREFIX (cameo) begins the names of topics and groups:
each prefix belongs to another archive.`

/** Options that may be given several times or as a list with commas, also in the environment. */
export const rootOption = () =>
  new Option(
    '--root <dir...>',
    'folders whose clips may be opened; SUBMITTED=MOUNTED if a folder has another name here (default: /)',
  )
    .env('CAMEO_ROOTS')
    .argParser(listOf(/[,\n]+/, (text) => parseRoot(text)))

export const hostOption = () =>
  new Option('--allow-host <host...>', 'hosts that clips may be fetched from: HOST, HOST:PORT or s3://BUCKET')
    .env('CAMEO_ALLOW_HOSTS')
    .argParser(listOf(/[\s,]+/, (text) => parseHost(text)))

function listOf<T>(separator: RegExp, parse: (text: string) => T) {
  return (text: string, previous: readonly T[] | undefined): T[] => {
    try {
      return [
        ...(previous ?? []),
        ...text
          .split(separator)
          .map((part) => part.trim())
          .filter((part) => part !== '')
          .map(parse),
      ]
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error))
    }
  }
}

export function accessRules(options: {
  readonly root?: AccessRules['roots'] | undefined
  readonly allowHost?: readonly string[]
}): AccessRules {
  return { roots: options.root ?? [everywhere], hosts: new Set(options.allowHost) }
}

/** "500M", "20G", "1T" → bytes, for commander. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text.trim())
  if (match === null) throw new InvalidArgumentError('a size is needed, for example 500M or 20G.')
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase())
  return Math.round(Number(match[1]) * 1024 ** power)
}
