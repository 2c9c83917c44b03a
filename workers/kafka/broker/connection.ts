/** How to reach the brokers. Never logged: it holds secrets. */
export interface KafkaConnection {
  /** host:port of each. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** Every topic and consumer group begins with it, so that several archives can share a cluster. */
  readonly prefix: string
  readonly tls: TlsSettings | undefined
  readonly sasl: SaslSettings | undefined
}

/** Certificates and keys as PEM. */
export interface TlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

export interface SaslSettings {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}
