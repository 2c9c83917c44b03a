import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { KafkaConnection, SaslSettings, TlsSettings } from '../../workers/kafka/broker/connection.js'

export const defaultBrokers = '127.0.0.1:9092'

const isSet = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off', ''] })

const environmentSchema = z.object({
  KAFKA_CLIENT_ID: z.string().min(1).default('cameo'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,100}$/, 'letters, digits, ".", "_" and "-" only')
    .default('cameo'),
  /** Brokers accept 6 to 1800 s unless they are set up otherwise. */
  KAFKA_SESSION_TIMEOUT_S: z.coerce.number().min(1).max(1800).default(30),
  KAFKA_SSL: isSet.default(false),
  KAFKA_SSL_CA_FILE: z.string().min(1).optional(),
  KAFKA_SSL_CERT_FILE: z.string().min(1).optional(),
  KAFKA_SSL_KEY_FILE: z.string().min(1).optional(),
  KAFKA_SSL_KEY_PASSWORD: z.string().min(1).optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_SASL_USERNAME: z.string().min(1).optional(),
  KAFKA_SASL_PASSWORD: z.string().min(1).optional(),
  /** A file with the password, as container platforms provide secrets. */
  KAFKA_SASL_PASSWORD_FILE: z.string().min(1).optional(),
})

type Environment = z.infer<typeof environmentSchema>

/**
 * The connection described by `brokers` ("host:port,host:port") and the environment's KAFKA_* variables.
 * @throws USAGE that names the variable, never its value
 */
export function readConnection(
  brokers: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): KafkaConnection {
  const parsed = environmentSchema.safeParse(withoutEmpty(environment))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw usage(`the variable ${issue?.path.join('.') ?? 'KAFKA_*'} cannot be used: ${issue?.message ?? ''}`)
  }
  const values = parsed.data
  return {
    brokers: parseBrokers(brokers),
    clientId: values.KAFKA_CLIENT_ID,
    prefix: values.KAFKA_TOPIC_PREFIX,
    tls: tlsOf(values),
    sasl: saslOf(values),
    sessionTimeoutMs: values.KAFKA_SESSION_TIMEOUT_S * 1000,
  }
}

function parseBrokers(text: string): string[] {
  const brokers = text.split(',').map((broker) => broker.trim())
  for (const broker of brokers)
    if (!/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/.test(broker))
      throw usage(`"${broker}" is not a broker: give host:port, several separated by commas`)
  return brokers
}

function tlsOf(values: Environment): TlsSettings | undefined {
  const { KAFKA_SSL_CA_FILE: ca, KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: key } = values
  if (!values.KAFKA_SSL) {
    if (ca !== undefined || cert !== undefined || key !== undefined)
      throw usage('KAFKA_SSL_*_FILE is set but KAFKA_SSL is not: set KAFKA_SSL=true, or unset the files')
    return undefined
  }
  if ((cert === undefined) !== (key === undefined))
    throw usage('KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE belong together: set both or none')
  const passphrase = values.KAFKA_SSL_KEY_PASSWORD
  return {
    ...(ca === undefined ? {} : { ca: readSecret('KAFKA_SSL_CA_FILE', ca) }),
    ...(cert === undefined ? {} : { cert: readSecret('KAFKA_SSL_CERT_FILE', cert) }),
    ...(key === undefined ? {} : { key: readSecret('KAFKA_SSL_KEY_FILE', key) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

function saslOf(values: Environment): SaslSettings | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username } = values
  const file = values.KAFKA_SASL_PASSWORD_FILE
  const password =
    file === undefined ? values.KAFKA_SASL_PASSWORD : readSecret('KAFKA_SASL_PASSWORD_FILE', file).trim()
  if (mechanism === undefined && username === undefined && password === undefined) return undefined
  if (mechanism === undefined || username === undefined || password === undefined)
    throw usage(
      'SASL needs KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD (or KAFKA_SASL_PASSWORD_FILE)',
    )
  return { mechanism, username, password }
}

function readSecret(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usage(`${variable} names a file that cannot be read (${messageOf(error)})`)
  }
}

function withoutEmpty(environment: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
}

const usage = (message: string) => new CameoError('USAGE', message)
