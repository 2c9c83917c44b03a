/** How to reach the brokers. Holds secrets: never log it. */
export interface KafkaConnection {
  /** host:port of each broker. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** The start of every topic and consumer group name, so that several archives can share a cluster. */
  readonly prefix: string
  readonly tls: TlsSettings | undefined
  readonly sasl: SaslSettings | undefined
  /**
   * The group gives a worker's partitions to others when it has sent no heartbeat for this long, ms. Default: 30,000.
   */
  readonly sessionTimeoutMs?: number | undefined
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
